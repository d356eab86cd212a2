import { addExtension, Packr } from 'msgpackr'
import { CorruptRecordError, formatOid, type Oid, type StorageRecord } from '../storage/index.js'
import { type BinaryValue, decodeBinary, encodeBinary, isBinary } from './binary-value.js'
import { decodeNode, type EncodedNode, encodeNode, type TreeNode } from './btree/tree-node.js'
import type { ClassTable, StateLayout } from './class-table.js'
import { CommittedState } from './committed-state.js'
import { REFERENCE_TYPE } from './plain-values.js'
import { CrossReference, Reference, WeakOid } from './reference.js'
import type { SharedTexts } from './shared-text.js'
import { CommittedMap, CommittedSet, freezeDecoded } from './stored-value.js'

/**
 * The bytes of a state: one MessagePack array with the values in the order of the class row's
 * fields. Beside MessagePack's own types and msgpackr's `moreTypes`:
 *
 * | extension | content                                    | meaning                       | since format |
 * | --------- | ------------------------------------------ | ----------------------------- | ------------ |
 * | 84        | a number                                   | reference to the object's oid | 1            |
 * | 85        | array k, v, k, v …                         | Map                           | 1            |
 * | 86        | array                                      | Set                           | 1            |
 * | 87        | a number                                   | weak reference to an oid      | 1            |
 * | 88        | kind, then the bytes as they are in memory | ArrayBuffer, typed arrays     | 1            |
 * | 89        | array of name and oid                      | reference to an object of another database | 1 |
 *
 * The content of 84 to 87 and 89 stands behind the extension, as msgpackr does it: `d4`, type, `00`, then a
 * MessagePack value. A tree's node stands as `[level, keys, items, size]`; see tree-node.ts. So every
 * reference can be found without the application's classes; see stored-references.ts. Extensions are
 * global in msgpackr, hence the unusual numbers. Records stay off: reading them makes code from
 * stored names.
 */
/** On disk, as the four below; the first of them stands in plain-values.ts. */
export const MAP_TYPE = 85
export const SET_TYPE = 86
export const WEAK_REFERENCE_TYPE = 87
const BINARY_TYPE = 88
export const CROSS_REFERENCE_TYPE = 89

/** The extensions of the copy of treehook that was loaded last are those of all that share a msgpackr. */
const EXTENDED = Symbol.for('treehook.extended')
if (Object.hasOwn(addExtension, EXTENDED)) {
  process.emitWarning(
    'Two copies of treehook are loaded, and share one msgpackr: what the first one reads is strange to it. ' +
      'Let all packages use the same version (npm ls treehook; npm dedupe).',
    { type: 'TreehookWarning', code: 'TREEHOOK_LOADED_TWICE' },
  )
}
Object.defineProperty(addExtension, EXTENDED, { value: true, configurable: true })

/** True while this file encodes: msgpackr asks its extensions for everybody's values. */
let isEncoding = false

/** In place of msgpackr's own extension, which knows only the classes of its own realm. */
const Binary = {
  [Symbol.hasInstance](value: object): boolean {
    return isEncoding && !Buffer.isBuffer(value) && isBinary(value)
  },
}

addExtension({
  Class: Binary as unknown as new () => BinaryValue,
  type: BINARY_TYPE,
  pack: (value: BinaryValue) => encodeBinary(value) as Buffer,
  unpack: (encoded: Uint8Array) => decodeBinary(encoded) as BinaryValue,
})
addExtension({
  Class: WeakOid as unknown as new () => WeakOid,
  type: WEAK_REFERENCE_TYPE,
  write: (reference: WeakOid) => reference.oid,
  read: (oid: Oid) => new WeakOid(oid),
})
addExtension({
  Class: Reference as unknown as new () => Reference,
  type: REFERENCE_TYPE,
  write: (reference: Reference) => reference.oid,
  read: (oid: Oid) => new Reference(oid),
})
addExtension({
  Class: CrossReference as unknown as new () => CrossReference,
  type: CROSS_REFERENCE_TYPE,
  write: ({ database, oid }: CrossReference) => [database, oid],
  read: ([database, oid]: [string, Oid]) => new CrossReference(database, oid),
})
addExtension({
  Class: CommittedMap as unknown as new () => Map<unknown, unknown>,
  type: MAP_TYPE,
  write: (map: Map<unknown, unknown>) => [...map].flat(1),
  read: (flat: unknown[]) => {
    const map = new CommittedMap()
    for (let index = 0; index < flat.length; index += 2) map.set(flat[index], flat[index + 1])
    return map.complete()
  },
})
addExtension({
  Class: CommittedSet as unknown as new () => Set<unknown>,
  type: SET_TYPE,
  write: (set: Set<unknown>) => [...set],
  read: (members: unknown[]) => {
    const set = new CommittedSet()
    for (const member of members) set.add(member)
    return set.complete()
  },
})

