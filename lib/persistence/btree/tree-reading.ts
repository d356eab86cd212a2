import type { Reference } from '../reference.js'
import { compareKeys, type Key, searchKeys } from './keys.js'
import { childPosition, type NodeSource } from './tree-changes.js'
import { TreeNode } from './tree-node.js'

/** Which part of a tree. Bounds are included unless said otherwise. @public */
export interface RangeOptions {
  readonly min?: Key
  readonly max?: Key
  readonly excludeMin?: boolean
  readonly excludeMax?: boolean
  /** From the highest key down. */
  readonly reverse?: boolean
}

/** The stored value of a key, or `undefined`. */
export function findValue(root: TreeNode, key: Key, source: NodeSource): unknown {
  let node = root
  while (node.level > 0) node = childAt(node, childPosition(node, key), source)
  const position = searchKeys(node.keys, key)
  return position < 0 ? undefined : node.items[position]
}

export function hasKey(root: TreeNode, key: Key, source: NodeSource): boolean {
  let node = root
  while (node.level > 0) node = childAt(node, childPosition(node, key), source)
  return searchKeys(node.keys, key) >= 0
}

/** A tree as its iterators see it: it may change under them. */
export interface TreeView {
  readonly root: TreeNode
  /** Rises with each change of structure. */
  readonly revision: number
  readonly source: NodeSource
}

/**
 * The entries of a range, with values as stored. The cursor is stable: entries added or deleted
 * meanwhile are seen or not as their key says, and no other is skipped or repeated.
 */
export function* walkRange(
  view: () => TreeView,
  { min, max, excludeMin = false, excludeMax = false, reverse = false }: RangeOptions,
): Generator<[Key, unknown], void, undefined> {
  let from = reverse ? max : min // where to go on
  let isAfter = reverse ? excludeMax : excludeMin
  const stop = reverse ? min : max
  const excludeStop = reverse ? excludeMin : excludeMax
  for (;;) {
    const { root, revision, source } = view()
    const leaf = leafFrom(root, from, isAfter, reverse, source)
    if (leaf === undefined) return
    const { node } = leaf
    for (
      let position = leaf.position;
      reverse ? position >= 0 : position < node.keys.length;
      position += reverse ? -1 : 1
    ) {
      const key = node.keys[position] as Key
      if (stop !== undefined) {
        const beyond = reverse ? compareKeys(stop, key) : compareKeys(key, stop)
        if (beyond > 0 || (beyond === 0 && excludeStop)) return
      }
      from = key
      isAfter = true
      yield [key, node.items[position]]
      const now = view()
      if (now.revision !== revision || now.root !== root) break
    }
  }
}

/** The leaf and position of the first entry at or after `from` in walking direction. */
function leafFrom(
  node: TreeNode,
  from: Key | undefined,
  isAfter: boolean,
  reverse: boolean,
  source: NodeSource,
): { node: TreeNode; position: number } | undefined {
  if (node.level === 0) {
    const position = leafPosition(node, from, isAfter, reverse)
    return position >= 0 && position < node.keys.length ? { node, position } : undefined
  }
  const count = node.items.length
  const first = from === undefined ? (reverse ? count - 1 : 0) : childPosition(node, from)
  for (let at = first; at >= 0 && at < count; at += reverse ? -1 : 1) {
    const found = leafFrom(childAt(node, at, source), from, isAfter, reverse, source)
    if (found !== undefined) return found
  }
  return undefined
}

function leafPosition(
  { keys }: TreeNode,
  from: Key | undefined,
  isAfter: boolean,
  reverse: boolean,
): number {
  if (from === undefined) return reverse ? keys.length - 1 : 0
  const found = searchKeys(keys, from)
  if (found >= 0) return isAfter ? found + (reverse ? -1 : 1) : found
  return reverse ? ~found - 1 : ~found
}

function childAt(node: TreeNode, position: number, source: NodeSource): TreeNode {
  const item = node.items[position]
  return item instanceof TreeNode ? item : source(item as Reference)
}
