/**
 * The values of all rows but object records. All numbers are big endian, every row ends in a CRC-32
 * (zlib) over everything before it, and every row but the format row begins with its version.
 *
 * Format row, written once:
 *
 * | offset | bytes | meaning                                        | since |
 * | ------ | ----- | ---------------------------------------------- | ----- |
 * | 0      | 8     | `treehook`, in ASCII                           | 1     |
 * | 8      | 4     | format version of the whole database           | 1     |
 * | 12     | 16    | database id, random                            | 1     |
 * | 28     | 4     | CRC-32                                         | 1     |
 *
 * Last row, replaced by each batch:
 *
 * | offset | bytes | meaning                                        | since |
 * | ------ | ----- | ---------------------------------------------- | ----- |
 * | 0      | 4     | row version, 1, then three zeros               | 1     |
 * | 4      | 8     | tid of the newest commit                       | 1     |
 * | 12     | 8     | commits so far                                 | 1     |
 * | 20     | 8     | highest oid + 1                                | 1     |
 * | 28     | 4     | class rows so far                              | 1     |
 * | 32     | 4     | write buffer of the writing session, in bytes  | 1     |
 * | 36     | 4     | CRC-32                                         | 1     |
 *
 * Class rows:
 *
 * | offset | bytes | meaning                                        | since |
 * | ------ | ----- | ---------------------------------------------- | ----- |
 * | 0      | 1     | row version, 1                                 | 1     |
 * | 1      | n     | msgpack of `[class id, name, fields]`          | 1     |
 * | 1 + n  | 4     | CRC-32                                         | 1     |
 *
 * Transaction rows, one for each commit:
 *
 * | offset     | bytes | meaning                                               | since |
 * | ---------- | ----- | ----------------------------------------------------- | ----- |
 * | 0          | 4     | row version, 1, then three zeros                      | 1     |
 * | 4          | 8     | tid                                                   | 1     |
 * | 12         | 8     | time in ms since the epoch, IEEE 754 double           | 1     |
 * | 20         | 4     | records written                                       | 1     |
 * | 24         | 8     | bytes of the keys and values of records and class rows | 1    |
 * | 32         | 4     | n                                                     | 1     |
 * | 36         | n     | oids written (oid-list.ts)                            | 1     |
 * | 36 + n     | m     | msgpack of `[user, description, extension]`; nothing when all are empty | 1 |
 * | 36 + n + m | 4     | CRC-32                                                | 1     |
 */
import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'
import { readUint64, writeUint64 } from '../foundation/index.js'
import type { ClassRow, TransactionRow } from './interfaces.js'
import { decodeOids, maxOidListBytes, writeOids } from './oid-list.js'
import { NO_TID, type Tid, toTid } from './tid.js'

/** On disk: the version of the database as a whole, in its format row. */
export const FORMAT_VERSION = 1

/** On disk. */
const MAGIC = Buffer.from('treehook', 'ascii')
/** On disk: of last rows, class rows and transaction rows. */
const ROW_VERSION = 1
const FORMAT_ROW_BYTES = 32
const LAST_ROW_BYTES = 40
const TRANSACTION_HEAD_BYTES = 36
const CRC_BYTES = 4

/** The bytes of a row are not those once written. For the caller to name row and way out. */
export class DamagedRow extends Error {
  override readonly name = 'DamagedRow'
}

/** A newer treehook wrote the row, or it was never treehook's. For the caller to explain. */
export class ForeignRow extends Error {
  override readonly name = 'ForeignRow'
}

/** What a database says of itself. */
export interface FormatRow {
  readonly version: number
  /** A UUID. */
  readonly databaseId: string
}

/** Where a database has come to. */
export interface LastRow {
  readonly tid: Tid
  readonly commits: number
  /** -1 while there is none. */
  readonly highestOid: number
  readonly classes: number
  /** Of the session that wrote the row: bounds what LevelDB's logs can have lost. */
  readonly writeBufferBytes: number
}

/** A transaction row with what is kept for checks. */
export interface CheckedTransactionRow {
  readonly row: TransactionRow
  readonly records: number
  /** Keys and values of the commit's records and class rows. */
  readonly bytes: number
}

/** The last row of a database without commits. */
export function firstLastRow(writeBufferBytes: number): LastRow {
  return { tid: NO_TID, commits: 0, highestOid: -1, classes: 0, writeBufferBytes }
}

/** The format row of a new database. */
export function newFormatRow(): FormatRow {
  return { version: FORMAT_VERSION, databaseId: randomUUID() }
}

export function encodeFormatRow({ version, databaseId }: FormatRow): Buffer {
  const row = Buffer.alloc(FORMAT_ROW_BYTES)
  MAGIC.copy(row)
  row.writeUInt32BE(version, 8)
  row.write(databaseId.replaceAll('-', ''), 12, 'hex')
  return seal(row)
}

