import type { Oid, Storage, StorageCommit, Tid } from '../storage/index.js'
import type { Key } from './btree/keys.js'
import type { TreeNode } from './btree/tree-node.js'
import { isTreeField } from './class-layout.js'
import { NODE_LAYOUT, type StateLayout } from './class-table.js'
import type { CommittedStore } from './committed-store.js'
import { Reference } from './reference.js'
import { decodeState, encodeState } from './state-codec.js'
import { treeIn } from './state-source.js'
import { referencesOf } from './stored-references.js'

/** A place where a reference to an object was stored; what stands there now may be another. */
export interface PossibleReferrer {
  /** The object that has the field or tree, or may have it: its node was written in the same commit. */
  readonly oid: Oid
  /** Of the tree; `undefined` for the fields. */
  readonly key: Key | undefined
  readonly target: Oid
}

/**
 * Where references to objects may stand that did not exist before commit `since`: in what was
 * written then and later, since nobody could refer to them earlier.
 * @throws STORAGE_HISTORY_UNAVAILABLE
 */
export async function* possibleReferrers(
  targets: ReadonlySet<Oid>,
  { since, upTo }: { readonly since: Tid; readonly upTo: Tid },
  { storage, store }: { readonly storage: Storage; readonly store: CommittedStore },
): AsyncIterableIterator<PossibleReferrer> {
  for await (const commit of storage.commits({ after: (since - 1) as Tid, upTo })) {
    yield* referrersIn(commit, targets, store)
  }
}

function* referrersIn(
  { tid, records }: StorageCommit,
  targets: ReadonlySet<Oid>,
  { classes }: CommittedStore,
): IterableIterator<PossibleReferrer> {
  const owners = records.filter(({ classId }) => classes.rowOf(classId)?.fields.some(isTreeField))
  for (const record of records) {
    const { oid, state } = record
    const found = referencesOf(state, oid).strong.filter((one) => targets.has(one))
    if (found.length === 0) continue
    const decoded = decodeState({ ...record, tid }, classes)
    if (decoded.layout === NODE_LAYOUT) {
      for (const [key, target] of referencesIn(decoded.values[0] as TreeNode, targets)) {
        for (const owner of owners) yield { oid: owner.oid, key, target }
      }
      continue
    }
    for (const target of found) yield { oid, key: undefined, target }
    const tree = treeIn(decoded, () => undefined)
    if (tree === undefined) continue
    for (const [key, target] of referencesIn(tree.root, targets)) yield { oid, key, target }
  }
}

/** The keys of a leaf whose values lead to a target. */
function* referencesIn(
  { level, keys, items }: TreeNode,
  targets: ReadonlySet<Oid>,
): IterableIterator<[Key, Oid]> {
  if (level > 0) return
  for (const [position, value] of items.entries()) {
    for (const oid of referencesInValue(value)) {
      if (targets.has(oid)) yield [keys[position] as Key, oid]
    }
  }
}

/** The oids of the objects that a committed value leads to, at any depth. */
export function referencesInValue(value: unknown): readonly Oid[] {
  if (typeof value !== 'object' || value === null) return NONE
  if (value instanceof Reference) return [value.oid]
  return referencesOf(encodeState([value], VALUE_LAYOUT)).strong
}

const NONE: readonly Oid[] = []
const VALUE_LAYOUT: StateLayout = { ...NODE_LAYOUT, treeIndex: -1 }
