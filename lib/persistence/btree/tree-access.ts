import { isPersistent, type Persistent, slotsOf, workingValues } from '../persistent.js'
import { Reference } from '../reference.js'
import type { Slots, SlotsOwner } from '../slots.js'
import { importInto, isPure, localize, sealed } from '../stored-value.js'
import { importKey, type Key } from './keys.js'
import { TreeChanges } from './tree-changes.js'
import { EMPTY_TREE, type TreeNode } from './tree-node.js'
import { findValue, hasKey, type RangeOptions, walkRange } from './tree-reading.js'

/**
 * The tree that an object keeps in its own record: its class has `static [HAS_TREE] = true`. For
 * classes that are trees (`BTree`) or keep their items in one (the content layer's containers).
 *
 * Values are what fields can hold; plain ones are frozen, so that a change which `set` would not
 * see throws instead of being lost.
 */

/** The value of `key`, or `undefined`. */
export function treeGet(object: Persistent, key: Key): unknown {
  const slots = activeSlots(object)
  const value = findValue(rootOf(slots), key, slots.owner.nodeSource)
  return typeof value === 'object' && value !== null ? present(value, slots.owner) : value
}

export function treeHas(object: Persistent, key: Key): boolean {
  const slots = activeSlots(object)
  return hasKey(rootOf(slots), key, slots.owner.nodeSource)
}

/** O(1). */
export function treeSize(object: Persistent): number {
  return rootOf(activeSlots(object)).size
}

/** @returns whether the key is new. */
export function treeSet(object: Persistent, key: Key, value: unknown): boolean {
  const importedKey = importKey(key)
  const imported = sealed(importInto(object, value, `[${String(key)}]`))
  return changesOf(object).set(importedKey, imported)
}

/** @returns whether the key was there. */
export function treeDelete(object: Persistent, key: Key): boolean {
  return changesOf(object).delete(importKey(key))
}

export function treeClear(object: Persistent): void {
  changesOf(object).clear()
}

/** From now on a writer of any key of this tree conflicts: its owner was removed or moved. */
export function treeTouch(object: Persistent): void {
  changesOf(object).touchesAll = true
}

/** Keys and values of a range; values are made into objects one by one, as they are asked for. */
export function* treeEntries(
  object: Persistent,
  range: RangeOptions = {},
): Generator<[Key, unknown], void, undefined> {
  for (const [key, value] of treeWalk(object, range)) {
    yield [
      key,
      typeof value === 'object' && value !== null ? present(value, slotsOf(object).owner) : value,
    ]
  }
}

/** Keys of a range; no value is made into an object. */
export function* treeKeys(
  object: Persistent,
  range: RangeOptions = {},
): Generator<Key, void, undefined> {
  for (const [key] of treeWalk(object, range)) yield key
}

/** The root as this transaction sees it. */
export function rootOf(slots: Slots): TreeNode {
  return slots.tree?.root ?? ((slots.values[slots.layout.treeIndex] ?? EMPTY_TREE) as TreeNode)
}

function treeWalk(object: Persistent, range: RangeOptions) {
  if (range.min !== undefined) importKey(range.min)
  if (range.max !== undefined) importKey(range.max)
  const view = () => {
    const slots = activeSlots(object)
    return {
      root: rootOf(slots),
      revision: slots.tree?.revision ?? 0,
      source: slots.owner.nodeSource,
    }
  }
  return walkRange(view, range)
}

function activeSlots(object: Persistent): Slots {
  const slots = slotsOf(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  return slots
}

function changesOf(object: Persistent): TreeChanges {
  const slots = slotsOf(object)
  workingValues(object, slots)
  slots.tree ??= new TreeChanges(rootOf(slots), slots.owner.nodeSource)
  return slots.tree
}

function present(value: object, owner: SlotsOwner): unknown {
  if (value instanceof Reference) return owner.resolve(value)
  if (isPersistent(value) || isPure(value)) return value
  return sealed(
    localize(
      value,
      (reference) => owner.resolve(reference),
      () => {},
    ),
  )
}
