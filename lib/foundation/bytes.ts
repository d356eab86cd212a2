/** Writes a non-negative integer below 2^53 as 8 bytes, most significant first. */
export function writeUint64(target: Buffer, value: number, offset: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  target.writeUInt32BE(high, offset)
  target.writeUInt32BE(value - high * 0x1_0000_0000, offset + 4)
}

/** Reads 8 bytes, most significant first. The result may exceed 2^53: check before use. */
export function readUint64(source: Buffer, offset: number): number {
  return source.readUInt32BE(offset) * 0x1_0000_0000 + source.readUInt32BE(offset + 4)
}

/** 16 lower-case hex digits, so that text order is number order. */
export function toHex64(value: number): string {
  return value.toString(16).padStart(16, '0')
}

/** The Buffer over the same memory as `bytes`; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
