import type { ReadRange } from '../read-set.js'
import type { Key } from './keys.js'
import { TreeCursor, type TreeView } from './tree-cursor.js'
import type { RangeOptions } from './tree-range.js'

/** A cursor of a transaction that notes what it reads: how far it went counts, and no further. */
export class NotedCursor extends TreeCursor {
  readonly #noted: ReadRange
  #left: number

  constructor(view: TreeView, range: RangeOptions, noted: ReadRange) {
    super(view, range)
    this.#noted = noted
    this.#left = range.limit ?? Number.POSITIVE_INFINITY
  }

  override advance(): boolean {
    if (this.#left === 0) return false
    this.#left--
    return this.#note(super.advance())
  }

  override seek(key: Key): boolean {
    return this.#note(super.seek(key))
  }

  #note(isThere: boolean): boolean {
    if (isThere) this.#noted.reach(this.key)
    else this.#noted.reachEnd()
    return isThere
  }
}
