import { formatOid, type Oid, ROOT_OID, type Tid } from '../storage/index.js'
import { type Key, keyToken, searchKeys } from './btree/keys.js'
import { childPosition } from './btree/tree-reading.js'
import type { CommittedState } from './committed-state.js'
import { resolveConflict } from './conflict-resolver.js'
import type { Connection } from './connection.js'
import { describeObject } from './describe.js'
import type { UndoConflict } from './errors.js'
import { undoableFieldsIn } from './kept-by-undo.js'
import { type Persistent, serialOf, slotsOf } from './persistent.js'
import { type PossibleReferrer, referencesInValue } from './referrers.js'
import {
  differingFields,
  type FieldValues,
  fieldsIn,
  isNode,
  type StateSource,
  treeIn,
} from './state-source.js'
import {
  entriesOf,
  type KeyChange,
  nodesOf,
  sameEntry,
  type TreeEntry,
  type TreeRevision,
} from './tree-difference.js'

/** What an undo makes of one object, as far as it has come. */
export class PlannedObject {
  readonly oid: Oid
  /** What is stored now, or what comes back; `undefined` when the object is gone. */
  readonly state: CommittedState | undefined
  /** It was gone, and comes back as `state`. */
  isReturning = false
  isGoing = false
  /** The transaction whose undo brings or removes it. */
  undone: Tid
  /** The fields to write; `undefined` when they stay. */
  fields: FieldValues | undefined = undefined
  readonly keys = new Map<unknown, PlannedKey>() // by token

  constructor(oid: Oid, state: CommittedState | undefined, undone: Tid) {
    this.oid = oid
    this.state = state
    this.undone = undone
  }

  get exists(): boolean {
    return this.state !== undefined && !this.isGoing
  }
}

/** What a key of a tree is to be. */
export interface PlannedKey {
  readonly key: Key
  /** `undefined` for absent. */
  readonly entry: TreeEntry | undefined
  readonly undone: Tid
}

/** A reference that an undo writes. */
interface WrittenReference {
  readonly oid: Oid
  /** Of the tree; `undefined` for the fields. */
  readonly key?: Key
  readonly undone: Tid
}

/** What one transaction did to one object. */
export interface ObjectChange {
  readonly oid: Oid
  /** The transaction to undo. */
  readonly undone: Tid
  /** `undefined` when the transaction created it. */
  readonly before: CommittedState | undefined
  /** `undefined` when the transaction removed it. */
  readonly after: CommittedState | undefined
  /** The states of either instant, for the nodes of trees. */
  readonly statesBefore: StateSource
  readonly statesAfter: StateSource
  /** What it did to the object's tree. */
  readonly keys: readonly KeyChange[]
}

/**
 * Works out what several transactions, undone one after the other from the newest back, leave of
 * each object, and what stands in the way. Changes nothing.
 *
 * | current, compared with the transaction to undo | becomes                             |
 * | ---------------------------------------------- | ----------------------------------- |
 * | as the transaction left it                     | as it was before                    |
 * | as it was before                               | stays                               |
 * | anything else, fields                          | what `resolveConflict` makes of it  |
 * | anything else, a key of a tree                 | a conflict                          |
 *
 * The fields of an object are one thing, each key of its tree another.
 */
export class UndoPlan {
  readonly conflicts: UndoConflict[] = []
  readonly #connection: Connection
  readonly #stored: StateSource
  readonly #states: StateSource // those that come back among them
  readonly #objects = new Map<Oid, PlannedObject>()

