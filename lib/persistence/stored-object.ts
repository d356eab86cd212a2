import {
  type ClassRow,
  CorruptRecordError,
  formatOid,
  type Oid,
  type StorageRecord,
} from '../storage/index.js'
import type { Key } from './btree/keys.js'
import { checkTreeInSteps, type TreeProblem } from './btree/tree-check.js'
import { decodeNode, type EncodedNode, type TreeNode } from './btree/tree-node.js'
import { ASK_ALWAYS } from './btree/tree-reading.js'
import { NODE_LAYOUT } from './class-table.js'
import { Reference } from './reference.js'
import { unpackState } from './state-codec.js'

/** Whether records of this class are trees, or nodes of one. @internal */
export function isTreeClass({ name, fields }: ClassRow): boolean {
  return name === NODE_LAYOUT.storedName || fields.includes(TREE_FIELD)
}

/** How a stored object leads to another. @internal */
export type StoredStep = { readonly key: Key } | { readonly field: string } | 'node'

/** As `class-layout.ts` names it. */
const TREE_FIELD = '__tree__'

/**
 * A record as what it is, an object or a node of a tree, read by its class row alone: the
 * application's classes are not needed, and nothing of them is called.
 * @internal
 */
export class StoredObject {
  readonly record: StorageRecord
  readonly #row: ClassRow
  readonly #values: readonly unknown[]

  /**
   * @param row - of the record's class.
   * @throws STORAGE_CORRUPT_RECORD when the bytes are no state of this class.
   */
  constructor(record: StorageRecord, row: ClassRow) {
    this.record = record
    this.#row = row
    this.#values = unpackState(record)
    if (this.#values.length > row.fields.length) {
      throw new CorruptRecordError(
        `The state of oid ${formatOid(record.oid)} has ${this.#values.length} values; its class ${row.name} ` +
          `has ${row.fields.length} fields. Restore this object from a backup.`,
        { details: { oid: formatOid(record.oid), storedName: row.name } },
      )
    }
  }

  /** True for a node of a tree, which is no object of its own. */
  get isNode(): boolean {
    return this.#row.name === NODE_LAYOUT.storedName
  }

  /** The tree that the object keeps, or the node that the record is. */
  get tree(): TreeNode | undefined {
    const index = this.isNode ? 0 : this.#row.fields.indexOf(TREE_FIELD)
    const node = this.#values[index]
    if (node === undefined || node === null) return undefined
    if (isNode(node)) return decodeNode(node)
    throw new CorruptRecordError(
      `The tree of oid ${formatOid(this.record.oid)} is no tree; restore this object from a backup`,
      { details: { oid: formatOid(this.record.oid) } },
    )
  }

  /** What contains the object, and under which name, where it says so itself. */
  get place(): { readonly parent: Oid; readonly name: string } | undefined {
    const [parent, name] = [this.#field('__parent__'), this.#field('__name__')]
    const isPlace = parent instanceof Reference && typeof name === 'string' && name !== ''
    return isPlace ? { parent: parent.oid, name } : undefined
  }

  /** How it leads to another object; `undefined` when it does not. */
  stepTo(oid: Oid): StoredStep | undefined {
    const tree = this.tree
    const at = tree?.items.findIndex((item) => leadsTo(item, oid)) ?? -1
    if (tree !== undefined && at !== -1) {
      return tree.level > 0 ? 'node' : { key: tree.keys[at] as Key }
    }
    const index = this.#values.findIndex((value) => leadsTo(value, oid))
    return index === -1 ? undefined : { field: this.#row.fields[index] as string }
  }

  #field(name: string): unknown {
    const index = this.#row.fields.indexOf(name)
    return index === -1 ? undefined : this.#values[index]
  }
}

/**
 * Verifies the tree of a stored object, a node in a step.
 * @param nodeOf - the node of an oid. What it throws is a problem of that node.
 * @internal
 */
export function checkStoredTree(
  root: TreeNode,
  nodeOf: (oid: Oid) => TreeNode | undefined,
): Generator<void, TreeProblem[], undefined> {
  return checkTreeInSteps(root, {
    tid: ASK_ALWAYS,
    node: ({ oid }) => nodeOf(oid) as TreeNode, // the check looks whether it is one
  })
}

function isNode(value: unknown): value is EncodedNode {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [level, keys, items, size] = value as unknown[]
  return (
    typeof level === 'number' &&
    Array.isArray(keys) &&
    Array.isArray(items) &&
    typeof size === 'number'
  )
}

/** At any depth of plain values. */
function leadsTo(value: unknown, oid: Oid): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (value instanceof Reference) return value.oid === oid
  if (ArrayBuffer.isView(value)) return false
  if (value instanceof Map) {
    for (const [key, item] of value) if (leadsTo(key, oid) || leadsTo(item, oid)) return true
    return false
  }
  const parts = value instanceof Set ? [...value] : Object.values(value)
  return parts.some((part) => leadsTo(part, oid))
}
