import { describe, expect, test } from '@jest/globals'
import { formatTid, toTid } from '../../lib/storage/index.js'

describe('A tid', () => {
  test('is a whole number from 0 to 2^53 - 1', () => {
    expect(toTid(0)).toBe(0)
    expect(toTid(2 ** 53 - 1)).toBe(2 ** 53 - 1)
    for (const value of [-1, 0.5, 2 ** 53, Number.NaN])
      expect(() => toTid(value)).toThrow(RangeError)
  })

  test('is read as it is printed', () => {
    for (const value of [0, 255, 2 ** 53 - 1]) expect(toTid(formatTid(toTid(value)))).toBe(value)
    for (const text of ['', 'ff', '0x000000000000ff', '0020000000000000', ' 0000000000000ff'])
      expect(() => toTid(text)).toThrow(RangeError)
  })

  test('is printed as 16 hex digits, in the order of numbers', () => {
    expect(formatTid(toTid(255))).toBe('00000000000000ff')
    expect(formatTid(toTid(2 ** 53 - 1))).toBe('001fffffffffffff')
  })
})
