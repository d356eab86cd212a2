import type { Reference } from '../reference.js'
import { NO_OID } from '../slots.js'
import { type Key, keyToken, searchKeys } from './keys.js'
import { MAX_ITEMS, TreeNode } from './tree-node.js'

/** Gives the committed node that a reference leads to. */
export type NodeSource = (reference: Reference) => TreeNode

/** What a transaction did to one key; the last deed counts. */
export interface TreeOperation {
  readonly key: Key
  /** Absent when the key was deleted. */
  readonly value?: unknown
  readonly kind: 'set' | 'delete'
}

/**
 * The working copy of one tree in one transaction, and the operations that made it, by key. When
 * other transactions changed the same nodes meanwhile, the operations are applied again to the
 * newest tree, so that only writers of the same key conflict, never writers of one node.
 */
export class TreeChanges {
  readonly #source: NodeSource
  #root: TreeNode
  #operations = new Map<unknown, TreeOperation>() // token of the key → the last operation
  /** Every key counts as written: the tree was cleared, or its owner was removed or moved. */
  touchesAll = false
  #wasCleared = false
  /** Rises with each change of structure: iterators look for their place again. */
  revision = 1

  constructor(root: TreeNode, source: NodeSource) {
    this.#root = root.toWorking()
    this.#source = source
  }

  get root(): TreeNode {
    return this.#root
  }

  get operations(): Iterable<TreeOperation> {
    return this.#operations.values()
  }

  get isEmpty(): boolean {
    return this.#operations.size === 0 && !this.touchesAll && !this.#wasCleared
  }

  /** @returns whether the key is new. */
  set(key: Key, value: unknown): boolean {
    this.#operations.set(keyToken(key), { key, value, kind: 'set' })
    const isNew = this.#insert(key, value)
    if (isNew) this.#root.size++
    this.#root.isDirty = true
    this.revision++
    return isNew
  }

  /** @returns whether the key was there. */
  delete(key: Key): boolean {
    const wasThere = this.#remove(this.#root, key)
    if (!wasThere) return false
    this.#operations.set(keyToken(key), { key, kind: 'delete' })
    this.#root.size--
    this.#root.isDirty = true
    this.#collapse()
    this.revision++
    return true
  }

  clear(): void {
    this.#operations.clear()
    this.#wasCleared = true
    this.touchesAll = true
    this.#root = new TreeNode(0, [], [])
    this.#root.isDirty = true
    this.revision++
  }

  /** The same operations on another tree. */
  replayOn(root: TreeNode, source: NodeSource): TreeChanges {
    const replayed = new TreeChanges(root, source)
    if (this.#wasCleared) replayed.clear()
    replayed.touchesAll = this.touchesAll
    for (const operation of this.#operations.values()) {
      if (operation.kind === 'set') replayed.set(operation.key, operation.value)
      else replayed.delete(operation.key)
    }
    return replayed
  }

  /** The tree was never stored after all: its nodes get their oids when it is. */
  forgetOids(): void {
    forgetOids(this.#root)
  }

  /** The child of a working node as a working node; a committed one is copied into its place. */
  #child(parent: TreeNode, position: number): TreeNode {
    const item = parent.items[position]
    if (item instanceof TreeNode) return item
    const child = this.#source(item as Reference).toWorking()
    child.oid = (item as Reference).oid
    parent.items[position] = child
    return child
  }

  #insert(key: Key, value: unknown): boolean {
    const root = this.#root
    const isNew = this.#insertBelow(root, key, value)
    if (root.items.length > MAX_ITEMS) {
      // The root keeps its place in its owner's record: both halves go below it.
      const { right, separator } = split(root, key)
      const left = new TreeNode(root.level, root.keys, root.items)
      left.isDirty = true
      this.#root = new TreeNode(root.level + 1, [separator], [left, right], root.size)
    }
    return isNew
  }

  #insertBelow(node: TreeNode, key: Key, value: unknown): boolean {
    if (node.level === 0) {
      const position = searchKeys(node.keys, key)
      node.isDirty = true
      if (position >= 0) {
        node.items[position] = value
        return false
      }
      node.keys.splice(~position, 0, key)
      node.items.splice(~position, 0, value)
      return true
    }
    const position = childPosition(node, key)
    const child = this.#child(node, position)
    const isNew = this.#insertBelow(child, key, value)
    if (child.items.length > MAX_ITEMS) {
      const { right, separator } = split(child, key)
      node.keys.splice(position, 0, separator)
      node.items.splice(position + 1, 0, right)
      node.isDirty = true
    }
    return isNew
  }

  #remove(node: TreeNode, key: Key): boolean {
    if (node.level === 0) {
      const position = searchKeys(node.keys, key)
      if (position < 0) return false
      node.keys.splice(position, 1)
      node.items.splice(position, 1)
      node.isDirty = true
      return true
    }
    const position = childPosition(node, key)
    const child = this.#child(node, position)
    const wasThere = this.#remove(child, key)
    if (child.items.length === 0) {
      node.items.splice(position, 1)
      node.keys.splice(position === 0 ? 0 : position - 1, 1)
      node.isDirty = true
    }
    return wasThere
  }

  /** A root without entries, or with one child, becomes a smaller tree. */
  #collapse(): void {
    while (this.#root.level > 0 && this.#root.items.length <= 1) {
      const { size } = this.#root
      const only =
        this.#root.items.length === 0 ? new TreeNode(0, [], []) : this.#child(this.#root, 0)
      this.#root = new TreeNode(only.level, only.keys, only.items, size)
      this.#root.isDirty = true
    }
  }
}

function forgetOids(node: TreeNode): void {
  node.oid = NO_OID
  if (node.level > 0) for (const child of node.items) forgetOids(child as TreeNode)
}

/** Which child of an inner node holds `key`. */
export function childPosition(node: TreeNode, key: Key): number {
  const position = searchKeys(node.keys, key)
  return position >= 0 ? position + 1 : ~position
}

/**
 * Moves the upper part of an overfull node into a new one. After an insertion at the very end only
 * the last item moves, so that rising keys leave full nodes behind.
 */
function split(node: TreeNode, inserted: Key): { right: TreeNode; separator: Key } {
  const count = node.items.length
  const isLeaf = node.level === 0
  const last = node.keys[node.keys.length - 1] as Key
  const atEnd = isLeaf ? last === inserted : searchKeys(node.keys, inserted) === ~node.keys.length
  const cut = atEnd ? count - 1 : count >>> 1
  const rightItems = node.items.splice(cut)
  const rightKeys = node.keys.splice(isLeaf ? cut : cut - 1)
  const separator = (isLeaf ? rightKeys[0] : rightKeys.shift()) as Key
  const right = new TreeNode(node.level, rightKeys, rightItems)
  right.isDirty = true
  node.isDirty = true
  return { right, separator }
}
