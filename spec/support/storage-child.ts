/**
 * The other process of storage specs: `storage-child.ts <task> <directory>`.
 *
 * - `try` opens the directory as a storage and prints `open` or the error's code,
 * - `tryLevel` does so with LevelDB alone,
 * - `hold` prints `open` once it has the storage open, and then waits to be killed,
 * - `write` commits until it is killed, and prints each tid once it is acknowledged,
 * - `checkpoint` does so with a checkpoint every few commits, as fast as it can.
 */
import { Level } from 'level'
import { codeOf } from '../../lib/foundation/index.js'
import { createDirectoryStorage, LevelStorage } from '../../lib/storage/index.js'
import { aCommit } from './storage-builders.js'

const [task, directory] = process.argv.slice(2) as [string, string]

async function main(): Promise<void> {
  if (task === 'tryLevel') {
    const level = new Level(directory)
    await level.open()
    await level.close()
    console.log('open')
    return
  }
  if (task === 'checkpoint') return await checkpointUntilKilled()
  const storage = createDirectoryStorage(directory)
  await storage.open()
  if (task !== 'write') console.log('open')
  if (task === 'try') return await storage.close()
  if (task === 'hold') return void setInterval(() => undefined, 1000)
  for (let tid = storage.lastTid + 1; ; tid++) {
    await storage.write([aCommit(tid, [tid, tid + 1])], 'relaxed')
    console.log(tid)
  }
}

/** Transaction n writes objects n modulo 16, and that plus 16. */
async function checkpointUntilKilled(): Promise<void> {
  const level = new Level<Buffer, Buffer>(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: 65_536,
  })
  const place = {
    location: directory,
    open: async () => {
      await level.open()
      return level
    },
    close: () => level.close(),
  }
  const options = { writeBufferBytes: 65_536, checkpointBytes: 20_000 }
  const storage = new LevelStorage(place, options)
  await storage.open()
  for (let tid = storage.lastTid + 1; ; tid++) {
    const state = `${tid} `.repeat(200)
    await storage.write([aCommit(tid, [tid % 16, (tid % 16) + 16], { state })], 'relaxed')
    console.log(tid)
  }
}

main().catch((error: Error & { cause?: { code?: string } }) => {
  console.log(codeOf(error) ?? error.cause?.code ?? String(error))
})
