import { describe, expect, test } from '@jest/globals'
import { assert as fcAssert, maxSafeNat, property } from 'fast-check'
import {
  asBuffer,
  fromHex64,
  readUint64,
  toHex64,
  writeUint32,
  writeUint64,
} from '../../lib/foundation/index.js'

describe('A 64-bit number in bytes', () => {
  test('is read as it was written', () => {
    fcAssert(
      property(maxSafeNat(), (value) => {
        const bytes = Buffer.alloc(10)
        writeUint64(bytes, value, 1)
        expect(readUint64(bytes, 1)).toBe(value)
        expect(bytes.readBigUInt64BE(1)).toBe(BigInt(value))
      }),
    )
  })

  test('sorts as text as it does as a number', () => {
    fcAssert(
      property(maxSafeNat(), maxSafeNat(), (one, other) => {
        expect(toHex64(one) < toHex64(other)).toBe(one < other)
        expect(toHex64(one)).toHaveLength(16)
        expect(fromHex64(toHex64(one).toUpperCase())).toBe(one)
      }),
    )
  })
})

describe('A 32-bit number in bytes', () => {
  test('stands where it was written, and nowhere else', () => {
    fcAssert(
      property(maxSafeNat(), (given) => {
        const value = given % 2 ** 32
        const bytes = Buffer.alloc(6, 7)
        writeUint32(bytes, value, 1)
        expect([bytes[0], bytes.readUInt32BE(1), bytes[5]]).toEqual([7, value, 7])
      }),
    )
  })
})

describe('asBuffer', () => {
  test('shares the memory of the bytes it is given', () => {
    const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3)
    const buffer = asBuffer(bytes)
    buffer[0] = 9
    expect([...bytes]).toEqual([9, 3])
    expect(asBuffer(buffer)).toBe(buffer)
  })
})
