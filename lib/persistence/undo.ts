import {
  formatOid,
  formatTid,
  HistoryUnavailableError,
  NO_TID,
  type Oid,
  type Storage,
  type Tid,
  type TransactionRow,
} from '../storage/index.js'
import { keyToken } from './btree/keys.js'
import { treeChangesOf } from './btree/tree-access.js'
import { MARKS_FIELD_NAME } from './class-layout.js'
import type { CommittedStore } from './committed-store.js'
import type { Connection } from './connection.js'
import { takeState } from './custom-state.js'
import { FutureInstantError, UndoError } from './errors.js'
import { assertTid } from './instant.js'
import { isKeptByUndo, undoableKeys } from './kept-by-undo.js'
import type { Past } from './past.js'
import { type Persistent, slotsOf, workingValues } from './persistent.js'
import { possibleReferrers } from './referrers.js'
import { type FieldValues, isNode, type StateSource, treeIn } from './state-source.js'
import { TimeSlice } from './time-slice.js'
import { type KeyChange, treeDifference } from './tree-difference.js'
import { type PlannedObject, UndoPlan } from './undo-plan.js'

/** What an undo reads. */
export interface UndoSource {
  readonly storage: Storage
  readonly store: CommittedStore
  readonly past: Past
}

/**
 * Takes transactions back in the running transaction of a connection, from the newest to the oldest:
 *
 * 1. For each, what it did to every object and every key of every tree is read from the history.
 * 2. A plan compares that with what is now, and gathers what stands in the way.
 * 3. Nothing that will exist must refer to what will not.
 * 4. If nothing stands in the way, the plan becomes changes like a program's own: the commit
 *    validates them, and merges them with what others do to other keys meanwhile.
 *
 * No event is notified, no hook of a class is called but `resolveConflict` and `setState`.
 *
 * Source: `ZODB.FileStorage.FileStorage._txn_undo_write`, `ZODB.UndoLogCompatible`, object by
 * object; keys of trees are ours.
 *
 * @throws PERSISTENCE_UNDO_CONFLICT, with nothing changed.
 * @throws STORAGE_HISTORY_UNAVAILABLE when history does not reach to before the transactions.
 * @throws PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT
 */
export async function undo(
  connection: Connection,
  tids: readonly Tid[],
  source: UndoSource,
): Promise<void> {
  const plan = new UndoPlan(connection)
  const slice = new TimeSlice()
  const newestFirst = [...new Set(tids)].sort((one, other) => other - one)
  for (const tid of newestFirst) {
    const row = rowOf(tid, connection.seenTid, source.storage)
    await planTransaction(row, plan, source, slice)
  }
  refuseDangling(plan)
  await refuseReferred(plan, connection.seenTid, source)
  if (plan.conflicts.length > 0) throw UndoError.of(plan.conflicts)
  for (const planned of plan.objects) bringOrRemove(planned, connection)
  for (const planned of plan.objects) change(planned, connection)
}

function rowOf(tid: Tid, seenTid: Tid, storage: Storage): TransactionRow {
  assertTid(tid)
  if (tid > seenTid) {
    throw new FutureInstantError(
      `Transaction ${formatTid(tid)} cannot be undone: it has not happened yet as this transaction sees the ` +
        `database, whose newest is ${formatTid(seenTid)}.`,
      { details: { tid: formatTid(tid), newest: formatTid(seenTid) } },
    )
  }
  const row = tid === NO_TID ? undefined : storage.transactionRow(tid)
  if (row !== undefined) return row
  throw new HistoryUnavailableError(
    `Transaction ${formatTid(tid)} cannot be undone: what it wrote is no longer kept. Keep history for longer ` +
      'with the option `history`.',
    { details: { tid: formatTid(tid) } },
  )
}

