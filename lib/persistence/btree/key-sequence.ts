import type { Key } from './keys.js'

/** A place among rising keys that only goes forward. */
export interface KeyCursor {
  /** Of the place reached last. */
  readonly key: Key
  /** As a tree's leaf has it; only the cursors of trees. */
  readonly value?: unknown
  /** @returns false when there is no further key. */
  advance(): boolean
  /** To the first key not below `key`, which may be the present one. */
  seek(key: Key): boolean
}

/**
 * Rising keys that are worked out while they are read, as often as they are read: what a set
 * operation gives. Nothing is held but one leaf of each tree below. Keep the result with
 * `TreeSet.from(…)`.
 * @public
 */
export class KeySequence<K extends Key = Key> implements Iterable<K> {
  readonly #begin: () => KeyCursor

  /** @internal */
  constructor(begin: () => KeyCursor) {
    this.#begin = begin
  }

  *[Symbol.iterator](): IterableIterator<K> {
    const cursor = this.#begin()
    while (cursor.advance()) yield cursor.key as K
  }

  /** @internal */
  cursor(): KeyCursor {
    return this.#begin()
  }
}
