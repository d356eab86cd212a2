import { describe, expect, test } from '@jest/globals'
import {
  assertRow,
  assertSealed,
  CRC_BYTES,
  DamagedRow,
  ForeignRow,
  seal,
} from '../../lib/storage/sealed-row.js'

describe('A sealed row', () => {
  test('ends in the checksum of the rest', () => {
    const row = seal(Buffer.from([1, 2, 3, ...Buffer.alloc(CRC_BYTES)]))
    expect(row.toString('hex')).toBe('01020355bc801d')
    expect(() => assertSealed(row)).not.toThrow()
  })

  test('of which any byte changed is damaged', () => {
    const row = seal(Buffer.from([1, 2, 3, ...Buffer.alloc(CRC_BYTES)]))
    for (let at = 0; at < row.length; at++) {
      const damaged = Buffer.from(row)
      damaged[at]! ^= 4
      expect(() => assertSealed(damaged)).toThrow(DamagedRow)
    }
  })

  test('of no more than a checksum is damaged', () => {
    expect(() => assertSealed(Buffer.alloc(CRC_BYTES))).toThrow(DamagedRow)
    expect(() => assertSealed(Buffer.alloc(0))).toThrow(DamagedRow)
  })

  test('of another version is foreign', () => {
    expect(() => assertRow(seal(Buffer.from([2, 0, 0, 0, 0])))).toThrow(ForeignRow)
    expect(() => assertRow(seal(Buffer.from([1, 0, 0, 0, 0])))).not.toThrow()
  })
})
