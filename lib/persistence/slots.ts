import type { Oid, Tid } from '../storage/index.js'
import type { TreeChanges } from './btree/tree-changes.js'
import type { NodeSource } from './btree/tree-reading.js'
import type { ClassLayout } from './class-layout.js'
import type { CommittedState } from './committed-state.js'
import type { NestedValues } from './nested-values.js'
import type { Persistent } from './persistent.js'
import type { ReadSet } from './read-set.js'
import type { CrossReference, Reference } from './reference.js'

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
  /** What a serializable transaction reads is noted here; absent in others. */
  readonly reads?: ReadSet | undefined
  /** True when values handed out now may be written. */
  readonly isWriting: boolean
  /** Changes with each savepoint: an object is registered at its first write since. Zero for none. */
  readonly stamp: number
  /** Called before an object's first write in a transaction, and before the first after a savepoint. */
  registerChanged(object: Persistent): void
  /** Called when a mutable copy of a stored value was handed out: it is compared at commit. */
  registerWatched(object: Persistent): void
  resolve(reference: Reference): Persistent
  /** The object of another database, as the same transaction sees it. */
  resolveElsewhere(reference: CrossReference): Persistent
  /** The object with this oid, or `undefined` when this transaction sees none. */
  query(oid: Oid): Persistent | undefined
  /** The committed state of a tree's node, as this transaction sees it. */
  readonly nodeSource: NodeSource
  /** The nodes of a tree as a commit left it that is newer than what this transaction sees. */
  nodeSourceAt(serial: Tid): NodeSource
}

const NO_NODES: NodeSource = {
  tid: -1,
  node() {
    throw new Error('A new object has no stored tree nodes')
  },
}

/** Owner of the objects that were never added: they may be read and written anywhere. */
export const UNOWNED: SlotsOwner = {
  generation: 0,
  stamp: 0,
  isWriting: true,
  activate() {},
  assertWritable() {},
  registerChanged() {},
  registerWatched() {},
  resolve() {
    throw new Error('A new object holds objects, not references')
  },
  resolveElsewhere() {
    throw new Error('A new object holds objects, not references')
  },
  query() {
    return undefined
  },
  nodeSource: NO_NODES,
  nodeSourceAt: () => NO_NODES,
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
  owner: SlotsOwner = UNOWNED
  oid: Oid = NO_OID
  /** The owner's generation in which `values` was looked at last; GHOST when there is none. */
  generation = 0
  /** What reads see, by field index: the committed values, or the working copy. */
  values: unknown[]
  committed: CommittedState | undefined
  #work: Work | undefined = undefined

  private constructor(values: unknown[], committed: CommittedState | undefined) {
    this.values = values
    this.committed = committed
  }

  /** Of an object that was never added. */
  static ofNew(layout: ClassLayout, values: unknown[] = layout.initialValues.slice()): Slots {
    const slots = new Slots(values, undefined)
    Slots.#workOf(slots).layout = layout
    return slots
  }

  /** Of an object that `owner` has loaded, in the state that it shows as of `generation`. */
  static ofLoaded(state: CommittedState, owner: SlotsOwner, generation: number): Slots {
    const slots = new Slots(state.values as unknown[], state)
    slots.owner = owner
    slots.oid = state.oid
    slots.generation = generation
    return slots
  }

  get layout(): ClassLayout {
    return (this.committed?.layout.classLayout ?? this.#work?.layout) as ClassLayout
  }

  /** What it is from now on; a working copy must have been given up before. */
  become(state: CommittedState): void {
    this.committed = state
    this.values = state.values as unknown[]
    if (this.#work?.nested === undefined) this.#work = undefined
  }

  /** A ghost from now on. What it handed out stays, for those who hold it. */
  evict(): void {
    Slots.#workOf(this).layout = this.layout
    this.generation = GHOST
    this.values = EMPTY
    this.committed = undefined
  }

  /** Written or added in the running transaction. */
  get changed(): boolean {
    return this.writtenIn !== 0
  }

  /** The owner's stamp at the last registration of a write; 0 when nothing was written. */
  get writtenIn(): number {
    return this.#work === undefined ? 0 : this.#work.writtenIn
  }

  set writtenIn(stamp: number) {
    if (stamp !== 0 || this.#work !== undefined) Slots.#workOf(this).writtenIn = stamp
  }

  /** Nested values handed out in this transaction. */
  get nested(): NestedValues | undefined {
    return this.#work?.nested
  }

  set nested(nested: NestedValues | undefined) {
    if (nested !== undefined || this.#work !== undefined) Slots.#workOf(this).nested = nested
  }

  /** The working copy of the object's tree, with the operations that made it. */
  get tree(): TreeChanges | undefined {
    return this.#work?.tree
  }

  set tree(tree: TreeChanges | undefined) {
    if (tree !== undefined || this.#work !== undefined) Slots.#workOf(this).tree = tree
  }

  /** Nothing is changed or handed out any more. */
  settle(): void {
    const { layout } = this
    this.#work?.nested?.close()
    this.#work = undefined
    if (this.committed === undefined) Slots.#workOf(this).layout = layout
  }

  // Static: a private method or getter would cost each object a field.
  static #workOf(slots: Slots): Work {
    slots.#work ??= new Work()
    return slots.#work
  }
}

/** A ghost's values: never read, since its generation fits no owner's. */
const EMPTY: unknown[] = []

/** What one transaction did with one object: most loaded objects are only read, and have none. */
class Work {
  layout: ClassLayout | undefined = undefined // of an object without committed state
  writtenIn = 0
  nested: NestedValues | undefined = undefined
  tree: TreeChanges | undefined = undefined
}
