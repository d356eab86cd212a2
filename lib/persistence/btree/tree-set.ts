import { HAS_TREE } from '../class-layout.js'
import { stored } from '../class-registry.js'
import { Persistent } from '../persistent.js'
import type { AsKey, Key } from './keys.js'
import {
  treeCheck,
  treeClear,
  treeDelete,
  treeHas,
  treeInsert,
  treeKeys,
  treeSize,
} from './tree-access.js'
import type { TreeProblem } from './tree-check.js'
import { type PageOptions, pagesOf } from './tree-pages.js'
import type { RangeOptions } from './tree-range.js'

/**
 * A sorted set of keys that is stored in pieces, as a {@link BTree} is. Transactions that add or
 * delete different keys never conflict.
 *
 * Source: `BTrees.OOTreeSet`.
 * @public
 */
export class TreeSet<K extends Key = Key> extends Persistent {
  static readonly [HAS_TREE] = true

  /** A new set. Fastest when the keys rise. */
  static from<K>(keys: Iterable<K>): TreeSet<AsKey<K>> {
    return new TreeSet<AsKey<K>>().update(keys as Iterable<AsKey<K>>)
  }

  /** @throws PERSISTENCE_INVALID_KEY */
  constructor(keys: Iterable<K> = []) {
    super()
    this.update(keys)
  }

  /** How many keys there are. O(1). */
  get size(): number {
    return treeSize(this)
  }

  has(key: K): boolean {
    return treeHas(this, key)
  }

  /**
   * One that is there already is left as it is.
   * @throws PERSISTENCE_INVALID_KEY
   */
  add(key: K): this {
    treeInsert(this, key, MEMBER)
    return this
  }

  /** Adds all keys, of an array, a Set, another set or what a set operation gives. */
  update(keys: Iterable<K>): this {
    for (const key of keys) this.add(key)
    return this
  }

  /** @returns whether the key was there. */
  delete(key: K): boolean {
    return treeDelete(this, key)
  }

  /** Deletes all keys. Conflicts with every concurrent write to this set. */
  clear(): void {
    treeClear(this)
  }

  /**
   * Keys in order.
   * @throws PERSISTENCE_INVALID_KEY when a bound is no key; PERSISTENCE_INVALID_RANGE.
   */
  keys(range?: RangeOptions): IterableIterator<K> {
    return treeKeys(this, range) as IterableIterator<Key> as IterableIterator<K>
  }

  /** The same as `keys`, as in a `Set`. */
  values(range?: RangeOptions): IterableIterator<K> {
    return this.keys(range)
  }

  [Symbol.iterator](): IterableIterator<K> {
    return this.keys()
  }

  /** Keys in pages, for walks that are long: see {@link BTree.pages}. */
  pages(options: PageOptions = {}): AsyncGenerator<K[], void, undefined> {
    return pagesOf(this.keys(options), options)
  }

  /** The lowest key, or the lowest not below `bound`; `undefined` when there is none. */
  min(bound?: K): K | undefined {
    return this.keys(bound === undefined ? {} : { min: bound }).next().value as K | undefined
  }

  /** The highest key, or the highest not above `bound`; `undefined` when there is none. */
  max(bound?: K): K | undefined {
    const range = bound === undefined ? { reverse: true } : { max: bound, reverse: true }
    return this.keys(range).next().value as K | undefined
  }

  /** Whether everything that must hold of the set on disk and in memory holds: no problems. */
  check(): TreeProblem[] {
    return treeCheck(this)
  }
}

stored('treehook.TreeSet')(TreeSet)

/** On disk: the value of each key of a set. */
const MEMBER = true
