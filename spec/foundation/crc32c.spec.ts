import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc32c, maskedCrc32c } from '../../lib/foundation/index.js'

/** One bit in a step, as RFC 3720 has it. */
function byHand(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  }
  return (crc ^ 0xffff_ffff) >>> 0
}

describe('CRC-32C', () => {
  // RFC 3720, appendix B.4; the first is the check value of the polynomial.
  test.each([
    ['123456789', Buffer.from('123456789'), 0xe306_9283],
    ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8_ab43],
    ['32 rising bytes', Buffer.from(Array.from({ length: 32 }, (_, at) => at)), 0x46dd_794e],
    ['nothing', Buffer.alloc(0), 0],
  ])('of %s is the published one', (_, bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc)
  })

  test('of any part of any bytes is what one bit in a step gives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), fc.nat(80), (bytes, one, other) => {
        const [start, end] = [
          Math.min(one, other, bytes.length),
          Math.min(Math.max(one, other), bytes.length),
        ]
        expect(crc32c(bytes, start, end)).toBe(byHand(bytes.subarray(start, end)))
      }),
    )
  })

  test('is masked as LevelDB does it', () => {
    // LevelDB 1.20 `util/crc32c_test.cc`: a mask changes a CRC, and the CRC of "foo" is masked to this.
    const crc = crc32c(Buffer.from('foo'))
    expect(maskedCrc32c(Buffer.from('foo'))).toBe(
      (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0,
    )
    expect(maskedCrc32c(Buffer.from('foo'))).not.toBe(crc)
  })
})
