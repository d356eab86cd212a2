/**
 * The bytes of one stored revision, in object rows and in the rows of preserved revisions. All numbers
 * are big endian.
 *
 * | offset   | bytes | meaning                                                  | since |
 * | -------- | ----- | -------------------------------------------------------- | ----- |
 * | 0        | 1     | record format version, 1                                 | 1     |
 * | 1        | 1     | flags: 1 with a link; others need a newer reader         | 1     |
 * | 2        | 8     | oid                                                      | 1     |
 * | 10       | 8     | tid, the commit that wrote this revision                 | 1     |
 * | 18       | 4     | class id; 0 where the commit removed the object          | 1     |
 * | 22       | 24    | link, where flag 1 is set; nothing otherwise             | 1     |
 * | 22 or 46 | n     | state, as the layer above encoded it                     | 1     |
 * | … + n    | 4     | CRC-32 (zlib) over everything before it                  | 1     |
 *
 * A link:
 *
 * | offset   | bytes | meaning                                                  | since |
 * | -------- | ----- | -------------------------------------------------------- | ----- |
 * | 0        | 8     | tid of the revision before, 0 for none                   | 1     |
 * | 8        | 8     | how many revisions came before                           | 1     |
 * | 16       | 8     | tid of the last one before whose number is a multiple of 16, 0 for none | 1 |
 *
 * The version stays the first byte and the CRC the last four in every version to come, so that
 * damage and novelty can be told apart.
 */
import { crc32 } from 'node:zlib'
import { readUint64, writeUint64 } from '../foundation/index.js'
import { CorruptRecordError, UnknownFormatError } from './errors.js'
import type { RevisionLink, StorageRecord } from './interfaces.js'
import { formatOid, type Oid } from './oid.js'
import type { Tid } from './tid.js'

/** On disk. */
export const RECORD_VERSION = 1
const FLAGS_AT = 1
const OID_AT = 2
const TID_AT = 10
const CLASS_ID_AT = 18
const LINK_AT = 22
const LINKED = 1
const CRC_BYTES = 4

/** Bytes of a link. */
export const LINK_BYTES = 24

/** Whether it says that the object is no more. */
export function isRemoval(record: StorageRecord): boolean {
  return record.classId === 0
}

/** How many bytes {@link encodeRecord} writes. */
export function recordBytes({ state, link }: StorageRecord): number {
  return stateAt(link !== undefined) + state.length + CRC_BYTES
}

/**
 * Writes a record over the whole of `target`, which has exactly {@link recordBytes}: many records can
 * share one allocation.
 */
export function encodeRecord(
  target: Buffer,
  { oid, tid, classId, state, link }: StorageRecord,
): void {
  target[0] = RECORD_VERSION
  target[FLAGS_AT] = link === undefined ? 0 : LINKED
  writeUint64(target, oid, OID_AT)
  writeUint64(target, tid, TID_AT)
  target.writeUInt32BE(classId, CLASS_ID_AT)
  if (link !== undefined) writeLink(target, link, LINK_AT)
  target.set(state, stateAt(link !== undefined))
  const end = target.length - CRC_BYTES
  target.writeUInt32BE(crc32(target.subarray(0, end)), end)
}

/**
 * Reads the record of `oid`. The state is a view of `bytes`, not a copy.
 * @throws STORAGE_CORRUPT_RECORD when the bytes are not those once written for this oid.
 * @throws STORAGE_UNKNOWN_FORMAT when a newer treehook wrote them.
 */
export function decodeRecord(bytes: Buffer, oid: Oid): StorageRecord {
  const end = bytes.length - CRC_BYTES
  if (end < LINK_AT) throw corrupt(oid, `it has ${bytes.length} bytes, too few for any record`)
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) {
    throw corrupt(oid, 'its checksum does not match its bytes')
  }
  const isLinked = bytes[FLAGS_AT] === LINKED
  if (bytes[0] !== RECORD_VERSION || !(isLinked || bytes[FLAGS_AT] === 0)) {
    throw unknownFormat(oid, bytes)
  }
  const storedOid = readUint64(bytes, OID_AT)
  if (storedOid !== oid)
    throw corrupt(oid, `it is the record of oid ${formatOid(storedOid as Oid)}`)
  const tid = readUint64(bytes, TID_AT)
  if (!Number.isSafeInteger(tid)) throw corrupt(oid, 'its tid is out of range')
  const record = {
    oid,
    tid: tid as Tid,
    classId: bytes.readUInt32BE(CLASS_ID_AT),
    state: bytes.subarray(stateAt(isLinked), end),
  }
  return isLinked ? { ...record, link: readLink(bytes, LINK_AT) } : record
}

export function writeLink(target: Buffer, link: RevisionLink, offset: number): void {
  writeUint64(target, link.previousTid, offset)
  writeUint64(target, link.number, offset + 8)
  writeUint64(target, link.farTid, offset + 16)
}

export function readLink(source: Buffer, offset: number): RevisionLink {
  return {
    previousTid: readUint64(source, offset) as Tid,
    number: readUint64(source, offset + 8),
    farTid: readUint64(source, offset + 16) as Tid,
  }
}

function stateAt(isLinked: boolean): number {
  return isLinked ? LINK_AT + LINK_BYTES : LINK_AT
}

function corrupt(oid: Oid, why: string): CorruptRecordError {
  return CorruptRecordError.of({ oid, why })
}

function unknownFormat(oid: Oid, bytes: Buffer): UnknownFormatError {
  return new UnknownFormatError(
    `The record of oid ${formatOid(oid)} has format version ${bytes[0]} with flags ${bytes[FLAGS_AT]}; ` +
      `this treehook reads version ${RECORD_VERSION} with flags 0 or 1. Open the database with the treehook ` +
      'that wrote it, or a newer one.',
    { details: { oid: formatOid(oid), version: bytes[0], flags: bytes[FLAGS_AT] } },
  )
}
