import { createReadStream } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Digest, draftOf, draftOfFile } from '../../lib/persistence/blob-input.js'
import { readWhole } from '../../lib/storage/blob-reading.js'
import { MemoryBlobs } from '../../lib/storage/memory-blobs.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

const NEVER = new AbortController().signal

describe('The input of a blob', () => {
  test('becomes a draft with its size and checksum', async () => {
    const { draft, size, sha256 } = await draftOf(['hel', 'lo'], new MemoryBlobs(), NEVER)
    expect([size, sha256.slice(0, 8)]).toEqual([5, '2cf24dba'])
    expect(Buffer.from(await readWhole(draft.open()!)).toString()).toBe('hello')
  })

  test('may be a view of a part of its memory', async () => {
    const part = Buffer.from('0hello0').subarray(1, 6)
    const { size, sha256 } = await draftOf(part, new MemoryBlobs(), NEVER)
    expect([size, sha256.slice(0, 8)]).toEqual([5, '2cf24dba'])
  })

  test('may fail before the draft is made, and nobody else hears of it', async () => {
    const slow = {
      create: async () => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return new MemoryBlobs().create()
      },
      take: (path: string) => new MemoryBlobs().take(path),
    }
    const error = await errorOf(() => draftOf(createReadStream('/not there'), slow, NEVER))
    expect(error).toMatchObject({ code: 'ENOENT' })
  })

  test('is let go when the signal is aborted, though it gives nothing', async () => {
    const stop = new AbortController()
    let isLetGo = false
    const silent = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: async () => {
          isLetGo = true
          return { done: true as const, value: undefined }
        },
      }),
    }
    const writing = errorOf(() => draftOf(silent, new MemoryBlobs(), stop.signal))
    const reason = new Error('over')
    stop.abort(reason)
    expect(await writing).toBe(reason)
    expect(isLetGo).toBe(true)
  })

  test('is refused when it gives anything but bytes and text', async () => {
    const wrong = [Buffer.from('a'), { b: 1 }] as never
    expect(await codeThrownBy(() => draftOf(wrong, new MemoryBlobs(), NEVER))).toBe(
      'PERSISTENCE_UNSTORABLE_VALUE',
    )
  })

  test('may be a file that is taken over, if it is there', async () => {
    const error = await errorOf(() => draftOfFile('/not there', new MemoryBlobs(), NEVER))
    expect(error).toMatchObject({ code: 'ENOENT' })
  })

  test('has the size of all pieces', () => {
    const digest = new Digest()
    digest.add(Buffer.from('he'))
    digest.add(Buffer.from('llo'))
    expect(digest.end().size).toBe(5)
  })
})
