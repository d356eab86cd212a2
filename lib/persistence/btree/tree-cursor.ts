import { compareKeys, type Key, searchKeys } from './keys.js'
import type { TreeNode } from './tree-node.js'
import type { RangeOptions } from './tree-range.js'
import { childAt, childPosition, type NodeSource } from './tree-reading.js'

/** A tree as its cursors see it: it may change under them. */
export interface TreeView {
  readonly root: TreeNode
  /** Rises with each change of structure. */
  readonly revision: number
  readonly source: NodeSource
}

/** In place of how many entries are left, where all are asked for. */
const ALL = -1

/** A walk over more leaves than this does not keep those that follow, some 30,000 entries: they would
 * take the place of what is used again, and be garbage soon. */
const KEPT_LEAVES = 1000

/**
 * Goes through the entries of a range, with values as stored. It is stable: entries added or deleted
 * meanwhile are seen or not as their key says, and no other is skipped or repeated. It holds one
 * leaf, and none that it passed.
 */
export class TreeCursor {
  readonly #view: TreeView
  readonly #isReverse: boolean
  readonly #stop: Key | undefined
  readonly #excludesStop: boolean
  #from: Key | undefined // where to go on
  #isAfter: boolean // beyond that key, and not at it
  #left: number // entries it may still reach; ALL where there is no limit
  #key: Key | undefined
  readonly #path: TreeNode[] = [] // inner nodes on the way to the leaf, and which child of each
  readonly #turns: number[] = []
  #leaf: TreeNode | undefined
  #leaves = 0 // entered so far
  #position = 0
  #end = 0 // the last position of the leaf that is inside the range, or beside it
  #root: TreeNode | undefined
  #revision = 0

  constructor(
    view: TreeView,
    {
      min,
      max,
      excludeMin = false,
      excludeMax = false,
      reverse = false,
      limit = ALL,
    }: RangeOptions = {},
  ) {
    this.#view = view
    this.#isReverse = reverse
    this.#from = reverse ? max : min
    this.#isAfter = reverse ? excludeMax : excludeMin
    this.#stop = reverse ? min : max
    this.#excludesStop = reverse ? excludeMin : excludeMax
    // Infinity would make each step one of a floating number.
    this.#left = limit === Number.POSITIVE_INFINITY ? ALL : limit
  }

  /** Of the entry reached last: what its leaf has there may be another by now. */
  get key(): Key {
    return this.#key as Key
  }

  /** Of the entry reached last, in stored form. To be asked at once. */
  get value(): unknown {
    return this.#leaf?.items[this.#position]
  }

  /** @returns false when there is no further entry; from then on always. */
  advance(): boolean {
    if (this.#left === 0) return false
    if (this.#left !== ALL) this.#left--
    const { root, revision } = this.#view
    const leaf = this.#leaf
    if (leaf !== undefined) {
      if (root === this.#root && revision === this.#revision) {
        if (this.#position === this.#end) return this.#nextLeaf()
        this.#position += this.#isReverse ? -1 : 1
        this.#key = leaf.keys[this.#position]
        return true
      }
      this.#from = this.#key
      this.#isAfter = true
    }
    return this.#descend(root, revision)
  }

  /**
   * Goes forward to the first entry whose key is `key` or above, which may be the present one. Only
   * for cursors that rise, and that were advanced before.
   */
  seek(key: Key): boolean {
    const leaf = this.#leaf
    if (leaf === undefined || compareKeys(this.key, key) >= 0) return leaf !== undefined
    const { root, revision } = this.#view
    if (root === this.#root && revision === this.#revision) {
      const found = searchKeys(leaf.keys, key)
      const position = found < 0 ? ~found : found
      if (position <= this.#end) {
        this.#position = position
        this.#key = leaf.keys[position]
        return true
      }
    }
    this.#from = key
    this.#isAfter = false
    return this.#descend(root, revision)
  }

  /** From the root to the first entry at or after `from` in walking direction. */
  #descend(root: TreeNode, revision: number): boolean {
    const { source } = this.#view
    this.#root = root
    this.#revision = revision
    this.#path.length = 0
    this.#turns.length = 0
    let node = root
    while (node.level > 0) {
      const turn = this.#from === undefined ? this.#firstOf(node) : childPosition(node, this.#from)
      node = this.#down(node, turn, source)
    }
    return this.#enter(node, this.#positionIn(node.keys))
  }

  /** To the leaf beside the present one: up to the first node that has a further child, and down. */
  #nextLeaf(): boolean {
    const { source } = this.#view
    const step = this.#isReverse ? -1 : 1
    for (;;) {
      const parent = this.#path.pop()
      if (parent === undefined) return this.#finish()
      const turn = (this.#turns.pop() as number) + step
      if (turn < 0 || turn >= parent.items.length) continue
      let node = this.#down(parent, turn, source)
      while (node.level > 0) node = this.#down(node, this.#firstOf(node), source)
      return this.#enter(node, this.#isReverse ? node.keys.length - 1 : 0)
    }
  }

  #down(node: TreeNode, turn: number, source: NodeSource): TreeNode {
    this.#path.push(node)
    this.#turns.push(turn)
    return childAt(node, turn, source, node.level === 1 && this.#leaves > KEPT_LEAVES)
  }

  #firstOf({ items }: TreeNode): number {
    return this.#isReverse ? items.length - 1 : 0
  }

  #enter(leaf: TreeNode, position: number): boolean {
    if (position < 0 || position >= leaf.keys.length) return this.#nextLeaf()
    const end = this.#endIn(leaf.keys)
    if (this.#isReverse ? position < end : position > end) return this.#finish()
    this.#leaf = leaf
    this.#leaves++
    this.#position = position
    this.#end = end
    this.#key = leaf.keys[position]
    return true
  }

  #finish(): boolean {
    this.#leaf = undefined
    this.#left = 0
    return false
  }

  #positionIn(keys: readonly Key[]): number {
    if (this.#from === undefined) return this.#isReverse ? keys.length - 1 : 0
    const found = searchKeys(keys, this.#from)
    if (found >= 0) return this.#isAfter ? found + (this.#isReverse ? -1 : 1) : found
    return this.#isReverse ? ~found - 1 : ~found
  }

  /** The last position inside the range; beside the leaf when there is none. */
  #endIn(keys: readonly Key[]): number {
    if (this.#stop === undefined) return this.#isReverse ? 0 : keys.length - 1
    const found = searchKeys(keys, this.#stop)
    if (found < 0) return this.#isReverse ? ~found : ~found - 1
    if (!this.#excludesStop) return found
    return this.#isReverse ? found + 1 : found - 1
  }
}
