import type { Oid } from '../storage/index.js'
import type { TreeChanges } from './btree/tree-changes.js'
import { TreeNode } from './btree/tree-node.js'
import { type ClassTable, NODE_LAYOUT, type StateLayout } from './class-table.js'
import type { TreeSummary } from './commit-log.js'
import { valuesToStore } from './custom-state.js'
import { refuseHiddenFields } from './hidden-fields.js'
import { type Persistent, slotsOf } from './persistent.js'
import { type CrossReference, Reference, type WeakOid } from './reference.js'
import { NO_OID, type Slots } from './slots.js'
import { encodeState, sameValue } from './state-codec.js'
import { toCommitted } from './stored-value.js'
import type { WeakReference } from './weak-reference.js'

/** One record that a transaction wants to write. */
export interface PendingRecord {
  readonly oid: Oid
  readonly layout: StateLayout
  /** In committed form. */
  readonly values: readonly unknown[]
}

/** One object that a transaction wants to write, with the nodes of its tree. */
export interface PendingObject extends PendingRecord {
  readonly object: Persistent
  readonly slots: Slots
  readonly nodes: readonly PendingRecord[]
  /** False when it is here for its tree alone. */
  readonly writesFields: boolean
  /** What it did to its tree, when it did anything. */
  readonly tree: TreeChanges | undefined
}

/** What the serializer asks of the connection. */
export interface SerializerHost {
  readonly classes: ClassTable
  newOid(): Oid
  /** The reference for an object; takes a new one into the connection, and so into the commit. */
  refer(object: Persistent): Reference | CrossReference
  /** What stands for a weak reference; its object is taken in as well. */
  referWeakly(weak: WeakReference): WeakOid
}

/**
 * The records of all changed objects. `changed` grows while it is walked: objects that are reached
 * from changed ones and were never added are stored in the same commit.
 */
export function serialize(changed: ReadonlySet<Persistent>, host: SerializerHost): PendingObject[] {
  const pending: PendingObject[] = []
  for (const object of changed) pending.push(serializeObject(object, host))
  return pending
}

function serializeObject(object: Persistent, host: SerializerHost): PendingObject {
  const slots = slotsOf(object)
  if (slots.committed === undefined) refuseHiddenFields(object)
  slots.nested?.collect(slots.values)
  const layout = layoutOfState(slots, host.classes)
  const values = valuesToStore(object, slots).map((value, index) =>
    index === layout.treeIndex ? value : toCommitted(value, host),
  )
  const tree = slots.tree?.isEmpty ? undefined : slots.tree
  const nodes = tree === undefined ? [] : placeTree(tree, values, layout.treeIndex, host)
  const base = tree === undefined ? undefined : slots.committed?.values
  return {
    object,
    slots,
    oid: slots.oid,
    layout,
    values,
    nodes,
    // Without operations on its tree it is here because a field was written, if to the same.
    writesFields: base === undefined || fieldsDiffer(values, base, layout.treeIndex),
    tree,
  }
}

/** That of the committed state; with a place for marks when it got its first ones. */
function layoutOfState({ committed, layout, values }: Slots, classes: ClassTable): StateLayout {
  const plain = committed?.layout ?? classes.layoutFor(layout)
  return values.length > plain.names.length ? classes.markedLayout(plain) : plain
}

/** True when two states differ in anything but their trees. */
export function fieldsDiffer(
  one: readonly unknown[],
  other: readonly unknown[],
  treeIndex: number,
): boolean {
  for (let index = 0; index < one.length; index++) {
    if (index !== treeIndex && !sameValue(one[index], other[index])) return true
  }
  return false
}

/** Puts a working tree's root, in committed form, into `values`, and gives its other records. */
function placeTree(
  tree: TreeChanges,
  values: unknown[],
  treeIndex: number,
  host: SerializerHost,
): PendingRecord[] {
  const nodes: PendingRecord[] = []
  values[treeIndex] = commitNode(tree.root, host, nodes)
  return nodes
}

/** The committed form of a working node; below it, what must be written goes into `records`. */
function commitNode(node: TreeNode, host: SerializerHost, records: PendingRecord[]): TreeNode {
  const items = node.items.map((item) =>
    item instanceof TreeNode ? commitChild(item, host, records) : toCommitted(item, host),
  )
  return new TreeNode(node.level, node.keys, items, node.size)
}

function commitChild(child: TreeNode, host: SerializerHost, records: PendingRecord[]): Reference {
  if (child.oid === NO_OID) child.oid = host.newOid()
  const { oid } = child
  const committed = commitNode(child, host, records)
  if (child.isDirty) {
    const values = [committed]
    records.push({ oid, layout: NODE_LAYOUT, values })
  }
  return new Reference(oid)
}

/** The same object with other values: in committed form, its tree untouched. */
export function withValues(pending: PendingObject, values: readonly unknown[]): PendingObject {
  return { ...pending, values, nodes: [] }
}

/** The same object with other values and another working copy of its tree. */
export function serializeAgain(
  pending: PendingObject,
  values: unknown[],
  tree: TreeChanges,
  host: SerializerHost,
): PendingObject {
  const nodes = placeTree(tree, values, pending.layout.treeIndex, host)
  return { ...pending, values, nodes, tree }
}

/** A record with its bytes. */
export interface EncodedRecord extends PendingRecord {
  readonly bytes: Uint8Array
}

/** Each object followed by the nodes of its tree. Once, when validation has left it as it will be. */
export function encodeAll(pending: readonly PendingObject[]): EncodedRecord[] {
  const encoded: EncodedRecord[] = []
  const add = ({ oid, layout, values }: PendingRecord): void => {
    encoded.push({ oid, layout, values, bytes: encodeState(values, layout) })
  }
  for (const object of pending) {
    add(object)
    for (const node of object.nodes) add(node)
  }
  return encoded
}

/** What later commits must know of this one's trees. */
export function summarizeTrees(pending: readonly PendingObject[]): TreeSummary[] {
  const summaries: TreeSummary[] = []
  for (const { oid, tree, writesFields } of pending) {
    if (tree === undefined) continue
    const keys = Array.from(tree.operations, ({ key }) => key)
    summaries.push({ oid, keys, touchesAll: tree.touchesAll, writesFields })
  }
  return summaries
}
