/** LevelDB's numbers and texts, and Snappy's, as they follow one another in a run of bytes. */

/** The bytes are not what LevelDB writes. For the caller to say where. */
export class UnreadableBytes extends Error {
  override readonly name = 'UnreadableBytes'
}

/** Reads one after another. Every method throws {@link UnreadableBytes} where the bytes end. */
export class LevelBytes {
  readonly bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.bytes = bytes
    this.at = at
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new UnreadableBytes('they end too early')
    return byte
  }

  /** Low 7 bits first, the high bit set while more follow. Below 2^53. */
  varint(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    throw new UnreadableBytes('a number in them is too large')
  }

  /** A view of the next bytes. */
  take(length: number): Buffer {
    const end = this.at + length
    if (end > this.bytes.length) throw new UnreadableBytes('they end too early')
    const part = this.bytes.subarray(this.at, end)
    this.at = end
    return part
  }

  /** Bytes behind their length. */
  prefixed(): Buffer {
    return this.take(this.varint())
  }
}
