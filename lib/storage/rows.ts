/**
 * The values of the rows that describe the database: format, checkpoint and class rows. All numbers
 * are big endian, every row ends in a CRC-32 (zlib) over everything before it, and every row but the
 * format row begins with its version.
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
 * Checkpoint row, replaced by each checkpoint:
 *
 * | offset | bytes | meaning                                        | since |
 * | ------ | ----- | ---------------------------------------------- | ----- |
 * | 0      | 1     | row version, 2                                 | 1     |
 * | 1      | 1     | flags: 1 where history is kept                 | 1     |
 * | 2      | 2     | zeros                                          | 1     |
 * | 4      | 8     | checkpoint tid: records up to here are in object rows | 1 |
 * | 12     | 8     | time of that commit, as in commit rows         | 1     |
 * | 20     | 8     | redo tid: commit rows up to here may be gone   | 1     |
 * | 28     | 8     | highest oid + 1, as of the checkpoint tid      | 1     |
 * | 36     | 4     | class rows, as of the checkpoint tid           | 1     |
 * | 40     | 8     | oldest tid the database can be read at; 0 without history | 1 |
 * | 48     | 8     | time of that commit; 0 without history         | 1     |
 * | 56     | 8     | session of LevelDB that wrote the object rows; 0 where that is not known | 2 |
 * | 64     | 4     | CRC-32                                         | 1     |
 *
 * Class rows:
 *
 * | offset | bytes | meaning                                        | since |
 * | ------ | ----- | ---------------------------------------------- | ----- |
 * | 0      | 1     | row version, 1                                 | 1     |
 * | 1      | n     | msgpack of `[class id, name, fields]`          | 1     |
 * | 1 + n  | 4     | CRC-32                                         | 1     |
 */
import { randomUUID } from 'node:crypto'
import { Packr } from 'msgpackr'
import { readUint64, writeUint64 } from '../foundation/index.js'
import type { ClassRow } from './interfaces.js'
import {
  assertRow,
  assertSealed,
  CRC_BYTES,
  DamagedRow,
  ForeignRow,
  ROW_VERSION,
  seal,
} from './sealed-row.js'
import { NO_TID, type Tid, toTid } from './tid.js'

/** On disk: the version of the database as a whole, in its format row. */
export const FORMAT_VERSION = 2

/** On disk. */
const MAGIC = Buffer.from('treehook', 'ascii')
const FORMAT_ROW_BYTES = 32
/** On disk. */
const CHECKPOINT_ROW_VERSION = 2
const CHECKPOINT_ROW_BYTES = 68
/** Of version 1, which names no session. */
const CHECKPOINT_ROW_1_BYTES = 60
const HISTORY_KEPT = 1

/** What a database says of itself. */
export interface FormatRow {
  readonly version: number
  /** A UUID. */
  readonly databaseId: string
}

/** Where a database is after a commit. */
export interface Position {
  readonly tid: Tid
  /** Wall time of the commit; minus infinity before the first. */
  readonly timeMs: number
  /** -1 while there is none. */
  readonly highestOid: number
  /** How many class rows there are. */
  readonly classes: number
}

/** Before the first commit. */
export const NO_POSITION: Position = {
  tid: NO_TID,
  timeMs: Number.NEGATIVE_INFINITY,
  highestOid: -1,
  classes: 0,
}

/** A commit, and when it was. */
export interface CommitTime {
  readonly tid: Tid
  readonly timeMs: number
}

/** What of the redo log has arrived in object rows. */
export interface CheckpointRow {
  /** After the newest commit whose records are in object rows. */
  readonly position: Position
  /** Rows of commits up to this one may be gone. */
  readonly redoTid: Tid
  /** The oldest commit that the database can be read at, when history is kept. */
  readonly historyFrom: CommitTime | undefined
  /**
   * The session of LevelDB before whose end all those object rows were written, or were in tables.
   * Unknown where LevelDB has no sessions.
   */
  readonly session: number | undefined
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

export function encodeCheckpointRow(checkpoint: CheckpointRow): Buffer {
  const { position, redoTid, historyFrom, session } = checkpoint
  const row = Buffer.alloc(CHECKPOINT_ROW_BYTES)
  row[0] = CHECKPOINT_ROW_VERSION
  row[1] = historyFrom === undefined ? 0 : HISTORY_KEPT
  writeUint64(row, position.tid, 4)
  row.writeDoubleBE(position.timeMs, 12)
  writeUint64(row, redoTid, 20)
  writeUint64(row, position.highestOid + 1, 28)
  row.writeUInt32BE(position.classes, 36)
  writeUint64(row, historyFrom?.tid ?? 0, 40)
  row.writeDoubleBE(historyFrom?.timeMs ?? 0, 48)
  writeUint64(row, session ?? NO_SESSION, 56)
  return seal(row)
}

/** @throws DamagedRow, ForeignRow */
export function decodeCheckpointRow(row: Buffer): CheckpointRow {
  const session = sessionIn(row)
  const historyFrom = { tid: toTid(readUint64(row, 40)), timeMs: row.readDoubleBE(48) }
  return {
    position: {
      tid: toTid(readUint64(row, 4)),
      timeMs: row.readDoubleBE(12),
      highestOid: readUint64(row, 28) - 1,
      classes: row.readUInt32BE(36),
    },
    redoTid: toTid(readUint64(row, 20)),
    historyFrom: row[1] === HISTORY_KEPT ? historyFrom : undefined,
    session: session === NO_SESSION ? undefined : session,
  }
}

/** No session of LevelDB has this number. */
const NO_SESSION = 0

/** Once size and version are those of a checkpoint row. @throws DamagedRow, ForeignRow */
function sessionIn(row: Buffer): number {
  const isFirst = row[0] === ROW_VERSION
  assertRow(row, isFirst ? ROW_VERSION : CHECKPOINT_ROW_VERSION)
  if (row.length !== (isFirst ? CHECKPOINT_ROW_1_BYTES : CHECKPOINT_ROW_BYTES)) {
    throw new DamagedRow('it has the wrong size')
  }
  return isFirst ? NO_SESSION : readUint64(row, 56)
}

export function encodeClassRow({ classId, name, fields }: ClassRow): Buffer {
  const packed = packr.pack([classId, name, fields])
  const row = Buffer.allocUnsafe(1 + packed.length + CRC_BYTES)
  row[0] = ROW_VERSION
  row.set(packed, 1)
  return seal(row)
}

/** @throws DamagedRow, ForeignRow */
export function decodeClassRow(row: Buffer): ClassRow {
  assertRow(row)
  const content = packr.unpack(row.subarray(1, row.length - CRC_BYTES))
  const [classId, name, fields] = content as [number, string, string[]]
  return { classId, name, fields }
}

// Plain maps instead of msgpackr's record extension: any msgpack reader can read these rows.
const packr = new Packr({ useRecords: false })
