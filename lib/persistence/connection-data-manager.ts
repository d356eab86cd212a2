import { invariant } from '../foundation/index.js'
import {
  ConflictError,
  formatTid,
  type Oid,
  ReadConflictError,
  StorageReadOnlyError,
  type Tid,
} from '../storage/index.js'
import type {
  DataManagerSavepoint,
  SavepointDataManager,
  Transaction,
  TransactionManager,
} from '../transaction/index.js'
import type { BlobKeeper } from './blob-keeper.js'
import { BlobStaging } from './blob-staging.js'
import type { CommitWriter } from './commit-writer.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import type { ConnectionObjects } from './connection-objects.js'
import { describeObject } from './describe.js'
import { OutsideTransactionError, ReadOnlyTransactionError } from './errors.js'
import type { ObjectDatabase } from './object-database.js'
import type { OutgoingCommit } from './outgoing-commit.js'
import type { Persistent } from './persistent.js'
import { ReadSet } from './read-set.js'
import type { PendingObject } from './serializer.js'
import type { TransactionView } from './transaction-view.js'
import { WorkingSet } from './working-set.js'

/** What a {@link ConnectionDataManager} works with. */
export interface DataManagerParts {
  readonly sortKey: string
  readonly database: ObjectDatabase
  readonly store: CommittedStore
  readonly writer: CommitWriter
  readonly blobs: BlobKeeper
  readonly transactionManager: TransactionManager
  readonly view: TransactionView
  readonly objects: ConnectionObjects
  readonly outgoing: OutgoingCommit
  readonly isReadOnly: boolean
  /** Why nothing is written in a view that is of the past. */
  readonly isPast: boolean
  /** Takes in a new object that a savepoint found. */
  readonly adopt: (object: Persistent) => void
  /** Is told of conflicts. */
  readonly onConflict: (error: object) => void
}

/**
 * The part of a connection in two-phase commit: what one transaction at a time writes through it, and
 * relies on.
 *
 * | phase       | from                  | what is true                                        |
 * | ----------- | --------------------- | --------------------------------------------------- |
 * | idle        | the end of the last   | nothing is changed                                  |
 * | joined      | the first change      | objects are changed, or what was read is checked    |
 * | sealed      | `commit`              | the records are made: nothing can be changed        |
 * | voting      | `tpcVote`             | no other transaction of the database validates      |
 *
 * Each leads to the next, and to idle: by `tpcFinish`, or by `abort`, which puts every object back.
 */
export class ConnectionDataManager implements SavepointDataManager {
  /**
   * Behind every manager that sorts by a word: the refusals of others come before the write. One for
   * each database: transactions over several validate in the same order, so none waits for ever.
   */
  readonly sortKey: string
  readonly #parts: DataManagerParts
  readonly #store: CommittedStore
  readonly #view: TransactionView
  readonly #objects: ConnectionObjects
  readonly #outgoing: OutgoingCommit
  readonly #working: WorkingSet
  /** New objects that the program gave to this database itself. */
  readonly #given = new Set<Persistent>()
  #staging: BlobStaging | undefined // once a transaction here has written a blob
  #reads = new ReadSet() // of this transaction; checked at commit
  #isSerializable = false // every read is noted
  #isDeclared = false // something was declared with readCurrent
  #isJoined = false
  #isEnding = false // from the moment in which it is committed or aborted
  #isSealed = false // from the moment in which the records are made
  #isVoting = false
  #written = 0
  #committedTid: Tid | undefined

