import type { Oid, StorageRecord } from '../../storage/index.js'
import { Reference } from '../reference.js'
import { NO_OID } from '../slots.js'
import { compareKeys, type Key, keyToken, searchKeys } from './keys.js'
import { INNER_ITEMS, LEAF_ITEMS, ROOT_ITEMS, TreeNode } from './tree-node.js'
import { childPosition, findValue, hasKey, type NodeSource } from './tree-reading.js'

/** What a transaction did to one key; the last deed counts. */
export interface TreeOperation {
  readonly key: Key
  /** Absent when the key was deleted. */
  readonly value?: unknown
  readonly kind: 'set' | 'delete'
}

/** A working copy as it was at one instant. Costs nothing to make. */
export interface TreeSavepoint {
  readonly root: TreeNode
  /** How many entries of the journal come before it. */
  readonly deeds: number
  readonly touchesAll: boolean
  readonly wasCleared: boolean
}

/** What brings the operations back to before one deed. */
type Undo = (operations: Map<unknown, TreeOperation>) => Map<unknown, TreeOperation>

/**
 * The working copy of one tree in one transaction, and the operations that made it, by key. When
 * other transactions changed the same nodes meanwhile, the operations are applied again to the
 * newest tree, so that only writers of the same key conflict, never writers of one node.
 *
 * Nodes are copied before their first change, and once more in each span between two savepoints. A
 * transaction that changes many leaves which nobody has in memory keeps those as they are stored, and
 * notes what it does to them: they become nodes when somebody asks for the tree, at commit or before.
 * See docs/adr/0028.
 */
export class TreeChanges {
  readonly #source: NodeSource
  readonly #isRemembering: boolean
  #root: TreeNode
  #operations = new Map<unknown, TreeOperation>() // token of the key → the last operation
  #journal: Undo[] | undefined // since the first savepoint
  #span = {} // nodes that bear it may be changed in place
  #recent: RecentLeaf | undefined
  #leaves = 0 // copied so far
  readonly #waiting = new Map<Oid, WaitingLeaf>() // leaves with one operation that is not applied yet
  #due: WaitingLeaf | undefined // the one that is being applied
  /** Every key counts as written: the tree was cleared, or its owner was removed or moved. */
  touchesAll = false
  #wasCleared = false
  #isTakenIn = false // all its values were looked at; else of a new tree only the first look is complete
  /** Rises with each change of structure: iterators look for their place again. */
  revision = 1

  /**
   * @param isRemembering - false for a tree that nobody else can have changed, since it was never
   *   stored: then there is nothing to apply again.
   */
  constructor(root: TreeNode, source: NodeSource, isRemembering = true) {
    this.#root = root.toWorking(this.#span)
    this.#source = source
    this.#isRemembering = isRemembering
  }