  constructor(connection: Connection) {
    this.#connection = connection
    this.#stored = (oid) => connection.committedState(oid)
    this.#states = (oid) => {
      const planned = this.#objects.get(oid)
      return planned === undefined ? this.#stored(oid) : planned.state
    }
  }

  /** Everything that was looked at, changed or not. */
  get objects(): Iterable<PlannedObject> {
    return this.#objects.values()
  }

  /** True when the object, or node, will be there. */
  willExist(oid: Oid): boolean {
    const planned = this.#objects.get(oid)
    return planned === undefined ? this.#stored(oid) !== undefined : planned.exists
  }

  undo(change: ObjectChange): void {
    const { before, after } = change
    if (after === undefined) this.#undoRemoval(change)
    else if (before === undefined) this.#undoCreation(change, after)
    else this.#undoChange(change, before, after)
  }

  refuse(oid: Oid, undone: Tid, reason: string, key?: Key): void {
    const current = this.#stored(oid)?.serial
    this.conflicts.push({ oid, what: this.#describe(oid), key, undone, current, reason })
  }

  /** The fields of an object that will exist as they will be. */
  fieldsOf(oid: Oid): FieldValues {
    const state = this.#states(oid)
    return (
      this.#objects.get(oid)?.fields ?? (state === undefined ? new Map() : undoableFieldsIn(state))
    )
  }

  /** A key of an object's tree as it will be. */
  entryOf(oid: Oid, key: Key): TreeEntry | undefined {
    const known = this.#objects.get(oid)?.keys.get(keyToken(key))
    if (known !== undefined) return known.entry
    const tree = this.#treeOf(oid)
    return tree && findEntry(tree, key)
  }

  /** True when an object that will exist refers to the target in one of its fields, or at a key. */
  willRefer({ oid, key, target }: PossibleReferrer): boolean {
    if (!this.willExist(oid)) return false
    const values = key === undefined ? this.#valuesOf(oid) : [this.entryOf(oid, key)?.value]
    for (const value of values) if (referencesInValue(value).includes(target)) return true
    return false
  }

  /** The references in what the undo writes to one object. */
  *referencesWritten(planned: PlannedObject): IterableIterator<WrittenReference> {
    const { oid: owner, exists, isReturning, state, fields, keys, undone } = planned
    if (!exists || state === undefined || isNode(state)) return
    if (isReturning || fields !== undefined) {
      for (const value of this.fieldsOf(owner).values()) {
        for (const oid of referencesInValue(value)) yield { oid, undone }
      }
    }
    for (const { key, entry, undone: tid } of keys.values()) {
      for (const oid of referencesInValue(entry?.value)) yield { oid, key, undone: tid }
    }
    const tree = isReturning ? this.#treeOf(owner) : undefined
    if (tree === undefined) return
    for (const { key, value } of entriesOf(tree)) {
      if (keys.has(keyToken(key))) continue
      for (const oid of referencesInValue(value)) yield { oid, key, undone }
    }
  }

  /** The values of all fields, those that are kept among them. */
  #valuesOf(oid: Oid): Iterable<unknown> {
    const state = this.#states(oid)
    const stored = state === undefined ? [] : fieldsIn(state)
    return new Map([...stored, ...this.fieldsOf(oid)]).values()
  }

  #treeOf(oid: Oid): TreeRevision | undefined {
    const state = this.#states(oid)
    return state && treeIn(state, this.#states)
  }

  /** Nodes go and stay with the tree that they are of. */
  #setGoing(planned: PlannedObject, isGoing: boolean): void {
    planned.isGoing = isGoing
    const tree = this.#treeOf(planned.oid)
    if (tree === undefined) return
    for (const oid of [...nodesOf(tree)]) this.#planned(oid, planned.undone).isGoing = isGoing
  }

  #undoRemoval({ oid, undone, before, statesBefore }: ObjectChange): void {
    if (before === undefined) return
    const planned = this.#planned(oid, undone)
    if (planned.isGoing) this.#setGoing(planned, false)
    if (planned.exists) {
      // A tree's nodes are what its owner says: keys count, not where they stand.
      if (!isNode(before) && !this.#isAs(planned, before, statesBefore)) {
        this.refuse(oid, undone, 'it is there again, and another')
      }
      return
    }
    const returning = new PlannedObject(oid, before, undone)
    returning.isReturning = true
    this.#objects.set(oid, returning)
  }

  #undoCreation({ oid, undone, statesAfter }: ObjectChange, after: CommittedState): void {
    const planned = this.#planned(oid, undone)
    if (!planned.exists) return
    if (oid === ROOT_OID) this.refuse(oid, undone, 'a database cannot be without its root mapping')
    else if (this.#isTouched(planned)) this.refuse(oid, undone, TOUCHED)
    else if (!this.#isAs(planned, after, statesAfter)) this.refuse(oid, undone, CHANGED)
    planned.undone = undone
    this.#setGoing(planned, true)
  }

  #undoChange(change: ObjectChange, before: CommittedState, after: CommittedState): void {
    const { oid, undone, keys } = change
    if (
      keys.length === 0 &&
      differingFields(undoableFieldsIn(before), undoableFieldsIn(after)).length === 0
    )
      return
    const planned = this.#planned(oid, undone)
    if (!planned.exists) {
      this.refuse(oid, undone, 'it was removed by a later transaction')
      return
    }
    this.#undoFields(planned, change, undoableFieldsIn(before), undoableFieldsIn(after))
    for (const key of keys) this.#undoKey(planned, undone, key)
  }

  #undoFields(
    planned: PlannedObject,
    { undone }: ObjectChange,
    before: FieldValues,
    after: FieldValues,
  ): void {
    if (differingFields(before, after).length === 0) return
    const current = this.fieldsOf(planned.oid)
    if (differingFields(current, before).length === 0) return
    if (this.#hasOwnFields(planned)) {
      this.refuse(planned.oid, undone, TOUCHED)
      return
    }
    const fields =
      differingFields(current, after).length === 0
        ? before
        : this.#resolve(planned, { old: after, saved: current, wanted: before })
    if (fields === undefined) this.refuse(planned.oid, undone, CHANGED)
    else planned.fields = this.#isStored(planned, fields) ? undefined : fields
  }

  #undoKey(planned: PlannedObject, undone: Tid, { key, before, after }: KeyChange): void {
    const current = this.entryOf(planned.oid, key)
    if (sameEntry(current, before)) return
    if (this.#hasOwnKey(planned, key)) this.refuse(planned.oid, undone, TOUCHED, key)
    else if (!sameEntry(current, after)) this.refuse(planned.oid, undone, CHANGED, key)
    else this.#setKey(planned, { key, entry: before, undone })
  }

  #isStored({ state }: PlannedObject, fields: FieldValues): boolean {
    return state !== undefined && differingFields(fields, undoableFieldsIn(state)).length === 0
  }

  #setKey(planned: PlannedObject, change: PlannedKey): void {
    const tree = this.#treeOf(planned.oid)
    const stored = tree && findEntry(tree, change.key)
    const token = keyToken(change.key)
    if (sameEntry(stored, change.entry)) planned.keys.delete(token)
    else planned.keys.set(token, change)
  }

  /** What the class makes of the three; `undefined` when it cannot tell. */
  #resolve(
    { state }: PlannedObject,
    states: {
      readonly old: FieldValues
      readonly saved: FieldValues
      readonly wanted: FieldValues
    },
  ): FieldValues | undefined {
    if (state === undefined) return undefined
    const { layout } = state
    const inOrder = (fields: FieldValues): unknown[] => layout.names.map((name) => fields.get(name))
    const resolved = resolveConflict(
      {
        layout,
        old: inOrder(states.old),
        saved: inOrder(states.saved),
        wanted: inOrder(states.wanted),
      },
      (error) =>
        this.#connection.report(error, `resolveConflict of ${layout.storedName}, in an undo`),
    )
    if (resolved === undefined) return undefined
    return new Map(
      layout.names.flatMap((name, index): [string, unknown][] =>
        index === layout.treeIndex ? [] : [[name, resolved[index]]],
      ),
    )
  }

  #planned(oid: Oid, undone: Tid): PlannedObject {
    let planned = this.#objects.get(oid)
    if (planned === undefined) {
      planned = new PlannedObject(oid, this.#states(oid), undone)
      this.#objects.set(oid, planned)
    }
    return planned
  }

  /** True when the object, as it is planned, holds what a revision held. */
  #isAs(
    { oid, state, keys }: PlannedObject,
    revision: CommittedState,
    states: StateSource,
  ): boolean {
    if (state === undefined) return false
    if (differingFields(this.fieldsOf(oid), undoableFieldsIn(revision)).length > 0) return false
    const tree = treeIn(revision, states)
    const current = this.#treeOf(oid)
    if (tree === undefined || current === undefined) return tree === current
    if (keys.size === 0 && state.serial === revision.serial) return true
    let wanted = 0
    for (const entry of entriesOf(tree)) {
      if (!sameEntry(this.entryOf(oid, entry.key), entry)) return false
      wanted++
    }
    return wanted === this.#countEntries(oid, current)
  }

  #countEntries(oid: Oid, tree: TreeRevision): number {
    let { size } = tree.root
    for (const { key, entry } of this.#objects.get(oid)?.keys.values() ?? []) {
      const isThere = findEntry(tree, key) !== undefined
      if (isThere !== (entry !== undefined)) size += isThere ? -1 : 1
    }
    return size
  }

  // What the running transaction itself has done to an object before.

  #isTouched({ oid }: PlannedObject): boolean {
    const object = this.#connection.known(oid)
    return object !== undefined && slotsOf(object).changed
  }

  #hasOwnFields(planned: PlannedObject): boolean {
    if (!this.#isTouched(planned)) return false
    const object = this.#connection.known(planned.oid) as Persistent
    const { values, committed, layout, nested } = slotsOf(object)
    if (nested !== undefined) return true
    return values.some(
      (value, index) => index !== layout.treeIndex && value !== committed?.values[index],
    )
  }

  #hasOwnKey({ oid }: PlannedObject, key: Key): boolean {
    const object = this.#connection.known(oid)
    const changes = object && slotsOf(object).tree
    if (changes === undefined) return false
    if (changes.touchesAll) return true
    const token = keyToken(key)
    for (const operation of changes.operations) if (keyToken(operation.key) === token) return true
    return false
  }

  #describe(oid: Oid): string {
    const state = this.#stored(oid)
    if (state === undefined || isNode(state)) return `The object with oid ${formatOid(oid)}`
    const object = this.#connection.get(oid)
    // Its path is read from its state.
    serialOf(object)
    return describeObject(object)
  }
}

const CHANGED = 'it was changed by a later transaction'
const TOUCHED = 'it was changed by the running transaction; undo several transactions in one call'

/** A key of a tree with its value, or `undefined`. */
function findEntry(tree: TreeRevision, key: Key): TreeEntry | undefined {
  let node = tree.root
  while (node.level > 0) {
    const { oid } = node.items[childPosition(node, key)] as { readonly oid: Oid }
    const child = tree.node(oid)
    if (child === undefined) return undefined
    node = child
  }
  const position = searchKeys(node.keys, key)
  return position < 0 ? undefined : { key, value: node.items[position] }
}
