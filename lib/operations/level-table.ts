/**
 * Reads LevelDB's tables as they are on the disk, block by block, each with its checksum: LevelDB
 * itself compares none when it reads.
 *
 * | part        | content                                                                    |
 * | ----------- | -------------------------------------------------------------------------- |
 * | data blocks | entries, by rising key                                                     |
 * | filter      | a Bloom filter, where there is one; named by the metaindex                 |
 * | metaindex   | entries: name → place of a block                                           |
 * | index       | entries: a key, not below any of a data block → its place                  |
 * | footer      | places of metaindex and index as varints, zeros up to byte 40, then 8 bytes |
 *
 * A block is followed by a byte (0 plain, 1 Snappy) and 4 of masked CRC-32C over both. An entry is
 * three varints (bytes shared with the key before, further bytes of the key, bytes of the value), the
 * key's and the value's bytes; behind the entries stand where some of them begin, and how many those
 * are, 4 bytes each, little endian. A stored key is the user's with 8 bytes behind it.
 *
 * @see LevelDB 1.20 `doc/table_format.md`, `table/format.cc`, `table/block_builder.cc`.
 */
import { maskedCrc32c } from '../foundation/index.js'
import { LevelBytes, UnreadableBytes } from './level-bytes.js'
import { uncompress } from './snappy.js'

const FOOTER_BYTES = 48
const MAGIC_AT = 40
const MAGIC = Buffer.from('57fb808b247547db', 'hex')
const TRAILER_BYTES = 5
/** Sequence number and type, which LevelDB puts behind each key. */
const KEY_TRAILER_BYTES = 8
/** In the lowest byte of the trailer; 1 is a value. */
const DELETION = 0

/** Some of the keys; all, where there are no bounds. */
export interface KeyRange {
  /** Included. */
  readonly from?: Buffer
  /** Excluded. */
  readonly above?: Buffer
  /** Included. */
  readonly upTo?: Buffer
}

/** A part of a table that is not what was once written. */
export interface DamagedBlock {
  readonly part: 'data block' | 'filter' | 'metaindex' | 'index' | 'footer'
  readonly offset: number
  readonly bytes: number
  /** As the end of a sentence. */
  readonly why: string
  /** The keys that cannot be trusted any more, or found. */
  readonly keys: KeyRange
}

const ALL_KEYS: KeyRange = {}

interface Place {
  readonly offset: number
  readonly bytes: number
}

/** What a table's checksums tell. */
export interface TableCheck {
  readonly blocks: number
  readonly damaged: readonly DamagedBlock[]
}

/** Compares every checksum in a table. Synchronous: 2 MB of table take a few ms. */
export function checkTable(file: Buffer): TableCheck {
  const damaged: DamagedBlock[] = []
  let blocks = 0
  const check = (place: Place, part: DamagedBlock['part'], keys: KeyRange): Buffer | undefined => {
    blocks++
    try {
      return readBlock(file, place)
    } catch (error) {
      damaged.push({ part, ...place, why: whyOf(error), keys })
      return undefined
    }
  }
  const footer = readFooter(file, damaged)
  if (footer === undefined) return { blocks, damaged }
  checkNamedBlocks(check(footer.metaindex, 'metaindex', ALL_KEYS), check)
  const index = check(footer.index, 'index', ALL_KEYS)
  if (index === undefined) return { blocks, damaged }
  let above: Buffer | undefined
  for (const { key, value } of entriesOf(index)) {
    const upTo = userKey(key)
    const keys = above === undefined ? { upTo } : { above, upTo }
    check(readPlace(new LevelBytes(value)), 'data block', keys)
    above = upTo
  }
  return { blocks, damaged }
}

/** An entry of a table: of one key the newest first. */
export interface TableEntry {
  readonly key: Buffer
  readonly value: Buffer
  readonly isDeletion: boolean
}

