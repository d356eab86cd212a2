import { invariant } from '../foundation/index.js'
import { ConflictError, type Oid, type Tid } from '../storage/index.js'
import { keyToken } from './btree/keys.js'
import { EMPTY_TREE, type TreeNode } from './btree/tree-node.js'
import { ASK_ALWAYS, type NodeSource } from './btree/tree-reading.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { resolveConflict } from './conflict-resolver.js'
import { describeObject } from './describe.js'
import type { PendingObject, SerializerHost } from './serializer.js'
import { fieldsDiffer, serializeAgain, withValues } from './serializer.js'

/** What validation asks of the connection. */
export interface ValidationHost extends SerializerHost {
  /** Is told of what a class threw instead of resolving a conflict. Must not throw. */
  report(error: unknown, where: string): void
}

/**
 * Holds what a transaction wants to write against what was committed since it began, published or
 * in flight. Reads memory only, decides in one synchronous step, and may be run again when more
 * commits have arrived.
 *
 * - An object that another transaction wrote: what its class's `resolveConflict` makes of both, or
 *   conflict.
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
  host: ValidationHost,
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
  host: ValidationHost,
): PendingObject {
  if (wanted.tree !== undefined) refuseKeyConflicts(wanted, since, store)
  const base = wanted.slots.committed
  if (base === undefined) return wanted
  const isOwnerNewer = isNewer(wanted.oid, base.serial, store)
  if (!isOwnerNewer && !wanted.nodes.some(({ oid }) => isNewer(oid, since, store))) return wanted
  const newest = store.newest(wanted.oid)
  if (newest === undefined) {
    const committed = store.removalOf(wanted.oid)
    invariant(committed !== undefined, 'an object that was read exists')
    throw ConflictError.withRemoval({ oid: wanted.oid, committed })
  }
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

/** Their fields or ours, or what the class makes of both; and our operations on their tree. */
function merge(
  wanted: PendingObject,
  base: CommittedState,
  newest: CommittedState,
  store: CommittedStore,
  host: ValidationHost,
): PendingObject {
  const { tree, layout } = wanted
  const { treeIndex } = layout
  const values = mergeFields(wanted, base, newest, store, host)
  if (treeIndex === -1) return withValues(wanted, values)
  values[treeIndex] = newest.values[treeIndex]
  if (tree === undefined) return withValues(wanted, values)
  store.counters.replays++
  const source: NodeSource = {
    tid: ASK_ALWAYS, // the newest may be in flight, and shared with nobody yet
    node: ({ oid }) => store.newest(oid)?.values[0] as TreeNode,
  }
  const root = (values[treeIndex] ?? EMPTY_TREE) as TreeNode
  return serializeAgain(wanted, values, tree.replayOn(root, source), host)
}

/** A new array, with anything in the tree's place. */
function mergeFields(
  wanted: PendingObject,
  base: CommittedState,
  newest: CommittedState,
  store: CommittedStore,
  host: ValidationHost,
): unknown[] {
  const { layout, writesFields } = wanted
  if (newest.layout !== layout || base.layout !== layout) throw conflictOf(wanted, base, newest)
  if (layout.treeIndex !== -1) {
    if (!writesFields) return newest.values.slice()
    if (!fieldsDiffer(newest.values, base.values, layout.treeIndex)) return wanted.values.slice()
  }
  const resolved = resolveConflict(
    { layout, old: base.values, saved: newest.values, wanted: wanted.values },
    (error) => host.report(error, `resolveConflict of ${layout.storedName}`),
  )
  if (resolved === undefined) throw conflictOf(wanted, base, newest)
  store.counters.resolutions++
  return resolved
}

function conflictOf(
  { oid, object }: PendingObject,
  base: CommittedState,
  newest: CommittedState,
): ConflictError {
  const what = describeObject(object)
  return ConflictError.between({ oid, what, read: base.serial, committed: newest.serial })
}
