import { type Clock, invariant } from '../foundation/index.js'
import {
  formatOid,
  NO_TID,
  ObjectNotFoundError,
  type Oid,
  ROOT_OID,
  type StorageCommit,
  type Tid,
} from '../storage/index.js'
import {
  currentTransaction,
  type DataManager,
  hasEnded,
  type Synchronizer,
  type Transaction,
  type TransactionManager,
} from '../transaction/index.js'
import type { BTree } from './btree/b-tree.js'
import type { NodeSource } from './btree/tree-changes.js'
import type { TreeNode } from './btree/tree-node.js'
import type { CommitWriter } from './commit-writer.js'
import { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { describeObject } from './describe.js'
import type { Epoch } from './epoch.js'
import {
  ConnectionClosedError,
  DanglingReferenceError,
  ForeignObjectError,
  OutsideTransactionError,
  ReadOnlyTransactionError,
  StaleObjectError,
} from './errors.js'
import { ObjectCache } from './object-cache.js'
import type { ObjectDatabase } from './object-database.js'
import { makeGhost, type Persistent, slotsOf, workingValues } from './persistent.js'
import { Reference } from './reference.js'
import {
  type EncodedRecord,
  encodeAll,
  type PendingObject,
  type SerializerHost,
  serialize,
  summarizeTrees,
} from './serializer.js'
import { GHOST, NO_OID, type SlotsOwner, UNOWNED } from './slots.js'
import { validate } from './validation.js'

/** What a connection works with. @internal */
export interface ConnectionParts {
  readonly database: ObjectDatabase
  readonly store: CommittedStore
  readonly writer: CommitWriter
  readonly clock: Clock
  readonly transactionManager: TransactionManager
  readonly sortKey: string
  /** How many objects it holds strongly, about. */
  readonly cacheObjects: number
  /** True when only the calls that run inside a transaction's scope may use its objects. */
  readonly isScoped: boolean
  readonly isReadOnly: boolean
}

/**
 * The database as one transaction at a time sees it: one object for each oid, all from one instant.
 * It takes part in its manager's transactions by itself: each begins a new view.
 *
 * Source: `ZODB.Connection.Connection`.
 * @public
 */
export class Connection implements DataManager, SlotsOwner, Synchronizer, SerializerHost {
  /**
   * Behind every manager that sorts by a word: the refusals of others come before the write. One for
   * each database: transactions over several validate in the same order, so none waits for ever.
   */
  readonly sortKey: string
  readonly transactionManager: TransactionManager
  readonly database: ObjectDatabase
  readonly #parts: ConnectionParts
  readonly #store: CommittedStore
  readonly #objects: ObjectCache
  /** @internal */
  generation = 0
  #transaction: Transaction | undefined
  #epoch: Epoch | undefined
  #seenTid: Tid = NO_TID // what the running transaction sees, or the last one saw
  #isReadOnly: boolean
  #isJoined = false
  #isSealed = false // from the moment in which the records are made
  #isVoting = false
  #isClosed = false
  readonly #changed = new Set<Persistent>() // written or added in this transaction
  readonly #added = new Set<Persistent>() // of these, the new ones
  readonly #watched = new Set<Persistent>() // gave out copies that are compared at commit
  #pending: readonly PendingObject[] = []
  #encoded: readonly EncodedRecord[] = []

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.database = parts.database
    this.sortKey = parts.sortKey
    this.#store = parts.store
    this.#objects = new ObjectCache(parts.cacheObjects)
    this.#isReadOnly = parts.isReadOnly
    this.transactionManager = parts.transactionManager
    parts.transactionManager.registerSynchronizer(this)
  }

  /** The mapping at oid 0, from which everything else is reached. */
  get rootMapping(): BTree<string, Persistent> {
    return this.get(ROOT_OID) as BTree<string, Persistent>
  }

  /**
   * The one object of this connection with this oid.
   * @throws STORAGE_OBJECT_NOT_FOUND when there is none that this transaction may see.
   * @throws PERSISTENCE_UNKNOWN_CLASS, STORAGE_CORRUPT_RECORD
   */
  get(oid: Oid): Persistent {
    const object = this.query(oid)
    if (object === undefined) {
      throw new ObjectNotFoundError(
        `No object with oid ${formatOid(oid)} is visible to this transaction: it was never stored, or is ` +
          'newer than the transaction',
        { details: { oid: formatOid(oid) } },
      )
    }
    return object
  }

  /** As `get`, with `undefined` when there is none. */
  query(oid: Oid): Persistent | undefined {
    const known = this.#objects.get(oid)
    if (known !== undefined) return this.#reached(known)
    const state = this.#stateFor(oid)
    return state === undefined ? undefined : this.#makeObject(state)
  }

  /** An object of an earlier transaction belongs to this one now, and is readable after its end. */
  #reached(object: Persistent): Persistent {
    const slots = slotsOf(object)
    if (slots.generation !== this.generation) slots.generation = GHOST
    return object
  }

  /**
   * Stores a new object with this transaction, reachable or not, and gives it its oid now. An object
   * of this connection is left as it is.
   * @throws PERSISTENCE_FOREIGN_OBJECT when it belongs to another connection.
   */
  add(object: Persistent): Oid {
    this.assertWritable(object)
    return this.refer(object).oid
  }

  /** The tid of the newest commit that the running transaction sees. */
  get seenTid(): Tid {
    return this.#seenTid
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** The transaction that this connection serves now. */
  get transaction(): Transaction | undefined {
    return this.#transaction
  }

  /** Makes ghosts of all unchanged objects: what is read next comes from the shared cache. */
  cacheMinimize(): void {
    this.#objects.minimize()
  }

  /** How many objects are held strongly. */
  get cacheSize(): number {
    return this.#objects.size
  }

  /**
   * Changes whenever the tree that `object` keeps reads differently than before; `undefined` when
   * what this transaction sees of it must not be remembered for others.
   */
  treeStamp(object: Persistent): Tid | undefined {
    const slots = slotsOf(object)
    if (slots.changed) return undefined
    const stamp = this.#store.treeStamp(slots.oid)
    return stamp > this.#seenTid ? undefined : stamp
  }

  /** Ends its use. With changes that were not committed it refuses. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    if (this.#isJoined) {
      throw new OutsideTransactionError(
        'This connection takes part in a transaction; commit or abort that before closing it',
      )
    }
    this.#isClosed = true
    this.transactionManager.unregisterSynchronizer(this)
    this.#endView()
  }

  // -- Synchronizer: each transaction of the manager is a new view

  newTransaction(transaction: Transaction): void {
    this.#endView()
    this.#transaction = transaction
    this.#epoch = this.#store.epochs.acquire()
    this.#seenTid = this.#epoch.tid
    this.generation++
  }

  beforeCompletion(): void {}

  afterCompletion(): void {
    this.#endView()
    this.#objects.collect(this.generation)
  }

  #endView(): void {
    if (this.#epoch !== undefined) this.#store.epochs.release(this.#epoch)
    this.#epoch = undefined
    this.#transaction = undefined
    for (const object of this.#watched) this.#closeNested(object)
    this.#watched.clear()
  }

  // -- SlotsOwner: what objects ask for

  get isWriting(): boolean {
    return !this.#isReadOnly && this.#transaction !== undefined
  }

  activate(object: Persistent): void {
    const slots = slotsOf(object)
    const isEstranged = slots.generation >= 0 || this.#transaction !== undefined
    if (isEstranged && !this.#isServingCaller) throw this.#stale(object)
    const state = this.#stateFor(slots.oid)
    if (state === undefined) {
      throw new DanglingReferenceError(
        `${describeObject(object)} does not exist any more as this transaction sees the database`,
      )
    }
    slots.generation = this.generation
    this.#closeNested(object)
    if (state === slots.committed) return
    slots.committed = state
    slots.values = state.values as unknown[]
  }

  assertWritable(object: Persistent): void {
    this.#assertOpen()
    if (!this.#isServingCaller) {
      throw new OutsideTransactionError(
        `${describeObject(object)} can be changed only inside a transaction of its own connection. ` +
          'Write `await db.transaction(({ root }) => { … })` and reach the object from its root.',
      )
    }
    if (this.#isSealed) {
      throw new OutsideTransactionError(
        `${describeObject(object)} cannot be changed any more: its transaction is being committed. Await ` +
          'everything that writes before the function given to db.transaction returns.',
      )
    }
    if (this.#isReadOnly) {
      throw new ReadOnlyTransactionError(
        `${describeObject(object)} was read in db.view, which changes nothing; use db.transaction`,
      )
    }
  }

  registerChanged(object: Persistent): void {
    this.#join()
    const slots = slotsOf(object)
    slots.values = slots.values.slice()
    slots.changed = true
    this.#changed.add(object)
  }

  registerWatched(object: Persistent): void {
    // While it commits, or after it failed, nothing more is stored: then it is read only.
    const status = this.#transaction?.status
    if (this.isWriting && (status === 'active' || status === 'doomed')) this.join()
    this.#watched.add(object)
  }

  resolve(reference: Reference): Persistent {
    const object = this.query(reference.oid)
    if (object === undefined) {
      throw new DanglingReferenceError(
        `A stored reference leads to oid ${formatOid(reference.oid)}, which does not exist; restore a backup`,
        { details: { oid: formatOid(reference.oid) } },
      )
    }
    return object
  }

  readonly nodeSource: NodeSource = ({ oid }) => this.#nodeState(oid).values[0] as TreeNode

  #nodeState(oid: Oid): CommittedState {
    const state = this.#stateFor(oid)
    if (state === undefined) {
      throw new DanglingReferenceError(
        `The tree node with oid ${formatOid(oid)} does not exist; restore a backup`,
        { details: { oid: formatOid(oid) } },
      )
    }
    return state
  }

  // -- SerializerHost

  get classes() {
    return this.#store.classes
  }

  newOid(): Oid {
    return this.#store.newOid()
  }

  refer(object: Persistent): Reference {
    const slots = slotsOf(object)
    if (slots.owner === this) return new Reference(slots.oid)
    if (slots.owner !== UNOWNED) {
      throw new ForeignObjectError(
        `${describeObject(object)} belongs to another connection. Reach it from this transaction's own root.`,
      )
    }
    this.#join()
    slots.owner = this
    slots.oid = this.newOid()
    slots.generation = this.generation
    slots.changed = true
    this.#changed.add(object)
    this.#added.add(object)
    this.#objects.add(slots.oid, object)
    return new Reference(slots.oid)
  }

  // -- DataManager

  /** Takes part in the running transaction before the first change, as those must who write later. */
  join(): void {
    this.#assertOpen()
    this.#join()
  }

  abort(): void {
    this.#forgetChanges()
  }

  tpcBegin(): void {}

  commit(): void {
    for (const object of this.#watched) this.#noticeChangedCopies(object)
    this.#pending = serialize(this.#changed, this)
    this.#isSealed = true
  }

  tpcVote(): void | Promise<void> {
    if (this.#pending.length === 0) return undefined
    const busy = this.#parts.writer.enter()
    return busy === undefined ? this.#vote() : busy.then(() => this.tpcVote())
  }

  #vote(): void {
    this.#isVoting = true
    try {
      this.#pending = validate(this.#pending, this.#seenTid, this.#store, this)
    } catch (error) {
      this.#store.counters.conflicts++
      throw error
    }
    this.#encoded = encodeAll(this.#pending)
  }

  tpcFinish(transaction: Transaction): void | PromiseLike<void> {
    if (this.#pending.length === 0) {
      this.#forgetChanges()
      return undefined
    }
    const { writer } = this.#parts
    const tid = writer.nextTid
    const states = this.#statesOf(tid)
    const published = writer.submit({
      commit: {
        tid,
        metadata: {
          timeMs: this.#parts.clock.nowMs(),
          user: transaction.user,
          description: transaction.description,
          extension: transaction.extension,
        },
        records: this.#recordsToWrite(),
        classes: this.classes.takeUnwritten(),
      },
      states,
      trees: summarizeTrees(this.#pending),
      adopt: () => this.#adopt(states, tid),
    })
    this.#leaveValidation()
    return published
  }

  tpcAbort(): void {
    this.#forgetChanges()
  }

  #statesOf(tid: Tid): CommittedState[] {
    return this.#encoded.map(
      ({ oid, layout, values, bytes }) =>
        new CommittedState(oid, tid, layout, values, bytes.length),
    )
  }

  #recordsToWrite(): StorageCommit['records'] {
    return this.#encoded.map(({ oid, layout, bytes }) => ({
      oid,
      classId: this.classes.idFor(layout),
      state: bytes,
    }))
  }

  /** The commit is durable: what was written is now what the objects are. */
  #adopt(states: readonly CommittedState[], tid: Tid): void {
    // With nobody's commit between, what this connection sees now is exactly its own.
    if (tid === this.#seenTid + 1) this.#seenTid = tid
    let next = 0 // each object's state is followed by those of its nodes
    for (const { object, slots, oid, nodes } of this.#pending) {
      const state = states[next] as CommittedState
      next += 1 + nodes.length
      invariant(state.oid === oid, 'the states stand in the order of the objects')
      slots.committed = state
      slots.values = state.values as unknown[]
      slots.changed = false
      slots.tree = undefined
      this.#closeNested(object)
      this.#changed.delete(object)
    }
    this.#endChanges()
  }

  /** Puts every object back to what it was before this transaction. Idempotent. */
  #forgetChanges(): void {
    this.#leaveValidation()
    for (const object of this.#changed) {
      const slots = slotsOf(object)
      slots.changed = false
      if (this.#added.has(object)) {
        // A new object keeps its state, and belongs to nobody again.
        this.#watched.delete(object)
        slots.tree?.forgetOids()
        this.#objects.delete(slots.oid)
        slots.owner = UNOWNED
        slots.oid = NO_OID
        slots.generation = UNOWNED.generation
      } else {
        this.#closeNested(object)
        slots.tree = undefined
        slots.values = (slots.committed as CommittedState).values as unknown[]
      }
    }
    for (const object of this.#watched) this.#closeNested(object)
    this.#endChanges()
  }

  #endChanges(): void {
    this.#changed.clear()
    this.#added.clear()
    this.#watched.clear()
    this.#pending = []
    this.#encoded = []
    this.#isJoined = false
    this.#isSealed = false
  }

  #leaveValidation(): void {
    if (!this.#isVoting) return
    this.#isVoting = false
    this.#parts.writer.leave()
  }

  #join(): void {
    if (this.#isJoined) return
    const transaction = this.#transaction
    if (transaction === undefined) {
      throw new OutsideTransactionError('No transaction is running on this connection; begin one')
    }
    transaction.join(this)
    this.#isJoined = true
  }

  #noticeChangedCopies(object: Persistent): void {
    const slots = slotsOf(object)
    if (slots.nested?.hasChangedCopies) workingValues(object, slots)
  }

  #closeNested(object: Persistent): void {
    const slots = slotsOf(object)
    slots.nested?.close()
    slots.nested = undefined
  }

  #makeObject(state: CommittedState): Persistent {
    const { classLayout } = state.layout
    if (classLayout === undefined) {
      throw new ObjectNotFoundError(`oid ${formatOid(state.oid)} is a tree's node, not an object`)
    }
    this.#store.counters.loads++
    const object = makeGhost(classLayout)
    const slots = slotsOf(object)
    slots.owner = this
    slots.oid = state.oid
    slots.committed = state
    slots.values = state.values as unknown[]
    slots.generation = this.generation
    this.#objects.add(state.oid, object)
    return object
  }

  /** The state of `oid` for the running transaction; between two, as the last one saw it. */
  #stateFor(oid: Oid): CommittedState | undefined {
    this.#assertOpen()
    if (this.#epoch !== undefined) return this.#store.stateAt(this.#epoch, oid)
    const state = this.#store.stateAt(this.#store.epochs.current, oid)
    if (state === undefined || state.serial <= this.#seenTid) return state
    throw new StaleObjectError(
      `The object with oid ${formatOid(oid)} has changed since the transaction in which this connection ` +
        'reached it, and that transaction is over. Read it inside db.transaction or db.view.',
      { details: { oid: formatOid(oid) } },
    )
  }

  /** True when the transaction of the calling code is the one that this connection serves. */
  get #isServingCaller(): boolean {
    const transaction = this.#transaction
    if (transaction === undefined) return false
    const current = currentTransaction()
    if (current === transaction) return true
    return !this.#parts.isScoped && (current === undefined || hasEnded(current.status))
  }

  #stale(object: Persistent): StaleObjectError {
    return new StaleObjectError(
      `${describeObject(object)} was reached in a transaction that is over, and its connection serves ` +
        'another one now. Reach it again from the root of the transaction that needs it.',
    )
  }

  #assertOpen(): void {
    if (this.#isClosed) {
      throw new ConnectionClosedError(
        'This connection is closed. Objects belong to the transaction in which they were reached: ' +
          'use db.transaction or db.view again.',
      )
    }
  }
}

/** The connection an object belongs to; `undefined` until it is added. ZODB's `_p_jar`. @public */
export function connectionOf(object: Persistent): Connection | undefined {
  const { owner } = slotsOf(object)
  return owner instanceof Connection ? owner : undefined
}
