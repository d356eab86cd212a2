import { formatOid } from '../storage/index.js'
import { NODE_LAYOUT } from './class-table.js'
import { describeObject } from './describe.js'
import { LargeRecordError } from './errors.js'
import type { EncodedRecord, PendingObject } from './serializer.js'

/**
 * An error for each record that is larger than it should be. Nobody throws it: the record is stored,
 * and whoever opened the database is told.
 */
export function largeRecords(
  encoded: readonly EncodedRecord[],
  pending: readonly PendingObject[],
  limitBytes: number,
): readonly LargeRecordError[] {
  const isLarge = ({ bytes }: EncodedRecord): boolean => bytes.length > limitBytes
  if (!encoded.some(isLarge)) return NONE
  return encoded.filter(isLarge).map((record) => errorFor(record, pending, limitBytes))
}

const NONE: readonly LargeRecordError[] = []

function errorFor(
  { oid, layout, bytes }: EncodedRecord,
  pending: readonly PendingObject[],
  limitBytes: number,
): LargeRecordError {
  const owner = pending.find((one) => one.oid === oid || one.nodes.some((node) => node.oid === oid))
  const what = owner === undefined ? 'an object' : describeObject(owner.object)
  return new LargeRecordError(
    `The record of ${layout === NODE_LAYOUT ? `a tree node of ${what}` : what} has ${bytes.length} bytes, and more ` +
      `than ${limitBytes} are read and written as a whole with each change. Keep its parts as objects of ` +
      'their own, or in a BTree; or raise largeRecordBytes.',
    { details: { oid: formatOid(oid), bytes: bytes.length } },
  )
}
