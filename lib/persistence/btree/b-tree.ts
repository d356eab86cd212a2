import { HAS_TREE } from '../class-layout.js'
import { stored } from '../class-registry.js'
import { describeObject } from '../describe.js'
import { KeyNotFoundError } from '../errors.js'
import { Persistent } from '../persistent.js'
import { type AsKey, compareKeys, importKey, type Key } from './keys.js'
import {
  treeCheck,
  treeClear,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeInsert,
  treeKeys,
  treeSet,
  treeSize,
  treeValues,
} from './tree-access.js'
import type { TreeProblem } from './tree-check.js'
import { type PageOptions, pagesOf } from './tree-pages.js'
import type { RangeOptions } from './tree-range.js'

/**
 * A sorted collection that is stored in pieces: reading one key loads a handful of records of a few
 * dozen entries, whatever the size. Transactions that write different keys never conflict.
 *
 * Plain values read from a tree are frozen: change one by setting it again. Iterators are stable:
 * entries that come and go under them are seen or not as their keys say, and no other is skipped.
 *
 * Source: `BTrees.OOBTree`; its inner-node conflicts (ZODB #232) do not exist here.
 * @public
 */
export class BTree<K extends Key = Key, V = unknown> extends Persistent {
  static readonly [HAS_TREE] = true

  /** A new tree. Fastest when the keys rise: it is then as dense as can be. */
  static from<K, V>(entries: Iterable<readonly [K, V]>): BTree<AsKey<K>, V> {
    return new BTree<AsKey<K>, V>().update(entries as Iterable<readonly [AsKey<K>, V]>)
  }

  /** @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_UNSTORABLE_VALUE */
  constructor(entries: Iterable<readonly [K, V]> = []) {
    super()
    this.update(entries)
  }

  /** How many entries there are. O(1). */
  get size(): number {
    return treeSize(this)
  }

  /** The value, or `undefined`; also when no tree can have such a key. */
  get(key: K): V | undefined {
    return treeGet(this, key) as V | undefined
  }

  /** The value. @throws PERSISTENCE_KEY_NOT_FOUND when the key is not there. */
  getItem(key: K): V {
    const value = this.get(key)
    if (value === undefined && !this.has(key)) {
      throw new KeyNotFoundError(
        `${describeObject(this)} has no key ${JSON.stringify(key, numbersAsText)}. Where it may be absent, use get.`,
      )
    }
    return value as V
  }

  has(key: K): boolean {
    return treeHas(this, key)
  }

  /**
   * @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_UNSTORABLE_VALUE
   */
  set(key: K, value: V): this {
    treeSet(this, key, value)
    return this
  }

  /**
   * Sets the key only when it is absent.
   * @returns whether it was.
   * @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_UNSTORABLE_VALUE
   */
  insert(key: K, value: V): boolean {
    return treeInsert(this, key, value)
  }

  /** The value that is there, or `value`, which is set then. ZODB's `setdefault`. */
  getOrInsert(key: K, value: V): V {
    treeInsert(this, key, value)
    return this.get(key) as V
  }

  /** As `getOrInsert`; `compute` is called only when the key is absent. */
  getOrInsertComputed(key: K, compute: (key: K) => V): V {
    if (!this.has(key)) this.set(key, compute(key))
    return this.get(key) as V
  }

  /** Sets all entries, of an array, a Map, another tree. Fastest when the keys rise. */
  update(entries: Iterable<readonly [K, V]>): this {
    for (const [key, value] of entries) treeSet(this, key, value)
    return this
  }

  /** @returns whether the key was there. */
  delete(key: K): boolean {
    return treeDelete(this, key)
  }

  /** Deletes the key. @returns the value that was there, or `undefined`. */
  pop(key: K): V | undefined {
    const value = this.get(key)
    this.delete(key)
    return value
  }

  /** Deletes all entries. Conflicts with every concurrent write to this tree. */
  clear(): void {
    treeClear(this)
  }

  /**
   * Keys in order. This and the following:
   * @throws PERSISTENCE_INVALID_KEY when a bound is no key; PERSISTENCE_INVALID_RANGE.
   */
  keys(range?: RangeOptions): IterableIterator<K> {
    return treeKeys(this, range) as IterableIterator<Key> as IterableIterator<K>
  }

  /** Values in the order of their keys. */
  values(range?: RangeOptions): IterableIterator<V> {
    return treeValues(this, range) as IterableIterator<V>
  }

  entries(range?: RangeOptions): IterableIterator<[K, V]> {
    return treeEntries(this, range) as IterableIterator<[Key, unknown]> as IterableIterator<[K, V]>
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /**
   * Entries in pages, for walks that are long: others get a turn between two pages.
   *
   * ```ts
   * for await (const page of tree.pages({ size: 500, signal })) for (const [key, value] of page) …
   * ```
   * @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_INVALID_RANGE; the signal's reason.
   */
  pages(options: PageOptions = {}): AsyncGenerator<[K, V][], void, undefined> {
    return pagesOf(this.entries(options), options)
  }

  /** The lowest key, or the lowest not below `bound`; `undefined` when there is none. */
  minKey(bound?: K): K | undefined {
    return this.keys(bound === undefined ? {} : { min: bound }).next().value as K | undefined
  }

  /** The highest key, or the highest not above `bound`; `undefined` when there is none. */
  maxKey(bound?: K): K | undefined {
    const range = bound === undefined ? { reverse: true } : { max: bound, reverse: true }
    return this.keys(range).next().value as K | undefined
  }

  /**
   * Entries as `[value, key]` whose value is not below `min`, the highest value first; equal values
   * in the order of keys. Values are compared as keys are.
   * @throws PERSISTENCE_INVALID_KEY when a value has no place in that order.
   */
  byValue(min?: V & Key): [V, K][] {
    const found: [V, K][] = []
    for (const [key, value] of this.entries()) {
      const ordered = importKey(value)
      if (min === undefined || compareKeys(ordered, min) >= 0) found.push([value, key])
    }
    return found.sort(([one], [other]) => compareKeys(other as Key, one as Key))
  }

  /** Whether everything that must hold of the tree on disk and in memory holds: no problems. */
  check(): TreeProblem[] {
    return treeCheck(this)
  }
}

stored('treehook.BTree')(BTree)

function numbersAsText(_name: string, part: unknown): unknown {
  return typeof part === 'bigint' ? `${part}n` : part
}
