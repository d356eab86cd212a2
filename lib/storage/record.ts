/**
 * The bytes of one stored revision. All numbers are big endian.
 *
 * | offset   | bytes | meaning                                                  | since |
 * | -------- | ----- | -------------------------------------------------------- | ----- |
 * | 0        | 1     | record format version, 1                                 | 1     |
 * | 1        | 1     | flags, 0: a set flag needs a newer reader                | 1     |
 * | 2        | 8     | oid                                                      | 1     |
 * | 10       | 8     | tid, the commit that wrote this revision                 | 1     |
 * | 18       | 4     | class id                                                 | 1     |
 * | 22       | n     | state, as the layer above encoded it                     | 1     |
 * | 22 + n   | 4     | CRC-32 (zlib) over everything before it                  | 1     |
 *
 * The version stays the first byte and the CRC the last four in every version to come, so that
 * damage and novelty can be told apart.
 */
import { crc32 } from 'node:zlib'
import { readUint64, writeUint64 } from '../foundation/index.js'
import { CorruptRecordError, UnknownFormatError } from './errors.js'
import type { StorageRecord } from './interfaces.js'
import { formatOid, type Oid } from './oid.js'
import type { Tid } from './tid.js'

/** On disk. */
export const RECORD_VERSION = 1
const FLAGS_AT = 1
const OID_AT = 2
const TID_AT = 10
const CLASS_ID_AT = 18
const STATE_AT = 22
const CRC_BYTES = 4

/** How many bytes {@link encodeRecord} writes beside the state. */
export const RECORD_OVERHEAD_BYTES = STATE_AT + CRC_BYTES

/**
 * Writes a record over the whole of `target`, which has exactly the state's size plus
 * {@link RECORD_OVERHEAD_BYTES}: many records can share one allocation.
 */
export function encodeRecord(target: Buffer, { oid, tid, classId, state }: StorageRecord): void {
  target[0] = RECORD_VERSION
  target[FLAGS_AT] = 0
  writeUint64(target, oid, OID_AT)
  writeUint64(target, tid, TID_AT)
  target.writeUInt32BE(classId, CLASS_ID_AT)
  target.set(state, STATE_AT)
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
  if (end < STATE_AT) throw corrupt(oid, `it has ${bytes.length} bytes, too few for any record`)
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) {
    throw corrupt(oid, 'its checksum does not match its bytes')
  }
  if (bytes[0] !== RECORD_VERSION || bytes[FLAGS_AT] !== 0) throw unknownFormat(oid, bytes)
  const storedOid = readUint64(bytes, OID_AT)
  if (storedOid !== oid)
    throw corrupt(oid, `it is the record of oid ${formatOid(storedOid as Oid)}`)
  const tid = readUint64(bytes, TID_AT)
  if (!Number.isSafeInteger(tid)) throw corrupt(oid, 'its tid is out of range')
  return {
    oid,
    tid: tid as Tid,
    classId: bytes.readUInt32BE(CLASS_ID_AT),
    state: bytes.subarray(STATE_AT, end),
  }
}

function corrupt(oid: Oid, why: string): CorruptRecordError {
  return CorruptRecordError.of({ oid, why })
}

function unknownFormat(oid: Oid, bytes: Buffer): UnknownFormatError {
  return new UnknownFormatError(
    `The record of oid ${formatOid(oid)} has format version ${bytes[0]} with flags ${bytes[FLAGS_AT]}; ` +
      `this treehook reads version ${RECORD_VERSION} without flags. Open the database with the treehook ` +
      'that wrote it, or a newer one.',
    { details: { oid: formatOid(oid), version: bytes[0], flags: bytes[FLAGS_AT] } },
  )
}
