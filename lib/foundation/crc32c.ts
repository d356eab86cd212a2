/**
 * CRC-32C (Castagnoli), with which LevelDB seals its blocks; zlib has only the other polynomial.
 * Eight bytes in a step, each through a table of its own: about twice as fast as one by one.
 *
 * @see RFC 3720, appendix B.4; M. Kounavis, F. Berry: A Systematic Approach to Building High
 * Performance Software-Based CRC Generators, 2005.
 */

/** The CRC of a part of `bytes`: `start` included, `end` excluded. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (const last = end - 8; at <= last; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    crc =
      (T7[crc & 0xff] as number) ^
      (T6[(crc >>> 8) & 0xff] as number) ^
      (T5[(crc >>> 16) & 0xff] as number) ^
      (T4[crc >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number)
  }
  for (; at < end; at++) {
    crc = (T0[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}

/** As LevelDB stores a CRC, since what it seals may hold CRCs itself. */
export function maskedCrc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  const crc = crc32c(bytes, start, end)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

const T0 = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1
  return crc
})
const T1 = oneByteLater(T0)
const T2 = oneByteLater(T1)
const T3 = oneByteLater(T2)
const T4 = oneByteLater(T3)
const T5 = oneByteLater(T4)
const T6 = oneByteLater(T5)
const T7 = oneByteLater(T6)

/** The table for bytes that one more byte follows. */
function oneByteLater(table: Int32Array): Int32Array {
  return table.map((crc) => (T0[crc & 0xff] as number) ^ (crc >>> 8))
}
