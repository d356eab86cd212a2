/**
 * Writes a non-negative integer below 2^53 as 8 bytes, most significant first. Byte by byte: Buffer's own
 * methods take eight times as long, most of it for checks. The caller has made room.
 */
export function writeUint64(target: Uint8Array, value: number, offset: number): void {
  writeUint32(target, (value / 0x1_0000_0000) >>> 0, offset)
  writeUint32(target, value >>> 0, offset + 4)
}

/** Writes a non-negative integer below 2^32 as 4 bytes, likewise. */
export function writeUint32(target: Uint8Array, value: number, offset: number): void {
  target[offset] = value >>> 24
  target[offset + 1] = value >>> 16
  target[offset + 2] = value >>> 8
  target[offset + 3] = value
}

/** Reads 8 bytes, most significant first. The result may exceed 2^53: check before use. */
export function readUint64(source: Buffer, offset: number): number {
  const high = source.readUInt32BE(offset)
  const low = source.readUInt32BE(offset + 4)
  // Not through a product: V8 keeps the sum of one as a double, 16 bytes more wherever it is stored.
  return high === 0 ? low : high * 0x1_0000_0000 + low
}

/** 16 lower-case hex digits, so that text order is number order. */
export function toHex64(value: number): string {
  return value.toString(16).padStart(16, '0')
}

/** The number that {@link toHex64} wrote, in capitals or not; NaN for other text. */
export function fromHex64(text: string): number {
  return /^[0-9a-f]{16}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN
}

/** The Buffer over the same memory as `bytes`; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
