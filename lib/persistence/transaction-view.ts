import { currentScopes, type Scopes } from '../foundation/index.js'
import {
  formatOid,
  NO_TID,
  ObjectNotFoundError,
  type Oid,
  ReadConflictError,
  type StorageRecord,
  type Tid,
} from '../storage/index.js'
import { currentTransaction, hasEnded, type Transaction } from '../transaction/index.js'
import type { TreeNode } from './btree/tree-node.js'
import type { NodeSource } from './btree/tree-reading.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import type { Epoch } from './epoch.js'
import {
  ConnectionClosedError,
  DanglingReferenceError,
  OutsideTransactionError,
  StaleObjectError,
} from './errors.js'
import { Existence } from './existence.js'
import type { HistoricalEpoch } from './historical-epoch.js'
import type { Reference } from './reference.js'
import { GHOST, type Slots } from './slots.js'
import { TimeSlice } from './time-slice.js'

/**
 * What one transaction at a time sees of the committed states: those of one instant, without what it
 * removes itself and with what it brings back. Between two transactions, what the last one saw, as
 * long as that is known.
 */
export class TransactionView implements NodeSource {
  /** What the running transaction brings back or removes. */
  readonly existence = new Existence()
  /** How many transactions there have been. */
  generation = 0
  readonly #store: CommittedStore
  readonly #past: HistoricalEpoch | undefined
  readonly #isScoped: boolean
  #transaction: Transaction | undefined
  #epoch: Epoch | undefined
  #seenTid: Tid = NO_TID // what the running transaction sees, or the last one saw
  #seenSince = 0 // the generation with which transactions began to see just that
  #servedScopes: Scopes | typeof NOBODY = NOBODY // where the caller was found to be served
  #isClosed = false

  /**
   * @param past - where all its transactions read, when not what is newest.
   * @param isScoped - only calls in the scope of the transaction are served.
   */
  constructor({
    store,
    past,
    isScoped,
  }: {
    readonly store: CommittedStore
    readonly past?: HistoricalEpoch | undefined
    readonly isScoped: boolean
  }) {
    this.#store = store
    this.#past = past
    this.#isScoped = isScoped
  }

