import { isPersistent, type Persistent, slotsOf, workingValues } from '../persistent.js'
import { CrossReference, Reference } from '../reference.js'
import type { Slots, SlotsOwner } from '../slots.js'
import { importInto, isPure, localize, sealed } from '../stored-value.js'
import { importKey, isKey, type Key, presentKey } from './keys.js'
import { NotedCursor } from './noted-cursor.js'
import { TreeChanges } from './tree-changes.js'
import { checkTree, type TreeProblem } from './tree-check.js'
import { TreeCursor, type TreeView } from './tree-cursor.js'
import { iterate } from './tree-iterator.js'
import { EMPTY_TREE, type TreeNode } from './tree-node.js'
import { checkRange, type RangeOptions } from './tree-range.js'
import { findValue, hasKey, type NodeSource } from './tree-reading.js'

/**
 * The tree that an object keeps in its own record: its class has `static [HAS_TREE] = true`. For
 * classes that are trees (`BTree`) or keep their items in one (the content layer's containers).
 *
 * Values are what fields can hold; plain ones are frozen, so that a change which `set` would not
 * see throws instead of being lost.
 */

/** The value of `key`, or `undefined`; also when no tree can have such a key. */
export function treeGet(object: Persistent, key: Key): unknown {
  const slots = activeSlots(object)
  if (typeof key !== 'string' && !isKey(key)) return undefined
  slots.owner.reads?.addKey(slots.oid, key)
  const { tree } = slots
  const value = tree === undefined ? findValue(rootOf(slots), key, sourceOf(slots)) : tree.find(key)
  return present(value, slots.owner)
}

export function treeHas(object: Persistent, key: Key): boolean {
  const slots = activeSlots(object)
  if (typeof key !== 'string' && !isKey(key)) return false
  slots.owner.reads?.addKey(slots.oid, key)
  return slots.tree?.has(key) ?? hasKey(rootOf(slots), key, sourceOf(slots))
}

/** O(1). */
export function treeSize(object: Persistent): number {
  const slots = activeSlots(object)
  slots.owner.reads?.addWhole(slots.oid)
  return (slots.tree ?? rootOf(slots)).size
}

/** @returns whether the key is new. */
export function treeSet(object: Persistent, key: Key, value: unknown): boolean {
  const importedKey = importKey(key)
  const imported =
    typeof value === 'number' && value !== 0
      ? value
      : sealed(importInto(object, value, `[${String(key)}]`))
  return changesOf(object).set(importedKey, imported)
}

/**
 * Sets the key only when it is absent.
 * @returns whether it was.
 */
export function treeInsert(object: Persistent, key: Key, value: unknown): boolean {
  slotsOf(object).owner.assertWritable(object)
  importKey(key)
  return !treeHas(object, key) && treeSet(object, key, value)
}

/** @returns whether the key was there. An absent one leaves the object unchanged. */
export function treeDelete(object: Persistent, key: Key): boolean {
  slotsOf(object).owner.assertWritable(object)
  return treeHas(object, key) && changesOf(object).delete(importKey(key))
}

/** An empty tree is left unchanged. */
export function treeClear(object: Persistent): void {
  slotsOf(object).owner.assertWritable(object)
  if (treeSize(object) > 0) changesOf(object).clear()
}

/** From now on a writer of any key of this tree conflicts: its owner was removed or moved. */
export function treeTouch(object: Persistent): void {
  changesOf(object).touchesAll = true
}

/** Keys and values of a range; values are made into objects one by one, as they are asked for. */
export function treeEntries(
  object: Persistent,
  range?: RangeOptions,
): IterableIterator<[Key, unknown]> {
  const { owner } = slotsOf(object)
  return iterate(treeCursor(object, range), (cursor): [Key, unknown] => [
    presentKey(cursor.key),
    present(cursor.value, owner),
  ])
}

/** Keys of a range; no value is made into an object. */
export function treeKeys(object: Persistent, range?: RangeOptions): IterableIterator<Key> {
  return iterate(treeCursor(object, range), ({ key }) => presentKey(key))
}

/** Values of a range, in the order of their keys. */
export function treeValues(object: Persistent, range?: RangeOptions): IterableIterator<unknown> {
  const { owner } = slotsOf(object)
  return iterate(treeCursor(object, range), ({ value }) => present(value, owner))
}

/**
 * @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_INVALID_RANGE
 */
export function treeCursor(object: Persistent, range: RangeOptions = {}): TreeCursor {
  checkRange(range)
  const { owner, oid } = slotsOf(object)
  const noted = owner.reads?.addRange(oid, range)
  const view = new LiveTree(object)
  return noted === undefined ? new TreeCursor(view, range) : new NotedCursor(view, range, noted)
}

/** Whether everything that must hold of the tree holds; see {@link checkTree}. */
export function treeCheck(object: Persistent): TreeProblem[] {
  const slots = activeSlots(object)
  return checkTree(rootOf(slots), sourceOf(slots))
}

/** The root as this transaction sees it. */
export function rootOf(slots: Slots): TreeNode {
  return slots.tree?.root ?? ((slots.values[slots.layout.treeIndex] ?? EMPTY_TREE) as TreeNode)
}

/** The tree of an object as it is whenever it is looked at. */
class LiveTree implements TreeView {
  readonly #object: Persistent
  readonly #slots: Slots

  constructor(object: Persistent) {
    this.#object = object
    this.#slots = slotsOf(object)
  }

  get root(): TreeNode {
    const slots = this.#slots
    if (slots.generation !== slots.owner.generation) slots.owner.activate(this.#object)
    return rootOf(slots)
  }

  get revision(): number {
    return this.#slots.tree?.revision ?? 0
  }

  get source(): NodeSource {
    return sourceOf(this.#slots)
  }
}

function activeSlots(object: Persistent): Slots {
  const slots = slotsOf(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  return slots
}

/**
 * Where the nodes of an object's tree are found. After a commit whose operations were applied to a
 * newer tree than the transaction saw, the object's tree is newer than its connection's view.
 */
function sourceOf({ owner, committed }: Slots): NodeSource {
  const { nodeSource } = owner
  return committed !== undefined && committed.serial > nodeSource.tid
    ? owner.nodeSourceAt(committed.serial)
    : nodeSource
}

function changesOf(object: Persistent): TreeChanges {
  const slots = slotsOf(object)
  workingValues(object, slots)
  slots.tree ??= new TreeChanges(rootOf(slots), sourceOf(slots), slots.committed !== undefined)
  return slots.tree
}

/** What is handed out for a stored value. */
export function present(value: unknown, owner: SlotsOwner): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Reference) return owner.resolve(value)
  if (value instanceof CrossReference) return owner.resolveElsewhere(value)
  if (isPersistent(value) || isPure(value)) return value
  return sealed(localize(value, owner, () => {}))
}

/** For operations on values in committed form. @internal */
export { changesOf as treeChangesOf }
