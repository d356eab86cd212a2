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
  /** 0 for a leaf. */
  readonly level: number
  /**
   * Sorted. In a leaf one for each value; in an inner node one fewer than children: `keys[i]` is
   * above everything in child `i`, and not above anything in child `i + 1`.
   */
  readonly keys: Key[]
  /** Values, or children. */
  readonly items: unknown[]
  /** In the root: how many entries the tree has. */
  size: number
  /** Of the record that holds the node; NO_OID for a root and for a node not stored yet. */
  oid: Oid = NO_OID
  /** In a working copy: the node's record must be written. */
  isDirty = false

  constructor(level: number, keys: Key[], items: unknown[], size = 0) {
    this.level = level
    this.keys = keys
    this.items = items
    this.size = size
  }

  /** A copy that a transaction may change. */
  toWorking(): TreeNode {
    const copy = new TreeNode(this.level, this.keys.slice(), this.items.slice(), this.size)
    copy.oid = this.oid
    return copy
  }
}

/** Entries of a leaf, children of an inner node, at most. */
export const MAX_ITEMS = 30

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