  /** The one before it must have been ended. */
  begin(transaction: Transaction): void {
    this.#transaction = transaction
    this.#epoch = this.#past ?? this.#store.epochs.acquire()
    this.generation++
    if (this.#seenTid !== this.#epoch.tid) this.#seenSince = this.generation
    this.#seenTid = this.#epoch.tid
  }

  /** Idempotent. */
  end(): void {
    if (this.#epoch?.isHistorical === false) this.#store.epochs.release(this.#epoch)
    this.#epoch = undefined
    this.#transaction = undefined
    this.#servedScopes = NOBODY
  }

  /** From now on nothing is seen. */
  close(): void {
    this.#isClosed = true
    this.end()
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get transaction(): Transaction | undefined {
    return this.#transaction
  }

  /** @throws PERSISTENCE_OUTSIDE_TRANSACTION when there is none. */
  get runningTransaction(): Transaction {
    if (this.#transaction !== undefined) return this.#transaction
    throw new OutsideTransactionError('No transaction is running on this connection; begin one')
  }

  get seenTid(): Tid {
    return this.#seenTid
  }

  /** The transaction was committed. With nobody's commit between, what is seen now is exactly its own. */
  committedAs(tid: Tid): void {
    if (tid === this.#seenTid + 1) this.#seenTid = tid
  }

  /** An object, or a node of a tree, that was removed is seen again. */
  bringBack(state: CommittedState): void {
    this.#seenSince = this.generation
    this.existence.bringBack(state, this.#seenTid)
  }

  /** An object, or a node of a tree, is seen no more. */
  remove(oid: Oid): void {
    this.#seenSince = this.generation
    this.existence.remove(oid)
  }

  /**
   * The state for the running transaction; between two, as the last one saw it.
   * @throws PERSISTENCE_STALE_OBJECT between two, when it has changed since.
   */
  stateFor(oid: Oid): CommittedState | undefined {
    this.assertOpen()
    if (this.#epoch !== undefined) {
      return this.existence.isEmpty
        ? this.#store.stateAt(this.#epoch, oid)
        : this.#stateAmidUndo(oid, this.#epoch)
    }
    const state = this.#store.stateAt(this.#store.epochs.current, oid)
    if (state === undefined || state.serial <= this.#seenTid) return state
    throw changedSince(oid)
  }

  /** As {@link stateFor} for the object that a reference leads to. */
  stateBehind(reference: Reference): CommittedState | undefined {
    return this.#epoch !== undefined && this.existence.isEmpty && !this.#isClosed
      ? this.#store.stateBehind(this.#epoch, reference)
      : this.stateFor(reference.oid)
  }

  #stateAmidUndo(oid: Oid, epoch: Epoch): CommittedState | undefined {
    if (this.existence.going.has(oid)) return undefined
    return this.existence.returning.get(oid) ?? this.#store.stateAt(epoch, oid)
  }

  /** True when what was read in an earlier transaction is what this one sees; asks no table for it. */
  isStillCurrent({ generation, committed }: Slots): boolean {
    if (generation >= this.#seenSince) return true
    if (generation === GHOST || committed === undefined || !committed.isShared) return false
    if (committed.serial > this.#seenTid || !this.existence.isEmpty) return false
    committed.used = true
    return true
  }

  /** True for an object that was removed before this transaction. */
  isGone(oid: Oid): boolean {
    if (this.#store.removalOf(oid) === undefined) return false
    return this.#epoch !== undefined && this.stateFor(oid) === undefined
  }

  /** Why there is no object with this oid. */
  whyMissing(oid: Oid): ObjectNotFoundError | ReadConflictError {
    const committed = this.#store.log.serialOf(oid)
    if (committed !== undefined && committed > this.#seenTid) {
      return ReadConflictError.newer({ oid, seen: this.#seenTid, committed })
    }
    return new ObjectNotFoundError(
      `There is no object with oid ${formatOid(oid)}: it was never stored, or was removed`,
      { details: { oid: formatOid(oid) } },
    )
  }

  /** The stored record, without what the running transaction changes. */
  record(oid: Oid): StorageRecord | undefined {
    this.assertOpen()
    if (this.#epoch !== undefined) return this.#epoch.snapshot.load(oid)
    throw new OutsideTransactionError('Records are read in a transaction; begin one')
  }

  /**
   * Brings states into the shared cache, giving way to other work now and then.
   * @returns how many of the oids exist. Ends early when the transaction ends.
   */
  async prefetch(oids: Iterable<Oid>): Promise<number> {
    const transaction = this.runningTransaction
    let found = 0
    const slice = new TimeSlice()
    for (const oid of oids) {
      if (slice.isOver) await slice.turn()
      if (this.#transaction !== transaction) break
      if (this.stateFor(oid) !== undefined) found++
    }
    return found
  }

  // -- NodeSource: the nodes of trees, as the running transaction, or the last one, sees them

  get tid(): Tid {
    return this.#epoch?.tid ?? this.#seenTid
  }

  node({ oid }: Reference): TreeNode {
    return nodeOf(this.stateFor(oid), oid)
  }

  passingNode(reference: Reference): TreeNode {
    const epoch = this.#epoch
    if (epoch === undefined || !this.existence.isEmpty) return this.node(reference)
    this.assertOpen()
    return nodeOf(this.#store.stateAt(epoch, reference.oid, true), reference.oid)
  }

  unreadNode({ oid }: Reference): StorageRecord | undefined {
    const epoch = this.#epoch
    if (epoch === undefined || !this.existence.isEmpty) return undefined
    this.assertOpen()
    return this.#store.recordUnlessCached(epoch, oid)
  }

  nodeIn(record: StorageRecord): TreeNode {
    return nodeOf(this.#store.decode(record), record.oid)
  }

  /** The nodes as a commit left them that is newer than what the transaction sees. */
  nodesAt(serial: Tid): NodeSource {
    const node = ({ oid }: Reference): TreeNode => {
      this.assertOpen()
      const state = this.#store.stateAt(this.#store.epochs.current, oid)
      if (state !== undefined && state.serial > serial) throw changedSince(oid)
      return nodeOf(state, oid)
    }
    return { tid: serial, node }
  }

  /** True when the transaction of the calling code is the one that sees this. */
  get isServingCaller(): boolean {
    const scopes = currentScopes()
    if (scopes === this.#servedScopes) return true
    if (!this.#isServing(currentTransaction())) return false
    this.#servedScopes = scopes
    return true
  }

  #isServing(current: Transaction | undefined): boolean {
    if (this.#transaction === undefined) return false
    if (current === this.#transaction) return true
    return !this.#isScoped && (current === undefined || hasEnded(current.status))
  }

  /** @throws PERSISTENCE_CONNECTION_CLOSED */
  assertOpen(): void {
    if (this.#isClosed) {
      throw new ConnectionClosedError(
        'This connection is closed. Objects belong to the transaction in which they were reached: ' +
          'use db.transaction or db.view again.',
      )
    }
  }
}

/** In place of scopes: no caller is served. */
const NOBODY: unique symbol = Symbol('nobody')

function nodeOf(state: CommittedState | undefined, oid: Oid): TreeNode {
  if (state !== undefined) return state.values[0] as TreeNode
  throw new DanglingReferenceError(
    `The tree node with oid ${formatOid(oid)} does not exist; restore a backup`,
    { details: { oid: formatOid(oid) } },
  )
}

function changedSince(oid: Oid): StaleObjectError {
  return new StaleObjectError(
    `The object with oid ${formatOid(oid)} has changed since the transaction in which this connection ` +
      'reached it, and that transaction is over. Read it inside db.transaction or db.view.',
    { details: { oid: formatOid(oid) } },
  )
}
