/**
 * Reads LevelDB's logs and manifests. Either is a row of blocks of 32 KiB; a block is a row of
 * pieces, zeros from where none fits; pieces make entries:
 *
 * | offset | bytes | meaning                                                        |
 * | ------ | ----- | -------------------------------------------------------------- |
 * | 0      | 4     | CRC-32C over type and data, masked, little endian              |
 * | 4      | 2     | bytes of data, little endian                                   |
 * | 6      | 1     | type: 1 whole, 2 first, 3 middle, 4 last piece of an entry     |
 * | 7      | n     | data                                                           |
 *
 * @see LevelDB 1.20 `doc/log_format.md`, `db/log_reader.cc`.
 */
import { maskedCrc32c } from '../foundation/index.js'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const WHOLE = 1
const FIRST = 2
const LAST = 4

/** What the checksums of a log tell. */
export interface LogCheck {
  /** The data of the entries that are whole, up to the first damage. */
  readonly entries: readonly Buffer[]
  /** Where damaged pieces begin, one for each block. */
  readonly damagedAt: readonly number[]
  /** Where the file ends in the middle of an entry: its writer was interrupted, or is at it. */
  readonly cutAt: number | undefined
}

/** Compares every checksum in a log or manifest. */
export function checkLog(file: Buffer): LogCheck {
  const reader = new LogReader(file)
  for (let block = 0; block < file.length; block += BLOCK_BYTES) reader.readBlock(block)
  return reader.result()
}

class LogReader {
  readonly #file: Buffer
  readonly #entries: Buffer[] = []
  readonly #damagedAt: number[] = []
  #pieces: Buffer[] = []
  #entryAt: number | undefined // where the entry under way begins
  #cutAt: number | undefined

  constructor(file: Buffer) {
    this.#file = file
  }

  readBlock(start: number): void {
    const file = this.#file
    const end = Math.min(file.length, start + BLOCK_BYTES)
    let at = start
    while (at + HEADER_BYTES <= end) {
      const dataEnd = at + HEADER_BYTES + file.readUInt16LE(at + 4)
      const type = file[at + 6] as number
      if (dataEnd > end && end === file.length && dataEnd <= start + BLOCK_BYTES) {
        this.#cutAt = this.#entryAt ?? at
        return
      }
      const isGood =
        dataEnd <= end &&
        type >= WHOLE &&
        type <= LAST &&
        maskedCrc32c(file, at + 6, dataEnd) === file.readUInt32LE(at)
      // Its length cannot be trusted either: go on with the next block.
      if (!isGood || !this.#add(type, at, file.subarray(at + HEADER_BYTES, dataEnd))) {
        this.#damagedAt.push(at)
        this.#entryAt = undefined
        return
      }
      at = dataEnd
    }
    if (end === file.length && end < start + BLOCK_BYTES && at < end) {
      this.#cutAt = this.#entryAt ?? at
    } else if (file.subarray(at, end).some((byte) => byte !== 0)) this.#damagedAt.push(at)
  }

  result(): LogCheck {
    return {
      entries: this.#entries,
      damagedAt: this.#damagedAt,
      cutAt: this.#cutAt ?? this.#entryAt,
    }
  }

  /** @returns whether a piece of this type can stand here. Behind damage, any can. */
  #add(type: number, at: number, data: Buffer): boolean {
    const begins = type === WHOLE || type === FIRST
    const isAfterDamage = this.#damagedAt.length > 0
    if (begins === (this.#entryAt !== undefined) && !isAfterDamage) return false
    if (begins) this.#pieces = []
    this.#pieces.push(data)
    this.#entryAt = type === WHOLE || type === LAST ? undefined : (this.#entryAt ?? at)
    if (this.#entryAt === undefined && !isAfterDamage) this.#entries.push(joined(this.#pieces))
    return true
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
}
