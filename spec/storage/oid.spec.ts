import { describe, expect, test } from '@jest/globals'
import { formatOid, toOid } from '../../lib/storage/index.js'

describe('An oid', () => {
  test('is a whole number from 0 to 2^53 - 1', () => {
    expect(toOid(0)).toBe(0)
    expect(toOid(2 ** 53 - 1)).toBe(2 ** 53 - 1)
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN])
      expect(() => toOid(value)).toThrow(RangeError)
  })

  test('is read as it is printed', () => {
    for (const value of [0, 255, 2 ** 53 - 1]) expect(toOid(formatOid(toOid(value)))).toBe(value)
    for (const text of ['', 'ff', '0x000000000000ff', '0020000000000000', ' 0000000000000ff'])
      expect(() => toOid(text)).toThrow(RangeError)
  })

  test('is printed as 16 hex digits, in the order of numbers', () => {
    expect(formatOid(toOid(255))).toBe('00000000000000ff')
    expect(formatOid(toOid(2 ** 53 - 1))).toBe('001fffffffffffff')
  })
})
