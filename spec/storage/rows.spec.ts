import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { NO_TID, toTid } from '../../lib/storage/index.js'
import {
  decodeCheckpointRow,
  decodeClassRow,
  decodeFormatRow,
  encodeCheckpointRow,
  encodeClassRow,
  encodeFormatRow,
  NO_POSITION,
  newFormatRow,
} from '../../lib/storage/rows.js'
import { DamagedRow, ForeignRow, seal } from '../../lib/storage/sealed-row.js'

const FORMAT = { version: 2, databaseId: '00112233-4455-6677-8899-aabbccddeeff' }
const CHECKPOINT = {
  position: { tid: toTid(7), timeMs: 6000, highestOid: 12, classes: 3 },
  redoTid: toTid(5),
  historyFrom: { tid: toTid(2), timeMs: 1000 },
  session: 17,
}
const CLASS = { classId: 3, name: 'offices.Office', fields: ['name', 'floor'] }
const ROWS: [string, Buffer, (row: Buffer) => unknown, unknown][] = [
  ['format row', encodeFormatRow(FORMAT), decodeFormatRow, FORMAT],
  ['checkpoint row', encodeCheckpointRow(CHECKPOINT), decodeCheckpointRow, CHECKPOINT],
  ['class row', encodeClassRow(CLASS), decodeClassRow, CLASS],
]

describe.each(ROWS)('A %s', (_, row, decode, content) => {
  test('is decoded to what was encoded', () => {
    expect(decode(row)).toEqual(content)
  })

  test('with any one bit flipped, or cut, is refused', () => {
    fc.assert(
      fc.property(fc.nat(row.length * 8 - 1), (bit) => {
        const damaged = Buffer.from(row)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => decode(damaged)).toThrow()
        expect(() => decode(row.subarray(0, bit >> 3))).toThrow()
      }),
    )
  })
})

test.each(ROWS.slice(1))('A %s of a newer version is foreign, not damaged', (_, row, decode) => {
  const newer = Buffer.from(row)
  newer[0]!++
  expect(() => decode(newer)).toThrow(DamagedRow)
  newer.writeUInt32BE(crc32(newer.subarray(0, -4)), newer.length - 4)
  expect(() => decode(newer)).toThrow(ForeignRow)
})

describe('The bytes on disk', () => {
  test('of a format row are what the table draws', () => {
    expect(encodeFormatRow(FORMAT).toString('hex', 0, 28)).toBe(
      `${Buffer.from('treehook').toString('hex')}0000000200112233445566778899aabbccddeeff`,
    )
  })

  test('of a checkpoint row are what the table draws', () => {
    expect(encodeCheckpointRow(CHECKPOINT).toString('hex', 0, 64)).toBe(
      '02010000' +
        '0000000000000007' +
        '40b7700000000000' +
        '0000000000000005' +
        '000000000000000d' +
        '00000003' +
        '0000000000000002' +
        '408f400000000000' +
        '0000000000000011',
    )
  })

  test('of a checkpoint row say whether history is kept, also from before the first commit', () => {
    const first = { position: NO_POSITION, redoTid: NO_POSITION.tid }
    for (const historyFrom of [undefined, { tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }]) {
      const row = { ...first, historyFrom, session: undefined }
      expect(decodeCheckpointRow(encodeCheckpointRow(row))).toEqual(row)
    }
  })

  test('of a checkpoint row of version 1 end before the session', () => {
    const row = Buffer.concat([encodeCheckpointRow(CHECKPOINT).subarray(0, 56), Buffer.alloc(4)])
    row[0] = 1
    expect(decodeCheckpointRow(seal(row))).toEqual({ ...CHECKPOINT, session: undefined })
    expect(() => decodeCheckpointRow(seal(Buffer.concat([row, row])))).toThrow(DamagedRow)
  })

  test('of two new databases differ', () => {
    expect(newFormatRow().databaseId).not.toBe(newFormatRow().databaseId)
  })
})
