import { HAS_TREE } from '../class-layout.js'
import { stored } from '../class-registry.js'
import { Persistent } from '../persistent.js'
import type { Key } from './keys.js'
import {
  treeClear,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeKeys,
  treeSet,
  treeSize,
} from './tree-access.js'
import type { RangeOptions } from './tree-reading.js'

/**
 * A sorted collection that is stored in pieces: reading one key loads a handful of records of up to
 * 30 entries, whatever the size. Transactions that write different keys never conflict.
 *
 * Plain values read from a tree are frozen: change one by setting it again.
 *
 * Source: `BTrees.OOBTree`; its inner-node conflicts (ZODB #232) do not exist here.
 * @public
 */
export class BTree<K extends Key = Key, V = unknown> extends Persistent {
  static readonly [HAS_TREE] = true

  /** How many entries there are. O(1). */
  get size(): number {
    return treeSize(this)
  }

  /** The value, or `undefined`. */
  get(key: K): V | undefined {
    return treeGet(this, key) as V | undefined
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

  /** @returns whether the key was there. */
  delete(key: K): boolean {
    return treeDelete(this, key)
  }

  /** Conflicts with every concurrent write to this tree. */
  clear(): void {
    treeClear(this)
  }

  keys(range?: RangeOptions): IterableIterator<K> {
    return treeKeys(this, range) as Iterator<Key> as IterableIterator<K>
  }

  *values(range?: RangeOptions): IterableIterator<V> {
    for (const [, value] of treeEntries(this, range)) yield value as V
  }

  entries(range?: RangeOptions): IterableIterator<[K, V]> {
    return treeEntries(this, range) as Iterator<[Key, unknown]> as IterableIterator<[K, V]>
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
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
}

stored('treehook.BTree')(BTree)