  /** With all that was done to the tree. */
  get root(): TreeNode {
    if (this.#waiting.size > 0) this.#applyWaiting()
    return this.#root
  }

  /** How many entries there are. O(1). */
  get size(): number {
    return this.#root.size
  }

  get operations(): Iterable<TreeOperation> {
    return this.#operations.values()
  }

  get isEmpty(): boolean {
    if (this.#operations.size > 0 || this.touchesAll || this.#wasCleared) return false
    return this.#isRemembering || !this.#root.isDirty
  }

  /** The stored value of a key, or `undefined`. */
  find(key: Key): unknown {
    const operation = this.#noted(key)
    return operation === undefined ? findValue(this.#root, key, this.#source) : operation.value
  }

  has(key: Key): boolean {
    const operation = this.#noted(key)
    return operation === undefined
      ? hasKey(this.#root, key, this.#source)
      : operation.kind === 'set'
  }

  /** @returns whether the key is new. */
  set(key: Key, value: unknown): boolean {
    const operation: TreeOperation = { key, value, kind: 'set' }
    const isNew = this.#setRecent(key, value) ?? this.#insert(operation)
    this.#remember(operation)
    const root = this.#ownRoot()
    if (isNew) root.size++
    root.isDirty = true
    this.revision++
    return isNew
  }

  /** @returns whether the key was there. */
  delete(key: Key): boolean {
    if (!hasKey(this.root, key, this.#source)) return false
    this.#remember({ key, kind: 'delete' })
    this.#recent = undefined
    const root = this.#ownRoot()
    this.#remove(root, key)
    root.size--
    root.isDirty = true
    this.#collapse()
    this.revision++
    return true
  }

  clear(): void {
    const cleared = this.#operations
    this.#journal?.push(() => cleared)
    this.#operations = new Map()
    this.#waiting.clear()
    this.#wasCleared = true
    this.touchesAll = true
    this.#recent = undefined
    this.#root = this.#newNode(0, [], [])
    this.revision++
  }

  /** The values in the nodes that were changed since the last savepoint; of a new tree first all. */
  recentValues(): IterableIterator<unknown> {
    const isFirst = !this.#isRemembering && !this.#isTakenIn
    this.#isTakenIn = true
    return valuesIn(this.root, isFirst ? undefined : this.#span)
  }

  /** An instant to come back to, any number of times. Applies what waits. */
  savepoint(): TreeSavepoint {
    const { root } = this
    this.#journal ??= []
    this.#beginSpan()
    return {
      root,
      deeds: this.#journal.length,
      touchesAll: this.touchesAll,
      wasCleared: this.#wasCleared,
    }
  }

  /** Back to what it was; savepoints made since are void. */
  rollbackTo({ root, deeds, touchesAll, wasCleared }: TreeSavepoint): void {
    const undone = this.#journal?.splice(deeds) ?? []
    for (const undo of undone.reverse()) this.#operations = undo(this.#operations)
    this.#root = root
    this.#waiting.clear()
    this.touchesAll = touchesAll
    this.#wasCleared = wasCleared
    this.#beginSpan()
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
    this.#isTakenIn = false
    forgetOids(this.#root)
  }

  /** Nodes changed so far stay as they are: who changes them further makes copies. */
  #beginSpan(): void {
    this.#span = {}
    this.#recent = undefined
  }

  #remember(operation: TreeOperation): void {
    if (!this.#isRemembering) return
    const token = keyToken(operation.key)
    if (this.#journal !== undefined) {
      const before = this.#operations.get(token)
      this.#journal.push((operations) => {
        if (before === undefined) operations.delete(token)
        else operations.set(token, before)
        return operations
      })
    }
    this.#operations.set(token, operation)
  }

  #ownRoot(): TreeNode {
    if (this.#root.span !== this.#span) this.#root = this.#root.toWorking(this.#span)
    return this.#root
  }

  /** A child of a node of this span, as a node of this span: copied into its place where it is not. */
  #ownChild(parent: TreeNode, position: number): TreeNode {
    const item = parent.items[position] as TreeNode | Reference
    if (!(item instanceof TreeNode)) {
      const child = this.#committedNode(item).toWorking(this.#span)
      child.oid = item.oid
      parent.items[position] = child
      if (child.level === 0) this.#leaves++
      return child
    }
    if (item.span === this.#span) return item
    const child = item.toWorking(this.#span)
    parent.items[position] = child
    return child
  }

  #committedNode(reference: Reference): TreeNode {
    const due = this.#due
    return due?.record.oid === reference.oid
      ? this.#nodeIn(due.record)
      : this.#source.node(reference)
  }

  #nodeIn(record: StorageRecord): TreeNode {
    return this.#source.nodeIn?.(record) as TreeNode
  }

  #newNode(level: number, keys: Key[], items: unknown[], size = 0): TreeNode {
    const node = new TreeNode(level, keys, items, size)
    node.span = this.#span
    node.isDirty = true
    return node
  }

  /**
   * Into the leaf of the last key, which spares the way from the root when keys come in order.
   * @returns whether the key is new; `undefined` when it belongs elsewhere, or the leaf is full.
   */
  #setRecent(key: Key, value: unknown): boolean | undefined {
    const recent = this.#recent
    if (recent === undefined || !isWithin(key, recent)) return undefined
    const { leaf } = recent
    const position = searchKeys(leaf.keys, key)
    if (position < 0 && leaf.keys.length >= LEAF_ITEMS) return undefined
    return putInLeaf(leaf, position, key, value)
  }

  /** What was done to a key, while some of that is not applied. */
  #noted(key: Key): TreeOperation | undefined {
    return this.#waiting.size === 0 ? undefined : this.#operations.get(keyToken(key))
  }

  #applyWaiting(): void {
    for (const leaf of this.#waiting.values()) this.#apply(leaf)
    this.revision++
  }

  #apply(leaf: WaitingLeaf): void {
    this.#due = leaf
    try {
      this.#insert(leaf.operation)
      this.#waiting.delete(leaf.record.oid)
    } finally {
      this.#due = undefined
    }
  }

