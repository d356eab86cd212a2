import type { TreeCursor } from './tree-cursor.js'

/** What all iterators of the language inherit from: where it has helpers, these have them too. */
const IteratorPrototype = Object.getPrototypeOf(
  Object.getPrototypeOf([][Symbol.iterator]()),
) as object

/** A cursor as an iterator. */
class TreeIterator<T> {
  readonly #cursor: TreeCursor
  readonly #pick: (cursor: TreeCursor) => T
  #isOver = false

  constructor(cursor: TreeCursor, pick: (cursor: TreeCursor) => T) {
    this.#cursor = cursor
    this.#pick = pick
  }

  next(): IteratorResult<T, undefined> {
    if (!this.#isOver && this.#cursor.advance()) {
      return { value: this.#pick(this.#cursor), done: false }
    }
    this.#isOver = true
    return { value: undefined, done: true }
  }

  return(): IteratorResult<T, undefined> {
    this.#isOver = true
    return { value: undefined, done: true }
  }
}
Object.setPrototypeOf(TreeIterator.prototype, IteratorPrototype)

/** @param pick - what is given for the entry that the cursor has reached. */
export function iterate<T>(
  cursor: TreeCursor,
  pick: (cursor: TreeCursor) => T,
): IterableIterator<T> {
  return new TreeIterator(cursor, pick) as unknown as IterableIterator<T>
}
