/**
 * Logs as LevelDB writes them. A log is a row of blocks of 32 KiB; a block is a row of records, zeros
 * from where none fits:
 *
 * | offset | bytes | meaning                                                        |
 * | ------ | ----- | -------------------------------------------------------------- |
 * | 0      | 4     | CRC-32C over type and data, masked, little endian              |
 * | 4      | 2     | bytes of data, little endian                                   |
 * | 6      | 1     | type: 1 whole, 2 first, 3 middle, 4 last piece of a batch      |
 * | 7      | n     | data                                                           |
 *
 * The data of a batch: 8 bytes with the number of its first entry, 4 of how many entries, both little
 * endian; then each entry, a byte 1, key and value, or a byte 0 and a key, each of these behind its
 * length as a varint. Entries are numbered without a gap through all logs.
 *
 * @see LevelDB 1.20 `doc/log_format.md`, `db/log_reader.cc`, `db/write_batch.cc`.
 */
import { maskedCrc32c } from '../foundation/index.js'

const BLOCK_BYTES = 32 * 1024
const HEADER_BYTES = 7
const HIGHEST_TYPE = 4
const [WHOLE, FIRST, LAST] = [1, 2, 4]
const BATCH_HEAD_BYTES = 12
const PUT = 1

/** Whether a file of LevelDB's is a log. */
export function isLog(name: string): boolean {
  return /^\d+\.log$/.test(name)
}

/** Whether a file of LevelDB's is a table. */
export function isTable(name: string): boolean {
  return /^\d+\.(ldb|sst)$/.test(name)
}

/** A record whose checksum is right. */
interface LogRecord {
  readonly at: number
  readonly end: number
  /** Whether all before it in its block is good: LevelDB leaves out the others. */
  readonly isRead: boolean
  /** Whether nothing damaged is between it and the record before. */
  readonly isNext: boolean
}

/** From the first damaged record up to the good one that follows. */
export interface LogDamage {
  readonly at: number
  readonly end: number
}

/** A batch, or the beginning of one whose later pieces are damaged. */
export interface LogBatch {
  readonly at: number
  readonly data: Buffer
  /** Whether LevelDB applies it when it opens. */
  readonly isRead: boolean
}

/** What the checksums in a log tell, and the numbers of its entries. */
export interface LogFindings {
  /**
   * The first damage that good records follow. What nothing good follows is no damage: a write was
   * interrupted.
   */
  readonly damage: LogDamage | undefined
  /** The numbers of the entries in its whole batches, up to the first damage or gap. */
  readonly numbers: EntryNumbers | undefined
  /** Whether its whole batches are numbered without a gap. */
  readonly isGapless: boolean
}

/** The number of a first entry, and the one that comes after a last one. */
export interface EntryNumbers {
  readonly first: number
  readonly next: number
}

/** Reads a log once. */
export function examineLog(log: Buffer): LogFindings {
  const batches = new NumberedBatches(log)
  let goodUpTo = 0
  for (const record of goodRecords(log)) {
    if (!record.isNext) {
      const damage = { at: startAfter(goodUpTo), end: record.at }
      return { damage, numbers: batches.numbers, isGapless: false }
    }
    batches.add(record)
    goodUpTo = record.end
  }
  return { damage: undefined, numbers: batches.numbers, isGapless: batches.isGapless }
}

/** Follows the numbers of entries from batch to batch. */
class NumberedBatches {
  numbers: EntryNumbers | undefined
  isGapless = true
  readonly #log: Buffer
  /** Of the batch under way, as far as it was met. */
  #head: Buffer | undefined

  constructor(log: Buffer) {
    this.#log = log
  }

  add({ at, end }: LogRecord): void {
    const type = this.#log[at + 6]!
    const data = this.#log.subarray(at + HEADER_BYTES, end)
    if (type === WHOLE || type === FIRST) this.#head = data
    else if (this.#head === undefined) this.isGapless = false
    else if (this.#head.length < BATCH_HEAD_BYTES) this.#head = Buffer.concat([this.#head, data])
    if (type === WHOLE || type === LAST) this.#end()
  }

  #end(): void {
    const head = this.#head
    this.#head = undefined
    if (!this.isGapless || head === undefined || head.length < BATCH_HEAD_BYTES) {
      this.isGapless = false
      return
    }
    const first = head.readUInt32LE(0) + head.readUInt32LE(4) * 2 ** 32
    const next = first + head.readUInt32LE(8)
    if (this.numbers !== undefined && this.numbers.next !== first) this.isGapless = false
    else this.numbers = { first: this.numbers?.first ?? first, next }
  }
}

/** All batches of which the beginning is good. */
export function* batchesOf(log: Buffer): Generator<LogBatch, void, undefined> {
  let pieces: LogRecord[] = []
  for (const record of goodRecords(log)) {
    const type = log[record.at + 6]!
    const isBeginning = type === WHOLE || type === FIRST
    if (pieces.length > 0 && (isBeginning || !record.isNext)) {
      yield batchOf(log, pieces, false)
      pieces = []
    }
    if (isBeginning || pieces.length > 0) pieces.push(record)
    if (pieces.length > 0 && (type === WHOLE || type === LAST)) {
      yield batchOf(log, pieces, true)
      pieces = []
    }
  }
  if (pieces.length > 0) yield batchOf(log, pieces, false)
}

/** What a batch puts, as far as it is there: the last value may be cut short. */
export function* putsOf(
  data: Buffer,
): Generator<readonly [key: Buffer, value: Buffer], void, undefined> {
  let at = BATCH_HEAD_BYTES
  const next = (): Buffer => {
    let length = 0
    for (let shift = 0; at < data.length; shift += 7) {
      const byte = data[at++]!
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    const start = at
    at += length
    return data.subarray(start, at)
  }
  while (at < data.length) {
    const isPut = data[at++] === PUT
    const key = next()
    if (isPut) yield [key, next()]
  }
}

function* goodRecords(log: Buffer): Generator<LogRecord, void, undefined> {
  let isNext = true
  for (let block = 0; block < log.length; block += BLOCK_BYTES) {
    const blockEnd = Math.min(log.length, block + BLOCK_BYTES)
    let isRead = true
    for (let at = block; at + HEADER_BYTES <= blockEnd; ) {
      const end = at + HEADER_BYTES + log.readUInt16LE(at + 4)
      if (end <= blockEnd && isGood(log, at, end)) {
        yield { at, end, isRead, isNext }
        isNext = true
        at = end
      } else {
        // Its length cannot be trusted: the next good record may begin anywhere in this block.
        isRead = false
        isNext = false
        at++
      }
    }
  }
}

/** Where the record after one that ends at `end` begins. */
function startAfter(end: number): number {
  const left = BLOCK_BYTES - (end % BLOCK_BYTES)
  return left < HEADER_BYTES ? end + left : end
}

function batchOf(log: Buffer, pieces: readonly LogRecord[], isWhole: boolean): LogBatch {
  return {
    at: pieces[0]!.at,
    data: Buffer.concat(pieces.map(({ at, end }) => log.subarray(at + HEADER_BYTES, end))),
    isRead: isWhole && pieces.every(({ isRead }) => isRead),
  }
}

function isGood(log: Buffer, at: number, end: number): boolean {
  const type = log[at + 6]!
  if (type < 1 || type > HIGHEST_TYPE) return false
  return log.readUInt32LE(at) === maskedCrc32c(log, at + 6, end)
}