/** Holds one transaction against the plan, object by object. */
async function planTransaction(
  { tid, oids, removed }: TransactionRow,
  plan: UndoPlan,
  { past }: UndoSource,
  slice: TimeSlice,
): Promise<void> {
  await past.readBoth(tid, async (statesBefore, statesAfter) => {
    const nodes = new Set<Oid>()
    for (const oid of oids) {
      const state = statesAfter(oid)
      if (state !== undefined && isNode(state)) nodes.add(oid)
      if (slice.isOver) await slice.turn()
    }
    for (const oid of [...oids, ...removed]) {
      if (nodes.has(oid)) continue
      const [before, after] = [statesBefore(oid), statesAfter(oid)]
      if ([before, after].some((state) => state !== undefined && isKeptByUndo(state))) continue
      const keys = keyChanges({ oid, nodes, statesBefore, statesAfter })
      plan.undo({ oid, undone: tid, before, after, statesBefore, statesAfter, keys })
      if (slice.isOver) await slice.turn()
    }
  })
}

function keyChanges({
  oid,
  nodes,
  statesBefore,
  statesAfter,
}: {
  readonly oid: Oid
  readonly nodes: ReadonlySet<Oid>
  readonly statesBefore: StateSource
  readonly statesAfter: StateSource
}): readonly KeyChange[] {
  const [before, after] = [statesBefore(oid), statesAfter(oid)]
  const oldTree = before && treeIn(before, statesBefore)
  const tree = after && treeIn(after, statesAfter)
  if (oldTree === undefined || tree === undefined) return []
  return undoableKeys(treeDifference(oldTree, tree, nodes), statesBefore, statesAfter)
}

/** What is written again must not lead to what is gone since. */
function refuseDangling(plan: UndoPlan): void {
  for (const planned of plan.objects) {
    for (const { oid, key, undone } of plan.referencesWritten(planned)) {
      if (plan.willExist(oid)) continue
      const reason = `it would refer to oid ${formatOid(oid)} again, which was removed since`
      plan.refuse(planned.oid, undone, reason, key)
    }
  }
}

/** What goes must not be needed by what came later. */
async function refuseReferred(plan: UndoPlan, upTo: Tid, source: UndoSource): Promise<void> {
  const going = new Map<Oid, Tid>()
  for (const { oid, state, isGoing, isReturning, undone } of plan.objects) {
    if (isGoing && !isReturning && state !== undefined && !isNode(state)) going.set(oid, undone)
  }
  if (going.size === 0 || plan.conflicts.length > 0) return
  const since = [...going.values()].reduce((one, other) => (other < one ? other : one))
  const told = new Set<string>()
  for await (const found of possibleReferrers(new Set(going.keys()), { since, upTo }, source)) {
    const { oid, key, target } = found
    const place = `${oid} ${target} ${key === undefined ? '' : String(keyToken(key))}`
    if (told.has(place) || !plan.willRefer(found)) continue
    told.add(place)
    const reason = `it refers to oid ${formatOid(target)}, whose creation is to be undone`
    plan.refuse(oid, going.get(target) as Tid, reason, key)
  }
}

function bringOrRemove(planned: PlannedObject, connection: Connection): void {
  const { oid, state, isReturning, isGoing } = planned
  if (state === undefined || isReturning === isGoing) return
  if (isGoing) connection.remove(oid)
  else connection.bringBack(state)
}

function change({ oid, exists, fields, keys }: PlannedObject, connection: Connection): void {
  if (!exists || (fields === undefined && keys.size === 0)) return
  const object = connection.get(oid)
  if (fields !== undefined) writeFields(object, fields)
  for (const { key, entry } of keys.values()) {
    if (entry === undefined) treeChangesOf(object).delete(key)
    else treeChangesOf(object).set(key, entry.value)
  }
}

function writeFields(object: Persistent, fields: FieldValues): void {
  const slots = slotsOf(object)
  const values = workingValues(object, slots)
  const { names, treeIndex } = slots.committed?.layout ?? slots.layout
  names.forEach((name, index) => {
    // A state without marks does not name them.
    if (index === treeIndex || !(fields.has(name) || name === MARKS_FIELD_NAME)) return
    slots.nested?.forget(index)
    values[index] = fields.get(name)
  })
  if (slots.layout.hasSetState) takeState(object, slots)
}