/** The entries of a table, by rising key, but for those in damaged blocks. */
export function* readTable(file: Buffer): Generator<TableEntry, void, undefined> {
  const damaged: DamagedBlock[] = []
  const footer = readFooter(file, damaged)
  const index = footer === undefined ? undefined : readSound(file, footer.index)
  if (index === undefined) return
  for (const { value: place } of entriesOf(index)) {
    const block = readSound(file, readPlace(new LevelBytes(place)))
    for (const { key, value } of block === undefined ? [] : entriesOf(block)) {
      const isDeletion = key[key.length - KEY_TRAILER_BYTES] === DELETION
      yield { key: userKey(key), value, isDeletion }
    }
  }
}

function readSound(file: Buffer, place: Place): Buffer | undefined {
  try {
    return readBlock(file, place)
  } catch (error) {
    if (error instanceof UnreadableBytes) return undefined
    throw error
  }
}

/** The user's key in one that LevelDB stores. */
export function userKey(key: Buffer): Buffer {
  return key.subarray(0, Math.max(0, key.length - KEY_TRAILER_BYTES))
}

function checkNamedBlocks(
  metaindex: Buffer | undefined,
  check: (place: Place, part: DamagedBlock['part'], keys: KeyRange) => void,
): void {
  if (metaindex === undefined) return
  for (const { value } of entriesOf(metaindex)) {
    check(readPlace(new LevelBytes(value)), 'filter', ALL_KEYS)
  }
}

function readFooter(
  file: Buffer,
  damaged: DamagedBlock[],
): { readonly metaindex: Place; readonly index: Place } | undefined {
  const offset = Math.max(0, file.length - FOOTER_BYTES)
  const footer = file.subarray(offset)
  try {
    if (footer.length < FOOTER_BYTES) throw new UnreadableBytes('the file is too short')
    if (!footer.subarray(MAGIC_AT).equals(MAGIC)) throw new UnreadableBytes('its last bytes differ')
    const places = new LevelBytes(footer.subarray(0, MAGIC_AT))
    const [metaindex, index] = [readPlace(places), readPlace(places)]
    if (places.bytes.subarray(places.at).some((byte) => byte !== 0)) {
      throw new UnreadableBytes('its zeros are not zeros')
    }
    // The two and the footer follow one another: so their places are right, if no CRC says so.
    const isInPlace =
      endOf(metaindex) === index.offset && endOf(index) === offset && offset > index.offset
    if (!isInPlace) throw new UnreadableBytes('it names places that cannot be')
    return { metaindex, index }
  } catch (error) {
    damaged.push({
      part: 'footer',
      offset,
      bytes: footer.length,
      why: whyOf(error),
      keys: ALL_KEYS,
    })
    return undefined
  }
}

function endOf({ offset, bytes }: Place): number {
  return offset + bytes + TRAILER_BYTES
}

function readPlace(source: LevelBytes): Place {
  return { offset: source.varint(), bytes: source.varint() }
}

/** The content of a block: of a plain one a view, of a compressed data block nothing anybody needs. */
function readBlock(file: Buffer, { offset, bytes }: Place): Buffer {
  const end = offset + bytes
  if (end + TRAILER_BYTES > file.length) throw new UnreadableBytes('it reaches beyond the file')
  if (maskedCrc32c(file, offset, end + 1) !== file.readUInt32LE(end + 1)) {
    throw new UnreadableBytes('its checksum does not match its bytes')
  }
  return file.subarray(offset, end + 1)
}

/** @param block - with the byte that tells how it is compressed. */
function* entriesOf(block: Buffer): Generator<{ readonly key: Buffer; readonly value: Buffer }> {
  const stored = block.subarray(0, -1)
  const plain = block[block.length - 1] === 0 ? stored : uncompress(stored)
  const restarts = plain.readUInt32LE(plain.length - 4)
  const source = new LevelBytes(plain.subarray(0, plain.length - 4 - restarts * 4))
  let key = Buffer.alloc(0)
  while (!source.isAtEnd) {
    const shared = source.varint()
    const further = source.varint()
    const valueBytes = source.varint()
    key = Buffer.concat([key.subarray(0, shared), source.take(further)])
    yield { key, value: source.take(valueBytes) }
  }
}

function whyOf(error: unknown): string {
  if (error instanceof UnreadableBytes) return error.message
  throw error
}
