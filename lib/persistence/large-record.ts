import { formatOid } from '../storage/index.js'
import { NODE_LAYOUT } from './class-table.js'
import { describeObject } from './describe.js'
import { LargeRecordError } from './errors.js'
import type { EncodedRecord, PendingObject } from './serializer.js'

/**
 * Makes an error for each record that is larger than it should be. Nobody throws it: the record is
 * stored, and whoever opened the database is told.
 */
export function* largeRecords(
  encoded: readonly EncodedRecord[],
  pending: readonly PendingObject[],
  limitBytes: number,
): Generator<LargeRecordError, void, undefined> {
  for (const { oid, layout, bytes } of encoded) {
    if (bytes.length <= limitBytes) continue
    const owner = pending.find(
      (one) => one.oid === oid || one.nodes.some((node) => node.oid === oid),
    )
    const what = owner === undefined ? 'an object' : describeObject(owner.object)
    yield new LargeRecordError(
      `The record of ${layout === NODE_LAYOUT ? `a tree node of ${what}` : what} has ${bytes.length} bytes, and more ` +
        `than ${limitBytes} are read and written as a whole with each change. Keep its parts as objects of ` +
        'their own, or in a BTree; or raise largeRecordBytes.',
      { details: { oid: formatOid(oid), bytes: bytes.length } },
    )
  }
}