  #insert(operation: TreeOperation): boolean {
    const root = this.#ownRoot()
    this.#recent = undefined
    const met = this.#insertBelow(root, operation, undefined, undefined)
    if (typeof met !== 'boolean') {
      this.#apply(met)
      return this.#insert(operation)
    }
    if (root.items.length > (root.level === 0 ? LEAF_ITEMS : ROOT_ITEMS)) {
      // The root keeps its place in its owner's record: both halves go below it.
      const { right, separator } = this.#split(root, operation.key)
      const left = this.#newNode(root.level, root.keys, root.items)
      this.#root = this.#newNode(root.level + 1, [separator], [left, right], root.size)
    }
    return met
  }

  /**
   * @param low, high - between which keys the node is; `undefined` where nothing bounds it.
   * @returns whether the key is new; a leaf that has to be applied before, when it belongs into that.
   */
  #insertBelow(
    node: TreeNode,
    operation: TreeOperation,
    low: Key | undefined,
    high: Key | undefined,
  ): boolean | WaitingLeaf {
    const { key, value } = operation
    if (node.level === 0) {
      this.#recent = { leaf: node, low, high }
      return putInLeaf(node, searchKeys(node.keys, key), key, value)
    }
    const position = childPosition(node, key)
    const item = node.items[position]
    if (node.level === 1 && this.#leaves >= COPIED_LEAVES && item instanceof Reference) {
      const known = this.#putBy(item, operation)
      if (known !== undefined) return known
    }
    const child = this.#ownChild(node, position)
    const isNew = this.#insertBelow(
      child,
      operation,
      node.keys[position - 1] ?? low,
      node.keys[position] ?? high,
    )
    if (child.items.length > (child.level === 0 ? LEAF_ITEMS : INNER_ITEMS)) {
      const { right, separator } = this.#split(child, key)
      node.keys = withItem(node.keys, position, separator)
      node.items = withItem(node.items, position + 1, right)
      node.isDirty = true
    }
    return isNew
  }

  /**
   * Notes the operation with its leaf as that is stored, when nobody has the leaf in memory.
   * @returns as above; `undefined` when the leaf is to be copied and changed now.
   */
  #putBy(reference: Reference, operation: TreeOperation): boolean | WaitingLeaf | undefined {
    const waiting = this.#waiting.get(reference.oid)
    if (waiting !== undefined) return waiting === this.#due ? undefined : waiting
    const record = this.#isRemembering ? this.#source.unreadNode?.(reference) : undefined
    if (record === undefined) return undefined
    const { keys } = this.#nodeIn(record)
    this.#waiting.set(record.oid, { record, operation })
    return searchKeys(keys, operation.key) < 0
  }

  #remove(node: TreeNode, key: Key): void {
    if (node.level === 0) {
      const position = searchKeys(node.keys, key)
      node.keys.splice(position, 1)
      node.items.splice(position, 1)
      node.isDirty = true
      return
    }
    const position = childPosition(node, key)
    const child = this.#ownChild(node, position)
    this.#remove(child, key)
    if (child.items.length === 0) {
      node.items.splice(position, 1)
      node.keys.splice(position === 0 ? 0 : position - 1, 1)
      node.isDirty = true
    }
  }

  /** A root without entries, or with one child that can be a root, becomes a smaller tree. */
  #collapse(): void {
    while (this.#root.level > 0 && this.#root.items.length <= 1) {
      const { size, items } = this.#root
      const only = items.length === 0 ? this.#newNode(0, [], []) : this.#ownChild(this.#root, 0)
      if (only.level > 0 && only.items.length > ROOT_ITEMS) return
      this.#root = this.#newNode(only.level, only.keys, only.items, size)
    }
  }

  /**
   * Moves the upper part of an overfull node into a new one. After an insertion at the very end only
   * the last item moves, so that rising keys leave full nodes behind.
   */
  #split(node: TreeNode, inserted: Key): { right: TreeNode; separator: Key } {
    const count = node.items.length
    const isLeaf = node.level === 0
    const last = node.keys[node.keys.length - 1] as Key
    const isAtEnd = isLeaf ? last === inserted : compareKeys(inserted, last) >= 0
    const cut = isAtEnd ? count - 1 : count >>> 1
    const keyCut = isLeaf ? cut : cut - 1
    const separator = node.keys[keyCut] as Key
    const right = this.#newNode(node.level, node.keys.slice(cut), node.items.slice(cut))
    node.keys = node.keys.slice(0, keyCut)
    node.items = node.items.slice(0, cut)
    node.isDirty = true
    this.#recent = undefined
    return { right, separator }
  }
}

