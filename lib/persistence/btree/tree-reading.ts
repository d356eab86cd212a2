import type { StorageRecord } from '../../storage/index.js'
import type { Reference } from '../reference.js'
import { type Key, searchKeys } from './keys.js'
import { TreeNode } from './tree-node.js'

/** Gives the committed nodes that References lead to, as one reader sees them. */
export interface NodeSource {
  /** Shared nodes that this commit or an earlier one wrote are what the reader sees. */
  readonly tid: number
  node(reference: Reference): TreeNode
  /** The same for one that is only passed by: it takes no room in the cache. */
  passingNode?(reference: Reference): TreeNode
  /** The record of a node that is not in memory, and does not come there by this; else `undefined`. */
  unreadNode?(reference: Reference): StorageRecord | undefined
  /** The node in such a record, made anew by each call. */
  nodeIn?(record: StorageRecord): TreeNode
}

/** The tid of a source that must be asked for every node. */
export const ASK_ALWAYS = -1

/** The stored value of a key, or `undefined`. */
export function findValue(root: TreeNode, key: Key, source: NodeSource): unknown {
  const { keys, items } = leafOf(root, key, source)
  const position = searchKeys(keys, key)
  return position < 0 ? undefined : items[position]
}

export function hasKey(root: TreeNode, key: Key, source: NodeSource): boolean {
  return searchKeys(leafOf(root, key, source).keys, key) >= 0
}

/** The leaf that holds `key`, if any does. */
function leafOf(root: TreeNode, key: Key, source: NodeSource): TreeNode {
  if (root.level === 0) return root
  const { tid } = source
  let node = root
  do {
    const position = childPosition(node, key)
    node = node.sharedChild(position, tid) ?? childAt(node, position, source)
  } while (node.level > 0)
  return node
}

/** Which child of an inner node holds `key`. */
export function childPosition(node: TreeNode, key: Key): number {
  const position = searchKeys(node.keys, key)
  return position >= 0 ? position + 1 : ~position
}

/** A child of an inner node, working or committed. @param isPassing - it is not kept for others. */
export function childAt(
  node: TreeNode,
  position: number,
  source: NodeSource,
  isPassing = false,
): TreeNode {
  const shared = node.sharedChild(position, source.tid)
  if (shared !== undefined) return shared
  const item = node.items[position]
  if (item instanceof TreeNode) return item
  if (isPassing && source.passingNode) return source.passingNode(item as Reference)
  const child = source.node(item as Reference)
  node.keepChild(position, child)
  return child
}
