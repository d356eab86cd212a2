import type { Oid } from '../../storage/index.js'
import { NO_OID } from '../slots.js'
import { freezeDecoded } from '../stored-value.js'
import type { Key } from './keys.js'

/**
 * One node of a tree. A leaf (level 0) holds values, an inner node children: References to
 * committed nodes, or nodes of the working copy. The root stands in its owner's record; every other
 * node is a record of its own, so that writers of different leaves write different records.
 *
 * In a committed state a node is never changed; in a working copy it belongs to one transaction.
 */
export class TreeNode {
  // What every look-up touches stands first, in one line of the processor's cache.

  /** 0 for a leaf. */
  readonly level: number
  /**
   * Sorted. In a leaf one for each value; in an inner node one fewer than children: `keys[i]` is
   * above everything in child `i`, and not above anything in child `i + 1`.
   */
  keys: Key[]
  /** Values, or children. */
  items: unknown[]
  /** It is in the cache of all connections: the newest published revision. */
  #isShared = false
  /** While it is shared, the commit that wrote it. */
  #serial = 0
  /** A look-up came by since the cache looked last. */
  isUsed = false
  /**
   * In a committed inner node: those children that are shared, by position, so that a look-up goes
   * from node to node without asking the cache. See docs/adr/0015. A child stands with one parent at
   * most.
   */
  #sharedChildren: (TreeNode | undefined)[] | undefined = undefined
  #parent: TreeNode | undefined = undefined
  #position = 0
  /** In the root: how many entries the tree has. */
  size: number
  /** Of the record that holds the node; NO_OID for a root and for a node not stored yet. */
  oid: Oid = NO_OID
  /** In a working copy: the node's record must be written. */
  isDirty = false
  /** In a working copy: which span of the transaction, from savepoint to savepoint, may change it. */
  span: object | undefined = undefined

  constructor(level: number, keys: Key[], items: unknown[], size = 0) {
    this.level = level
    this.keys = keys
    this.items = items
    this.size = size
  }

  /** A copy that a transaction may change, in the given span. */
  toWorking(span: object): TreeNode {
    const copy = new TreeNode(this.level, this.keys.slice(), this.items.slice(), this.size)
    copy.oid = this.oid
    copy.isDirty = this.isDirty
    copy.span = span
    return copy
  }

  /** The shared child at `position` as those see it who see commits up to `tid`, if it is at hand. */
  sharedChild(position: number, tid: number): TreeNode | undefined {
    const child = this.#sharedChildren?.[position]
    if (child === undefined || child.#serial > tid) return undefined
    child.isUsed = true
    return child
  }

  /** Keeps a child at hand for as long as it is shared. */
  keepChild(position: number, child: TreeNode): void {
    // What a working copy has at a position changes.
    if (!child.#isShared || this.span !== undefined) return
    child.#leaveParent()
    this.#sharedChildren ??= new Array<TreeNode | undefined>(this.items.length).fill(undefined)
    this.#sharedChildren[position] = child
    child.#parent = this
    child.#position = position
  }

  /** It is the newest published revision now, and all connections read this one. */
  share(serial: number): void {
    this.#isShared = true
    this.#serial = serial
  }

  /** There is a newer revision, or the cache let it go: nobody must find it through its parent. */
  unshare(): void {
    this.#isShared = false
    this.#leaveParent()
  }

  #leaveParent(): void {
    const parent = this.#parent
    if (parent === undefined) return
    const siblings = parent.#sharedChildren
    if (siblings !== undefined) siblings[this.#position] = undefined
    this.#parent = undefined
  }
}

/** Entries of a leaf, at most. */
export const LEAF_ITEMS = 30
/** Children of an inner node, at most. It is written only when a child splits or goes. */
export const INNER_ITEMS = 120
/** Children of the root, at most: it is written with every change of the tree. */
export const ROOT_ITEMS = 30

/** The root of a tree to which nothing was ever added. */
export const EMPTY_TREE = new TreeNode(0, [], [])

/** The stored form: level, keys, items, size. */
export type EncodedNode = readonly [number, Key[], unknown[], number]

export function encodeNode({ level, keys, items, size }: TreeNode): EncodedNode {
  return [level, keys, items, size]
}

export function decodeNode([level, keys, items, size]: EncodedNode): TreeNode {
  for (const key of keys) if (typeof key === 'object') freezeDecoded(key)
  return new TreeNode(level, keys, items, size)
}
