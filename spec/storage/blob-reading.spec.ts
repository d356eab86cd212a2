import { describe, expect, test } from '@jest/globals'
import { piecesOf, readWhole } from '../../lib/storage/blob-reading.js'
import type { BlobSource } from '../../lib/storage/index.js'

function aSource(text: string): BlobSource & { isClosed: boolean } {
  const bytes = Buffer.from(text)
  return {
    isClosed: false,
    size: bytes.length,
    read: async (position, count) => bytes.subarray(position, position + count),
    close() {
      this.isClosed = true
    },
  }
}

describe('Reading a content', () => {
  test('goes piece by piece, up to the end, which is excluded', async () => {
    const pieces: string[] = []
    for await (const piece of piecesOf(aSource('0123456789'), {
      start: 2,
      end: 9,
      pieceBytes: 3,
    })) {
      pieces.push(Buffer.from(piece).toString())
    }
    expect(pieces).toEqual(['234', '567', '8'])
  })

  test('ends where the content does', async () => {
    const pieces: unknown[] = []
    for await (const piece of piecesOf(aSource('01'), { end: 9 })) pieces.push(piece.length)
    expect(pieces).toEqual([2])
  })

  test('of all of it closes it', async () => {
    const source = aSource('hello')
    expect(Buffer.from(await readWhole(source)).toString()).toBe('hello')
    expect(source.isClosed).toBe(true)
  })
})
