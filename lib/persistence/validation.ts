import { invariant } from '../foundation/index.js'
import { ConflictError, type Oid, type Tid } from '../storage/index.js'
import { keyToken } from './btree/keys.js'
import { EMPTY_TREE, type TreeNode } from './btree/tree-node.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { describeObject } from './describe.js'
import type { PendingObject, SerializerHost } from './serializer.js'
import { serializeAgain, withValues } from './serializer.js'
import { sameValue } from './state-codec.js'

/**
 * Holds what a transaction wants to write against what was committed since it began, published or
 * in flight. Reads memory only, decides in one synchronous step, and may be run again when more
 * commits have arrived.
 *
 * - An object that another transaction wrote: conflict.
 * - A key of a tree that another transaction wrote, whatever the values: conflict.
 * - Nodes of a tree that another transaction wrote, with other keys: the operations are replayed on
 *   the newest tree.
 * - An object written for its fields here and for its tree there: both are kept.
 *
 * @param since - the epoch that the transaction reads.
 * @returns what to write; parts of `pending` are replaced where they were replayed.
 * @throws STORAGE_CONFLICT
 */
export function validate(
  pending: readonly PendingObject[],
  since: Tid,
  store: CommittedStore,
  host: SerializerHost,
): readonly PendingObject[] {
  let result: PendingObject[] | undefined
  for (let index = 0; index < pending.length; index++) {
    const wanted = pending[index] as PendingObject
    const merged = validateObject(wanted, since, store, host)
    if (merged === wanted) continue
    result ??= [...pending]
    result[index] = merged
  }
  return result ?? pending
}

function validateObject(
  wanted: PendingObject,
  since: Tid,
  store: CommittedStore,
  host: SerializerHost,
): PendingObject {
  if (wanted.tree !== undefined) refuseKeyConflicts(wanted, since, store)
  const base = wanted.slots.committed
  if (base === undefined) return wanted
  const isOwnerNewer = isNewer(wanted.oid, base.serial, store)
  if (!isOwnerNewer && !wanted.nodes.some(({ oid }) => isNewer(oid, since, store))) return wanted
  const newest = store.newest(wanted.oid)
  invariant(newest !== undefined, 'an object that was read exists')
  return merge(wanted, base, newest, store, host)
}

function isNewer(oid: Oid, than: Tid, store: CommittedStore): boolean {
  const serial = store.log.serialOf(oid)
  return serial !== undefined && serial > than
}

function refuseKeyConflicts(wanted: PendingObject, since: Tid, store: CommittedStore): void {
  const { oid, tree, object } = wanted
  if (tree === undefined) return
  const touched = store.log.touchedBy(oid)
  const whole = tree.touchesAll ? store.log.lastKeyWriter(oid) : touched
  if (whole > since) {
    throw ConflictError.onKey({ oid, what: describeObject(object), key: '*', committed: whole })
  }
  for (const { key } of tree.operations) {
    const committed = store.log.keyWrittenBy(oid, keyToken(key))
    if (committed > since) {
      throw ConflictError.onKey({ oid, what: describeObject(object), key, committed })
    }
  }
}

/** Their fields or ours, whichever side wrote any; and our operations on their tree. */
function merge(
  wanted: PendingObject,
  base: CommittedState,
  newest: CommittedState,
  store: CommittedStore,
  host: SerializerHost,
): PendingObject {
  const { tree, layout } = wanted
  const { treeIndex } = layout
  const theyWroteFields = fieldsDiffer(newest.values, base.values, treeIndex)
  // Without operations on its tree the object is here because a field was written, if to the same.
  const weWroteFields = tree === undefined || fieldsDiffer(wanted.values, base.values, treeIndex)
  if (treeIndex === -1 || (theyWroteFields && weWroteFields) || newest.layout !== layout) {
    throw ConflictError.between({
      oid: wanted.oid,
      what: describeObject(wanted.object),
      read: base.serial,
      committed: newest.serial,
    })
  }
  const values = (theyWroteFields ? newest : wanted).values.slice()
  values[treeIndex] = newest.values[treeIndex]
  if (tree === undefined) return withValues(wanted, values)
  store.counters.replays++
  const source = ({ oid }: { readonly oid: Oid }): TreeNode =>
    store.newest(oid)?.values[0] as TreeNode
  const root = (values[treeIndex] ?? EMPTY_TREE) as TreeNode
  return serializeAgain(wanted, values, tree.replayOn(root, source), host)
}

/** True when two states differ in anything but their trees. */
function fieldsDiffer(
  one: readonly unknown[],
  other: readonly unknown[],
  treeIndex: number,
): boolean {
  for (let index = 0; index < one.length; index++) {
    if (index !== treeIndex && !sameValue(one[index], other[index])) return true
  }
  return false
}