  constructor(parts: DataManagerParts) {
    this.#parts = parts
    this.sortKey = parts.sortKey
    this.#store = parts.store
    this.#view = parts.view
    this.#objects = parts.objects
    this.#outgoing = parts.outgoing
    this.#working = new WorkingSet({
      adopt: parts.adopt,
      disown: (slots) => parts.objects.disown(slots),
    })
  }

  /**
   * A transaction begins.
   * @returns where every read is to be noted, when they are.
   */
  begin(isSerializable: boolean): ReadSet | undefined {
    this.#isEnding = false
    // Most transactions declare nothing: an empty one is used again.
    if (!this.#reads.isEmpty) this.#reads = new ReadSet()
    this.#isDeclared = false
    this.#isSerializable = isSerializable
    this.#committedTid = undefined
    return isSerializable ? this.#reads : undefined
  }

  /** Takes part for the sake of what it read, whatever was rolled back since. */
  beforeCompletion(transaction: Transaction): void {
    this.#isEnding = true
    const isCommitting = transaction === this.#view.transaction && transaction.status === 'active'
    if (isCommitting && this.#mustCheckReads(transaction)) this.join()
  }

  afterCompletion(): void {
    if (this.#staging?.isEmpty === false) void this.#staging.discard()
  }

  /** What the transaction handed out is closed. */
  end(): void {
    this.#working.closeWatched()
  }

  /** True from the first change until it is committed or forgotten. */
  get isJoined(): boolean {
    return this.#isJoined
  }

  get isWriting(): boolean {
    return !this.#parts.isReadOnly && this.#view.transaction !== undefined
  }

  /** Changes with each savepoint and rollback. */
  get stamp(): number {
    return this.#working.stamp
  }

  /** Rises with each first write to an object, with each that is added, and with rollbacks. */
  get writeStamp(): number {
    return this.#working.writeStamp
  }

  /** Rises with rollbacks only. */
  get rollbackStamp(): number {
    return this.#working.rollbackStamp
  }

  /** How many objects were written. */
  get written(): number {
    return this.#written
  }

  /** What the last transaction that wrote here was committed as, until the next begins. */
  get committedTid(): Tid | undefined {
    return this.#committedTid
  }

  /** @throws PERSISTENCE_OUTSIDE_TRANSACTION */
  join(): void {
    if (this.#isJoined) return
    this.#view.runningTransaction.join(this)
    this.#isJoined = true
  }

  // -- What is written

  /** @throws PERSISTENCE_OUTSIDE_TRANSACTION, PERSISTENCE_READ_ONLY_TRANSACTION, STORAGE_READ_ONLY */
  assertWritable(object: Persistent): void {
    this.#view.assertOpen()
    if (!this.#view.isServingCaller) this.#refuseOutside(object)
    if (this.#isSealed) {
      throw new OutsideTransactionError(
        `${describeObject(object)} cannot be changed any more: its transaction is being committed. Await ` +
          'everything that writes before the function given to db.transaction returns.',
      )
    }
    if (this.#parts.isReadOnly) throw this.#readOnly(object)
  }

  #refuseOutside(object: Persistent): never {
    const { current } = this.#parts.transactionManager
    if (current?.status === 'commitFailed') current.join(this) // throws why, and what to call
    throw new OutsideTransactionError(
      `${describeObject(object)} can be changed only inside a transaction of its own connection. ` +
        'Write `await db.transaction(({ root }) => { … })` and reach the object from its root.',
    )
  }

  #readOnly(object: Persistent): ReadOnlyTransactionError | StorageReadOnlyError {
    const what = describeObject(object)
    const { database, isPast } = this.#parts
    if (database.isReadOnly) {
      return new StorageReadOnlyError(
        `${what} cannot be changed: the database in ${database.location} was opened for reading. Open it ` +
          'without readOnly.',
      )
    }
    if (isPast) {
      return new ReadOnlyTransactionError(
        `${what} was read as transaction ${formatTid(this.#view.seenTid)} left it, in db.at, and the past cannot be ` +
          'changed. Use db.transaction to change what is, db.undo to take back a transaction.',
      )
    }
    return new ReadOnlyTransactionError(
      `${what} was read in db.view, which changes nothing; use db.transaction`,
    )
  }

  /** Called before an object's first write in a transaction, and before the first after a savepoint. */
  write(object: Persistent): void {
    this.join()
    this.#working.write(object)
  }

  /** A mutable copy of a stored value was handed out: it is compared at commit. */
  watch(object: Persistent): void {
    // While it commits, or after it failed, nothing more is stored: then it is read only.
    const status = this.#view.transaction?.status
    if (this.isWriting && (status === 'active' || status === 'doomed')) this.join()
    this.#working.watch(object)
  }

  /** A new object is stored with the transaction, with this oid or a new one. */
  take(object: Persistent, given?: Oid): Oid {
    this.join()
    const oid = given ?? this.#store.newOid()
    this.#objects.take(object, oid)
    this.#working.add(object)
    return oid
  }

  /** An object that was taken is stored, come what may. */
  claim(object: Persistent): void {
    this.#working.claim(object)
  }

  /** The program gave a new object to this database, and to no other one of its group. */
  give(object: Persistent): void {
    this.#given.add(object)
  }

  isGiven(object: Persistent): boolean {
    return this.#given.has(object)
  }

  /** What the running transaction does with the contents of blobs; it takes part for that. */
  stageBlobs(): BlobStaging {
    this.join()
    this.#staging ??= new BlobStaging(this.#parts.blobs)
    return this.#staging
  }

  // -- What it relies on

  /** What the program says that it relies on: is checked also when nothing is written. */
  declareReads(): ReadSet {
    this.#isDeclared = true
    return this.#reads
  }

  /**
   * A transaction that only read is serializable as of its beginning. One that others take part in
   * does something that must not rest on what is no longer so.
   */
  #mustCheckReads({ managers }: Transaction): boolean {
    if (this.#isDeclared) return true
    return this.#isSerializable && (managers.length > 1 || managers[0] !== this)
  }

  // -- DataManager

  savepoint(): DataManagerSavepoint {
    this.#objects.collect()
    const savepoint = this.#working.savepoint()
    const putBack = this.#view.existence.keep()
    const blobs = this.#staging?.count ?? 0
    return {
      rollback: () => {
        savepoint.rollback()
        putBack()
        void this.#staging?.rollbackTo(blobs)
      },
    }
  }

  abort(): void | Promise<void> {
    if (this.#isJoined) this.#store.counters.aborts++
    this.#forgetChanges()
    // Else it is a rollback to a savepoint from before it took part.
    return this.#isEnding ? this.#staging?.discard() : this.#staging?.rollbackTo(0)
  }

  tpcBegin(): void {}

  commit(): void | Promise<void> {
    this.#working.prepareCommit()
    this.#outgoing.gather(this.#working.changed)
    this.#isSealed = true
    if (this.#staging === undefined && !this.#outgoing.hasBlobs) return undefined
    return this.#outgoing.placeBlobs(this.stageBlobs())
  }

  tpcVote(transaction: Transaction): void | Promise<void> {
    if (this.#outgoing.isEmpty && !this.#mustCheckReads(transaction)) return undefined
    const busy = this.#parts.writer.enter()
    return busy === undefined ? this.#vote() : busy.then(() => this.tpcVote(transaction))
  }

  #vote(): void {
    this.#isVoting = true
    const { seenTid } = this.#view
    try {
      this.#reads.validate(seenTid, this.#store.log, (oid) => this.#objects.describe(oid))
      this.#outgoing.validate(seenTid)
    } catch (error) {
      this.#store.countConflict(this.#classIn(error))
      this.#parts.onConflict(error as object)
      throw error
    }
    this.#outgoing.encode((oid) => this.#objects.describe(oid))
  }

  /** The stored name of the class of the object that the error is about. */
  #classIn(error: unknown): string | undefined {
    if (!(error instanceof ConflictError || error instanceof ReadConflictError)) return undefined
    return this.#objects.storedNameOf(Number.parseInt(String(error.details.oid), 16) as Oid)
  }

  tpcFinish(transaction: Transaction): void | PromiseLike<void> {
    const staging = this.#staging
    const outgoing = this.#outgoing
    if (outgoing.isEmpty) {
      this.#forgetChanges()
      return staging?.discard()
    }
    staging?.submitted()
    const { pending } = outgoing
    const { writer } = this.#parts
    const tid = writer.nextTid
    const states = outgoing.statesAs(tid)
    const published = writer.submit({
      commit: outgoing.toStorage(tid, states, transaction),
      states,
      trees: outgoing.treeSummaries(),
      adopt: () => {
        staging?.published(pending, tid)
        this.#adopt(states, tid)
      },
    })
    this.#leaveValidation()
    return staging === undefined ? published : settled(published, staging, pending)
  }

  tpcAbort(): void | Promise<void> {
    return this.abort()
  }

  /** The commit is durable: what was written is now what the objects are. */
  #adopt(states: readonly CommittedState[], tid: Tid): void {
    const { pending } = this.#outgoing
    this.#committedTid = tid
    this.#view.committedAs(tid)
    this.#written += pending.length
    let next = 0 // each object's state is followed by those of its nodes
    for (const { slots, oid, nodes } of pending) {
      const state = states[next] as CommittedState
      next += 1 + nodes.length
      invariant(state.oid === oid, 'the states stand in the order of the objects')
      this.#objects.adopt(slots, state)
      slots.settle()
    }
    for (; next < states.length; next++) this.#objects.adoptReturned(states[next] as CommittedState)
    for (const oid of this.#view.existence.going) this.#objects.estrange(oid)
    this.#endChanges()
  }

  /** Puts every object back to what it was before this transaction. Idempotent. */
  #forgetChanges(): void {
    this.#leaveValidation()
    this.#working.forget()
    for (const oid of this.#view.existence.returning.keys()) this.#objects.estrange(oid)
    this.#endChanges()
  }

  #endChanges(): void {
    this.#working.clear()
    if (this.#given.size > 0) this.#given.clear()
    this.#view.existence.clear()
    this.#outgoing.clear()
    this.#isJoined = false
    this.#isSealed = false
  }

  #leaveValidation(): void {
    if (!this.#isVoting) return
    this.#isVoting = false
    this.#parts.writer.leave()
  }
}

async function settled(
  published: PromiseLike<void>,
  staging: BlobStaging,
  pending: readonly PendingObject[],
): Promise<void> {
  await published
  await staging.settle(pending)
}
