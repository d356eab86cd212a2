import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { toOid, toTid } from '../../lib/storage/index.js'
import {
  DamagedRow,
  decodeClassRow,
  decodeFormatRow,
  decodeLastRow,
  decodeTransactionRow,
  encodeClassRow,
  encodeFormatRow,
  encodeLastRow,
  encodeTransactionRow,
  ForeignRow,
  newFormatRow,
} from '../../lib/storage/rows.js'

const FORMAT = { version: 1, databaseId: '00112233-4455-6677-8899-aabbccddeeff' }
const LAST = { tid: toTid(7), commits: 7, highestOid: 12, classes: 3, writeBufferBytes: 4_194_304 }
const CLASS = { classId: 3, name: 'offices.Office', fields: ['name', 'floor'] }
const TRANSACTION = {
  row: {
    tid: toTid(7),
    timeMs: 1_700_000_000_000,
    user: 'anna',
    description: 'hires',
    extension: { path: ['a', 1, true, null], nested: { key: Buffer.from([1]) } },
    oids: [toOid(1), toOid(12)],
  },
  records: 2,
  bytes: 400,
}

const ROWS: [string, Buffer, (row: Buffer) => unknown, unknown][] = [
  ['format row', encodeFormatRow(FORMAT), decodeFormatRow, FORMAT],
  ['last row', encodeLastRow(LAST), decodeLastRow, LAST],
  ['class row', encodeClassRow(CLASS), decodeClassRow, CLASS],
  ['transaction row', encodeTransactionRow(TRANSACTION), decodeTransactionRow, TRANSACTION],
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
  newer[0] = 2
  expect(() => decode(newer)).toThrow(DamagedRow)
  newer.writeUInt32BE(crc32(newer.subarray(0, -4)), newer.length - 4)
  expect(() => decode(newer)).toThrow(ForeignRow)
})

describe('The bytes on disk', () => {
  test('of a format row are what the table draws', () => {
    expect(encodeFormatRow(FORMAT).toString('hex', 0, 28)).toBe(
      `${Buffer.from('treehook').toString('hex')}0000000100112233445566778899aabbccddeeff`,
    )
  })

  test('of a last row are what the table draws', () => {
    expect(encodeLastRow(LAST).toString('hex', 0, 36)).toBe(
      '010000000000000000000007' +
        '0000000000000007' +
        '000000000000000d' +
        '00000003' +
        '00400000',
    )
  })

  test('of two new databases differ', () => {
    expect(newFormatRow().databaseId).not.toBe(newFormatRow().databaseId)
  })
})