/** A leaf of the present span, and the keys that belong into it: from `low` to below `high`. */
interface RecentLeaf {
  readonly leaf: TreeNode
  readonly low: Key | undefined
  readonly high: Key | undefined
}

/** A leaf that is kept as it is stored, and what is to be done to it. */
interface WaitingLeaf {
  readonly record: StorageRecord
  readonly operation: TreeOperation
}

/** A transaction that has copied fewer leaves than this copies the next one, too: it will be done soon. */
const COPIED_LEAVES = 64

function isWithin(key: Key, { low, high }: RecentLeaf): boolean {
  if (low !== undefined && compareKeys(key, low) < 0) return false
  return high === undefined || compareKeys(key, high) < 0
}

/** @returns whether the key is new. */
function putInLeaf(leaf: TreeNode, position: number, key: Key, value: unknown): boolean {
  leaf.isDirty = true
  if (position >= 0) {
    leaf.items[position] = value
    return false
  }
  leaf.keys = withItem(leaf.keys, ~position, key)
  leaf.items = withItem(leaf.items, ~position, value)
  return true
}

/**
 * The array with one item more: itself when that comes last, else a copy of just that length. An array
 * that grows keeps half as many places again; that is right for items that come in order.
 */
function withItem<T>(array: T[], position: number, item: T): T[] {
  const { length } = array
  if (position === length) {
    array.push(item)
    return array
  }
  const copy = new Array<T>(length + 1)
  for (let at = 0; at < position; at++) copy[at] = array[at] as T
  copy[position] = item
  for (let at = position; at < length; at++) copy[at + 1] = array[at] as T
  return copy
}

/** @param span - the nodes to look at; all nodes of the working copy when it is left out. */
function* valuesIn(node: TreeNode, span: object | undefined): IterableIterator<unknown> {
  if (span !== undefined && node.span !== span) return
  if (node.level === 0) yield* node.items
  else for (const item of node.items) if (item instanceof TreeNode) yield* valuesIn(item, span)
}

function forgetOids(node: TreeNode): void {
  node.oid = NO_OID
  if (node.level > 0) for (const child of node.items) forgetOids(child as TreeNode)
}
