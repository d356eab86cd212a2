import { describe, expect, test } from '@jest/globals'
import { UnreadableBytes } from '../../lib/operations/level-bytes.js'
import { uncompress } from '../../lib/operations/snappy.js'

function bytes(...parts: readonly (number | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part))),
  )
}

describe('Bytes that Snappy compressed', () => {
  test('hold literals as they are', () => {
    expect(uncompress(bytes(3, 2 << 2, 'abc')).toString()).toBe('abc')
  })

  test('tell the length of a long literal in bytes of its own', () => {
    const text = 'x'.repeat(300)
    const compressed = bytes(0xac, 0x02, 61 << 2, 299 & 0xff, 299 >> 8, text)
    expect(uncompress(compressed).toString()).toBe(text)
  })

  test('repeat what stands before, by one, two or four bytes of distance, also over themselves', () => {
    const short = ((8 - 4) << 2) | 1
    expect(uncompress(bytes(10, 1 << 2, 'ab', short, 2)).toString()).toBe('ababababab')
    expect(uncompress(bytes(6, 2 << 2, 'abc', (2 << 2) | 2, 3, 0)).toString()).toBe('abcabc')
    expect(uncompress(bytes(6, 2 << 2, 'abc', (2 << 2) | 3, 3, 0, 0, 0)).toString()).toBe('abcabc')
  })

  test.each([
    ['end too early', bytes(3, 2 << 2, 'ab')],
    ['are shorter than they say', bytes(9, 2 << 2, 'abc')],
    ['are longer than they say', bytes(2, 2 << 2, 'abc')],
    ['repeat what is not there', bytes(8, 0, 'a', ((7 - 4) << 2) | 1, 2)],
    ['claim to be larger than any block', bytes(0xff, 0xff, 0xff, 0xff, 0x0f)],
  ])('are refused when they %s', (_, compressed) => {
    expect(() => uncompress(compressed)).toThrow(UnreadableBytes)
  })
})
