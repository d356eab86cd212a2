import { maskedCrc32c } from '../../lib/foundation/index.js'

/** A log as LevelDB writes it, of batches without a block's end among them: first number, then entries. */
export function aLogOf(...batches: readonly (readonly [first: number, entries: number])[]): Buffer {
  return aLogWith(
    ...batches.map(([first, entries]) => {
      const batch = Buffer.alloc(12)
      batch.writeUInt32LE(first % 2 ** 32, 0)
      batch.writeUInt32LE(Math.floor(first / 2 ** 32), 4)
      batch.writeUInt32LE(entries, 8)
      return [WHOLE, batch] as const
    }),
  )
}

/** A log of pieces that are good, whatever is in them. */
export function aLogWith(...pieces: readonly (readonly [type: number, data: Buffer])[]): Buffer {
  return Buffer.concat(
    pieces.map(([type, data]) => {
      const piece = Buffer.concat([Buffer.alloc(6), Buffer.from([type]), data])
      piece.writeUInt16LE(data.length, 4)
      piece.writeUInt32LE(maskedCrc32c(piece, 6, piece.length), 0)
      return piece
    }),
  )
}

export const [WHOLE, FIRST, LAST] = [1, 2, 4]

/** A manifest: the list of tables there were, then edits that name the first log, and a part more. */
export function aManifestOf(...logs: readonly number[]): Buffer {
  const order = Buffer.from('leveldb.BytewiseComparator')
  const list = Buffer.concat([Buffer.from([1, order.length]), order])
  const edits = logs.map((log) => Buffer.from([2, ...varint(log), 9, 0, 3, ...varint(log + 1)]))
  return aLogWith(...[list, ...edits].map((edit) => [WHOLE, edit] as const))
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]
}
