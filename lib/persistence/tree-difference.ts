import type { Oid } from '../storage/index.js'
import { compareKeys, type Key, keyToken } from './btree/keys.js'
import type { TreeNode } from './btree/tree-node.js'
import { childPosition } from './btree/tree-reading.js'
import type { Reference } from './reference.js'
import { sameValue } from './state-codec.js'

/** One key of a tree with its value in committed form. */
export interface TreeEntry {
  readonly key: Key
  readonly value: unknown
}

/** What one commit did to one key of a tree. */
export interface KeyChange {
  readonly key: Key
  /** `undefined` where the key was not there. */
  readonly before: TreeEntry | undefined
  /** `undefined` where the key is not there. */
  readonly after: TreeEntry | undefined
}

/** A tree as one commit left it. */
export interface TreeRevision {
  readonly root: TreeNode
  /** The node as that commit left it; `undefined` when there was none. */
  node(oid: Oid): TreeNode | undefined
}

/**
 * What one commit did to a tree, by rising key. Reads the nodes that the commit wrote, those that it
 * let go, and what leads to them: how large the tree is does not matter.
 *
 * @param writtenNodes - all nodes that the commit wrote, of this tree and others.
 */
export function treeDifference(
  before: TreeRevision,
  after: TreeRevision,
  writtenNodes: ReadonlySet<Oid>,
): KeyChange[] {
  const kept = childrenOfWritten(after, writtenNodes)
  const old = new EntryCollector(before, writtenNodes, (oid) => !kept.has(oid)).entries
  const recent = new EntryCollector(after, writtenNodes, () => false).entries
  const changes: KeyChange[] = []
  for (const [token, entry] of old) {
    const now = recent.get(token)
    if (now === undefined || !sameValue(entry.value, now.value)) {
      changes.push({ key: entry.key, before: entry, after: now })
    }
  }
  for (const [token, entry] of recent) {
    if (!old.has(token)) changes.push({ key: entry.key, before: undefined, after: entry })
  }
  return changes.sort((one, other) => compareKeys(one.key, other.key))
}

/** True when both are there with the same value, or neither is. */
export function sameEntry(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  return sameValue(one.value, other.value)
}

/** Every entry of a tree. */
export function* entriesOf(revision: TreeRevision): IterableIterator<TreeEntry> {
  yield* entriesBelow(revision.root, revision)
}

/** The oids of all nodes of a tree but its root. */
export function* nodesOf(revision: TreeRevision): IterableIterator<Oid> {
  yield* nodesBelow(revision.root, revision)
}

function* entriesBelow(node: TreeNode, revision: TreeRevision): IterableIterator<TreeEntry> {
  if (node.level === 0) yield* entriesIn(node)
  else for (const oid of childrenOf(node)) yield* entriesBelow(nodeOf(revision, oid), revision)
}

function* nodesBelow(node: TreeNode, revision: TreeRevision): IterableIterator<Oid> {
  for (const oid of childrenOf(node)) {
    yield oid
    yield* nodesBelow(nodeOf(revision, oid), revision)
  }
}

function* entriesIn({ keys, items }: TreeNode): IterableIterator<TreeEntry> {
  for (let at = 0; at < keys.length; at++) yield { key: keys[at] as Key, value: items[at] }
}

function childrenOf({ level, items }: TreeNode): Oid[] {
  return level === 0 ? [] : items.map((item) => (item as Reference).oid)
}

/** A node that cannot be read ends the walk with the error of whoever reads it. */
function nodeOf(revision: TreeRevision, oid: Oid): TreeNode {
  return revision.node(oid) as TreeNode
}

/** Where the commit wrote to, whatever is a child of something it wrote is still in a tree. */
function childrenOfWritten(after: TreeRevision, writtenNodes: ReadonlySet<Oid>): Set<Oid> {
  const children = new Set(childrenOf(after.root))
  for (const oid of writtenNodes) {
    const node = after.node(oid)
    if (node !== undefined) for (const child of childrenOf(node)) children.add(child)
  }
  return children
}

/**
 * The entries of those leaves that a commit wrote or let go. Finds them by the keys that it wrote:
 * a node between them and the root need not have been written itself.
 */
class EntryCollector {
  readonly entries = new Map<unknown, TreeEntry>() // by token of the key
  readonly #revision: TreeRevision
  readonly #written: ReadonlySet<Oid>
  readonly #isLetGo: (oid: Oid) => boolean

  /** @param isLetGo - of a child of a node that the commit wrote or let go. */
  constructor(revision: TreeRevision, written: ReadonlySet<Oid>, isLetGo: (oid: Oid) => boolean) {
    this.#revision = revision
    this.#written = written
    this.#isLetGo = isLetGo
    this.#visit(revision.root, true, this.#probes())
  }

  /** A key out of every node written: the way to it is the way to the node. */
  #probes(): Key[] {
    const probes: Key[] = []
    for (const oid of this.#written) {
      const key = this.#someKey(this.#revision.node(oid))
      if (key !== undefined) probes.push(key)
    }
    return probes
  }

  /** An inner node with one child has no key of its own. */
  #someKey(node: TreeNode | undefined): Key | undefined {
    if (node === undefined || node.keys.length > 0) return node?.keys[0]
    const [child] = childrenOf(node)
    return child === undefined ? undefined : this.#someKey(this.#revision.node(child))
  }

  /** @param isTouched - the commit wrote the node, or let it go. */
  #visit(node: TreeNode, isTouched: boolean, probes: readonly Key[]): void {
    if (node.level === 0) {
      for (const entry of entriesIn(node)) this.entries.set(keyToken(entry.key), entry)
      return
    }
    const shares = sharesOf(node, probes)
    for (const [position, oid] of childrenOf(node).entries()) {
      const isChildTouched = this.#written.has(oid) || (isTouched && this.#isLetGo(oid))
      const share = shares.get(position)
      if (!isChildTouched && (share === undefined || node.level === 1)) continue
      this.#visit(nodeOf(this.#revision, oid), isChildTouched, share ?? [])
    }
  }
}

/** The keys that belong below each child of an inner node. */
function sharesOf(node: TreeNode, keys: readonly Key[]): Map<number, Key[]> {
  const shares = new Map<number, Key[]>()
  for (const key of keys) {
    const position = childPosition(node, key)
    const share = shares.get(position)
    if (share === undefined) shares.set(position, [key])
    else share.push(key)
  }
  return shares
}