const packr = new Packr({
  useRecords: false,
  moreTypes: true,
  useToJSON: false,
  variableMapSize: true, // else objects of more than 65,535 properties cannot be stored
} as object)

function pack(value: unknown): Buffer {
  isEncoding = true
  try {
    return packr.pack(value)
  } finally {
    isEncoding = false
  }
}

/** @returns bytes in a shared arena: copy them before the next turn of the event loop. */
export function encodeState(values: readonly unknown[], { treeIndex }: StateLayout): Uint8Array {
  const tree = treeIndex === -1 ? undefined : (values[treeIndex] as TreeNode | undefined)
  return pack(tree === undefined ? values : withTree(values, treeIndex, encodeNode(tree)))
}

/** True when two committed values are stored as the same bytes. */
export function sameValue(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object') return false
  return Buffer.compare(pack(one), pack(other)) === 0
}

/**
 * @throws STORAGE_CORRUPT_RECORD when the bytes are no state.
 * @throws PERSISTENCE_UNKNOWN_CLASS
 */
export function decodeState(record: StorageRecord, classes: ClassTable): CommittedState {
  const { layout, order, evolve, texts, plain } = classes.planFor(record.classId, record.oid)
  const stored = plain.read(record.state) ?? unpackState(record)
  const values = order === undefined ? stored : reorder(stored, order, layout)
  evolve?.(values, stored, record.oid)
  const { treeIndex } = layout
  for (let index = 0; index < values.length; index++) {
    const value = values[index]
    if (typeof value === 'string') values[index] = texts.share(value, index)
    if (typeof value !== 'object' || value === null) continue
    if (index === treeIndex) {
      const node = decodeNode(value as EncodedNode)
      for (const item of node.items) freezeDecoded(item)
      values[index] = node
    } else {
      // A default, and what a class evolved, is frozen already.
      if (Array.isArray(value) && !Object.isFrozen(value)) shareTexts(value, texts, index)
      freezeDecoded(value)
    }
  }
  const { oid, tid, state, link } = record
  return new CommittedState(oid, tid, layout, values, state.length, link)
}

/**
 * The values of a record as they are stored: not frozen, a tree as its {@link EncodedNode}.
 * @throws STORAGE_CORRUPT_RECORD
 */
export function unpackState(record: StorageRecord): unknown[] {
  try {
    const values = packr.unpack(record.state as Buffer) as unknown
    if (Array.isArray(values)) return values
  } catch (cause) {
    throw undecodable(record.oid, cause)
  }
  throw undecodable(record.oid, undefined)
}

function undecodable(oid: Oid, cause: unknown): CorruptRecordError {
  return new CorruptRecordError(
    `The state of oid ${formatOid(oid)} cannot be decoded although its checksum is right; restore a backup`,
    { cause, details: { oid: formatOid(oid) } },
  )
}

function shareTexts(items: unknown[], texts: SharedTexts, field: number): void {
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (typeof item === 'string') items[index] = texts.share(item, field)
  }
}

function reorder(stored: unknown[], order: readonly number[], layout: StateLayout): unknown[] {
  const fields = layout.classLayout?.fields ?? []
  return order.map((from, index) => (from === -1 ? fields[index]?.fallback : stored[from]))
}

function withTree(values: readonly unknown[], index: number, node: EncodedNode): unknown[] {
  const copy = values.slice()
  copy[index] = node
  return copy
}