/** @throws DamagedRow, ForeignRow */
export function decodeFormatRow(row: Buffer): FormatRow {
  if (!row.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ForeignRow('it was not written by treehook')
  assertSealed(row)
  const version = row.readUInt32BE(8)
  if (version !== FORMAT_VERSION) {
    throw new ForeignRow(`it has format version ${version}, this treehook reads ${FORMAT_VERSION}`)
  }
  const hex = row.toString('hex', 12, 28)
  const databaseId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return { version, databaseId }
}

export function encodeLastRow(last: LastRow): Buffer {
  const row = Buffer.alloc(LAST_ROW_BYTES)
  row[0] = ROW_VERSION
  writeUint64(row, last.tid, 4)
  writeUint64(row, last.commits, 12)
  writeUint64(row, last.highestOid + 1, 20)
  row.writeUInt32BE(last.classes, 28)
  row.writeUInt32BE(last.writeBufferBytes, 32)
  return seal(row)
}

/** @throws DamagedRow, ForeignRow */
export function decodeLastRow(row: Buffer): LastRow {
  assertSealed(row)
  assertVersion(row)
  if (row.length !== LAST_ROW_BYTES) throw new DamagedRow('it has the wrong size')
  return {
    tid: readUint64(row, 4) as Tid,
    commits: readUint64(row, 12),
    highestOid: readUint64(row, 20) - 1,
    classes: row.readUInt32BE(28),
    writeBufferBytes: row.readUInt32BE(32),
  }
}

export function encodeClassRow({ classId, name, fields }: ClassRow): Buffer {
  return packRow([classId, name, fields])
}

/** @throws DamagedRow, ForeignRow */
export function decodeClassRow(row: Buffer): ClassRow {
  const [classId, name, fields] = unpackRow(row) as [number, string, string[]]
  return { classId, name, fields }
}

export function encodeTransactionRow({ row, records, bytes }: CheckedTransactionRow): Buffer {
  const texts = packTexts(row)
  const space = Buffer.allocUnsafe(
    TRANSACTION_HEAD_BYTES + maxOidListBytes(row.oids.length) + texts.length + CRC_BYTES,
  )
  space.writeUInt32BE(ROW_VERSION << 24, 0)
  writeUint64(space, row.tid, 4)
  space.writeDoubleBE(row.timeMs, 12)
  space.writeUInt32BE(records, 20)
  writeUint64(space, bytes, 24)
  const end = writeOids(space, TRANSACTION_HEAD_BYTES, row.oids)
  space.writeUInt32BE(end - TRANSACTION_HEAD_BYTES, 32)
  space.set(texts, end)
  return seal(space.subarray(0, end + texts.length + CRC_BYTES))
}

/** @throws {@link DamagedRow}, {@link ForeignRow} */
export function decodeTransactionRow(row: Buffer): CheckedTransactionRow {
  assertSealed(row)
  assertVersion(row)
  const oidsEnd = TRANSACTION_HEAD_BYTES + row.readUInt32BE(32)
  const textsEnd = row.length - CRC_BYTES
  if (oidsEnd > textsEnd) throw new DamagedRow('it has the wrong size')
  const [user, description, extension] =
    oidsEnd === textsEnd ? NO_TEXTS : (packr.unpack(row.subarray(oidsEnd, textsEnd)) as Texts)
  return {
    row: {
      tid: toTid(readUint64(row, 4)),
      timeMs: row.readDoubleBE(12),
      user,
      description,
      extension,
      oids: decodeOids(row.subarray(TRANSACTION_HEAD_BYTES, oidsEnd)),
    },
    records: row.readUInt32BE(20),
    bytes: readUint64(row, 24),
  }
}

type Texts = readonly [user: string, description: string, extension: Record<string, unknown>]

const NO_TEXTS: Texts = ['', '', {}]
const NO_BYTES = Buffer.alloc(0)

function packTexts({ user, description, extension }: TransactionRow): Buffer {
  if (user === '' && description === '' && isEmpty(extension)) return NO_BYTES
  return packr.pack([user, description, extension])
}

function isEmpty(extension: Readonly<Record<string, unknown>>): boolean {
  for (const _name in extension) return false
  return true
}

// Plain maps instead of msgpackr's record extension: any msgpack reader can read these rows.
// Buffers are copied out, since a row's bytes may be a view of LevelDB's or memory-level's.
const packr = new Packr({ useRecords: false, copyBuffers: true })

function packRow(content: unknown): Buffer {
  const packed = packr.pack(content)
  const row = Buffer.allocUnsafe(1 + packed.length + CRC_BYTES)
  row[0] = ROW_VERSION
  row.set(packed, 1)
  return seal(row)
}

function unpackRow(row: Buffer): unknown {
  assertSealed(row)
  assertVersion(row)
  return packr.unpack(row.subarray(1, row.length - CRC_BYTES))
}

function seal(row: Buffer): Buffer {
  const end = row.length - CRC_BYTES
  row.writeUInt32BE(crc32(row.subarray(0, end)), end)
  return row
}

function assertSealed(row: Buffer): void {
  const end = row.length - CRC_BYTES
  if (end < 1 || crc32(row.subarray(0, end)) !== row.readUInt32BE(end)) {
    throw new DamagedRow('its checksum does not match its bytes')
  }
}

function assertVersion(row: Buffer): void {
  if (row[0] !== ROW_VERSION) {
    throw new ForeignRow(`it has row version ${row[0]}, this treehook reads ${ROW_VERSION}`)
  }
}
