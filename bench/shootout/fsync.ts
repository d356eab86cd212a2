import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median } from '../harness.js'
import { nowMs } from './stopwatch.js'

/** Ms until 4 KB more in a file are on the disk of a directory: the median of some. */
export async function fsyncMs(directory: string): Promise<number> {
  const path = join(directory, 'fsync')
  const file = await open(path, 'w')
  try {
    const spans: number[] = []
    for (let done = 0; done < SPANS; done++) {
      const start = nowMs()
      await file.write(BLOCK)
      await file.datasync()
      spans.push(nowMs() - start)
    }
    return median(spans)
  } finally {
    await file.close()
    await rm(path)
  }
}

const SPANS = 50
const BLOCK = Buffer.alloc(4096, 1)
