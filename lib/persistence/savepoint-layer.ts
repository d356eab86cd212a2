import type { TreeChanges, TreeSavepoint } from './btree/tree-changes.js'
import type { NestedImage } from './nested-values.js'
import type { OpaqueCopy } from './opaque-copies.js'
import type { Persistent } from './persistent.js'
import type { Slots } from './slots.js'

/** What an object was when it was first written after a savepoint. */
export interface ObjectImage {
  readonly writtenIn: number
  readonly values: unknown[]
  readonly nested: NestedImage | undefined
  readonly tree: { readonly changes: TreeChanges; readonly savepoint: TreeSavepoint } | undefined
}

/** An object that was not the connection's yet. */
export const NOT_ADDED: unique symbol = Symbol('notAdded')

/**
 * What has changed since one savepoint, as it was before: kept when it is first written, so that a
 * savepoint itself costs nothing.
 *
 * A layer knows the next one and nobody knows an earlier one but its savepoint: when the program
 * drops a savepoint, what only that one needs can be collected.
 */
export class SavepointLayer {
  readonly #images = new Map<Persistent, ObjectImage | typeof NOT_ADDED>()
  readonly #copies = new Map<OpaqueCopy, object>() // → what it held at the savepoint before
  #next: SavepointLayer | undefined

  /** The layer of the next savepoint. */
  succeed(): SavepointLayer {
    this.#next = new SavepointLayer()
    return this.#next
  }

  /** Must be called before the object is written. */
  keep(object: Persistent, slots: Slots): void {
    if (!this.#images.has(object)) this.#images.set(object, imageOf(slots))
  }

  keepNotAdded(object: Persistent): void {
    if (!this.#images.has(object)) this.#images.set(object, NOT_ADDED)
  }

  keepCopy(copy: OpaqueCopy, before: object): void {
    this.#copies.set(copy, before)
  }

  /** The objects written or added since this savepoint, and before the next one. */
  get written(): Iterable<Persistent> {
    return this.#images.keys()
  }

  /** What has changed since this savepoint, as it was then. */
  images(): Map<Persistent, ObjectImage | typeof NOT_ADDED> {
    return this.#firstOf((layer) => layer.#images)
  }

  /** What was held at this savepoint by the copies that held something else at a later one. */
  copies(): Map<OpaqueCopy, object> {
    return this.#next === undefined ? new Map() : this.#next.#firstOf((layer) => layer.#copies)
  }

  /** Nothing has changed since. */
  reset(): void {
    this.#images.clear()
    this.#next = undefined
  }

  #firstOf<K, V>(mapOf: (layer: SavepointLayer) => Map<K, V>): Map<K, V> {
    const first = new Map<K, V>()
    for (let layer: SavepointLayer | undefined = this; layer !== undefined; layer = layer.#next) {
      for (const [key, value] of mapOf(layer)) if (!first.has(key)) first.set(key, value)
    }
    return first
  }
}

function imageOf({ writtenIn, values, nested, tree }: Slots): ObjectImage {
  return {
    writtenIn,
    values,
    nested: nested?.image(),
    tree: tree && { changes: tree, savepoint: tree.savepoint() },
  }
}
