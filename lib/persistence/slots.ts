import type { Oid } from '../storage/index.js'
import type { NodeSource, TreeChanges } from './btree/tree-changes.js'
import type { ClassLayout } from './class-layout.js'
import type { CommittedState } from './committed-state.js'
import type { NestedValues } from './nested-values.js'
import type { Persistent } from './persistent.js'
import type { Reference } from './reference.js'

/** The oid of an object that was never added. */
export const NO_OID = -1 as Oid

/** `slots.generation` of an object whose state must be fetched before it is read. */
export const GHOST = -1

/**
 * What an object asks of whoever owns it. A {@link Connection} for stored objects; for new ones
 * {@link UNOWNED}, which allows everything.
 */
export interface SlotsOwner {
  /** Rises with each transaction; a state fetched in an earlier one is looked at again. */
  readonly generation: number
  /** Brings the state of `object` up to this generation, or throws. */
  activate(object: Persistent): void
  /** @throws PERSISTENCE_OUTSIDE_TRANSACTION, PERSISTENCE_READ_ONLY_TRANSACTION */
  assertWritable(object: Persistent): void
  /** True when values handed out now may be written. */
  readonly isWriting: boolean
  /** Called once per object and transaction, before its first write. */
  registerChanged(object: Persistent): void
  /** Called when a mutable copy of a stored value was handed out: it is compared at commit. */
  registerWatched(object: Persistent): void
  resolve(reference: Reference): Persistent
  /** The committed state of a tree's node, as this transaction sees it. */
  readonly nodeSource: NodeSource
}

/** Owner of the objects that were never added: they may be read and written anywhere. */
export const UNOWNED: SlotsOwner = {
  generation: 0,
  isWriting: true,
  activate() {},
  assertWritable() {},
  registerChanged() {},
  registerWatched() {},
  resolve() {
    throw new Error('A new object holds objects, not references')
  },
  nodeSource() {
    throw new Error('A new object has no stored tree nodes')
  },
}

/**
 * Everything treehook knows about one persistent object. One record behind one private field, so
 * that every access in the library sees the same shape whatever the user's class looks like.
 *
 * | state      | owner      | committed | changed | leads to |
 * | ---------- | ---------- | --------- | ------- | -------- |
 * | unsaved    | UNOWNED    | none      | false   | changed, by `add` or by being reached at commit |
 * | ghost      | connection | none      | false   | upToDate, by the first read |
 * | upToDate   | connection | some      | false   | changed, by a write; ghost, by eviction or the next transaction |
 * | changed    | connection | some, or none when new | true | upToDate, by commit or abort; unsaved, by abort when new |
 */
export class Slots {
  readonly layout: ClassLayout
  owner: SlotsOwner = UNOWNED
  oid: Oid = NO_OID
  /** The owner's generation in which `values` was looked at last; GHOST when there is none. */
  generation = 0
  /** What reads see, by field index: the committed values, or the working copy. */
  values: unknown[]
  committed: CommittedState | undefined = undefined
  changed = false
  /** Nested values handed out in this transaction. */
  nested: NestedValues | undefined = undefined
  /** The working copy of the object's tree, with the operations that made it. */
  tree: TreeChanges | undefined = undefined

  constructor(layout: ClassLayout) {
    this.layout = layout
    this.values = layout.initialValues.slice()
  }
}
