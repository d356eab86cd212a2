import { isDeepStrictEqual } from 'node:util'
import { stored } from './class-registry.js'
import type { ConflictStates } from './conflict-resolver.js'
import { field } from './field.js'
import { mergeField } from './merge-field.js'
import { Persistent } from './persistent.js'

/** What can be a key of a `PersistentMap`. @public */
export type MapKey = string | number | bigint | boolean | null | undefined

/**
 * A `Map` that is an object of its own, in one record: for some hundred entries at most, read
 * together. For more, or for a range of keys, use a `BTree`.
 *
 * Values are what fields can hold, and notice their own changes. Transactions that write different
 * keys do not conflict. What changes nothing writes nothing.
 *
 * Source: `persistent.mapping.PersistentMapping`, of which any two writers conflict.
 * @public
 */
export class PersistentMap<K extends MapKey = string, V = unknown> extends Persistent {
  // Private to TypeScript only: loading an object runs no constructor.
  @field private accessor data: Map<K, V> = new Map()

  /** @throws PERSISTENCE_UNSTORABLE_VALUE */
  constructor(entries: Iterable<readonly [K, V]> = []) {
    super()
    this.update(entries)
  }

  get size(): number {
    return this.data.size
  }

  get(key: K): V | undefined {
    return this.data.get(key)
  }

  has(key: K): boolean {
    return this.data.has(key)
  }

  /**
   * A scalar that is there already is not written again.
   * @throws PERSISTENCE_UNSTORABLE_VALUE
   */
  set(key: K, value: V): this {
    const { data } = this
    if (!Object.is(data.get(key), value) || !data.has(key)) data.set(key, value)
    return this
  }

  /** The value that is there, or `value`, which is set then. ZODB's `setdefault`. */
  getOrInsert(key: K, value: V): V {
    const { data } = this
    if (!data.has(key)) data.set(key, value)
    return data.get(key) as V
  }

  /** Sets all entries, of an array, a Map, another map or a tree. */
  update(entries: Iterable<readonly [K, V]>): this {
    for (const [key, value] of entries) this.set(key, value)
    return this
  }

  /** @returns whether the key was there. */
  delete(key: K): boolean {
    return this.data.has(key) && this.data.delete(key)
  }

  /** Deletes the key. @returns the value that was there, or `undefined`. */
  pop(key: K): V | undefined {
    const value = this.get(key)
    this.delete(key)
    return value
  }

  clear(): void {
    if (this.size > 0) this.data.clear()
  }

  /** Keys in the order in which they were first set; so the following. */
  keys(): IterableIterator<K> {
    return this.data.keys()
  }

  values(): IterableIterator<V> {
    return this.data.values()
  }

  entries(): IterableIterator<[K, V]> {
    return this.data.entries()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  forEach(visit: (value: V, key: K, map: this) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this)
  }

  /** Takes over the keys that only the other transaction wrote; conflicts on a key that both wrote. */
  static resolveConflict(states: ConflictStates<MapState>): object | undefined {
    return mergeField(states, 'data', mergeMaps)
  }
}

stored('treehook.PersistentMap')(PersistentMap)

type AnyMap = Map<unknown, unknown>
type MapState = { readonly data: AnyMap }

/** The saved map with the changes from `old` to `wanted`; `undefined` when both changed a key. */
function mergeMaps({ old, saved, wanted }: ConflictStates<AnyMap>): AnyMap | undefined {
  const merged = new Map(saved)
  for (const key of new Set([...old.keys(), ...wanted.keys()])) {
    if (isSameAt(key, old, wanted)) continue
    if (!isSameAt(key, old, saved)) return undefined
    if (wanted.has(key)) merged.set(key, wanted.get(key))
    else merged.delete(key)
  }
  return merged
}

function isSameAt(key: unknown, one: AnyMap, other: AnyMap): boolean {
  return one.has(key) === other.has(key) && isDeepStrictEqual(one.get(key), other.get(key))
}
