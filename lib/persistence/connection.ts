import { type Clock, currentScopes, invariant, type Scopes } from '../foundation/index.js'
import {
  ConflictError,
  formatOid,
  formatTid,
  NO_TID,
  nextLink,
  ObjectNotFoundError,
  type Oid,
  ReadConflictError,
  type RevisionLink,
  ROOT_OID,
  type StorageCommit,
  StorageReadOnlyError,
  type StorageRecord,
  type Tid,
} from '../storage/index.js'
import {
  currentTransaction,
  type DataManagerSavepoint,
  hasEnded,
  type SavepointDataManager,
  type Synchronizer,
  safeReporter,
  type Transaction,
  type TransactionManager,
} from '../transaction/index.js'
import type { BlobKeeper } from './blob-keeper.js'
import { BlobStaging } from './blob-staging.js'
import type { BTree } from './btree/b-tree.js'
import { importKey, type Key } from './btree/keys.js'
import type { TreeNode } from './btree/tree-node.js'
import { checkRange, type RangeOptions } from './btree/tree-range.js'
import type { NodeSource } from './btree/tree-reading.js'
import { storedNameOf } from './class-registry.js'
import type { CommitWriter } from './commit-writer.js'
import { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { awaitState, takeOwnState, takeState } from './custom-state.js'
import { groupedAs, type Member } from './database-group.js'
import { describeObject } from './describe.js'
import type { Epoch } from './epoch.js'
import {
  ConnectionClosedError,
  DanglingReferenceError,
  ForeignObjectError,
  OutsideTransactionError,
  ReadOnlyTransactionError,
  StaleObjectError,
  UnknownDatabaseError,
} from './errors.js'
import { Existence } from './existence.js'
import type { HistoricalEpoch } from './historical-epoch.js'
import { largeRecords } from './large-record.js'
import { ObjectCache, type ObjectCacheLimits } from './object-cache.js'
import type { ObjectDatabase } from './object-database.js'
import { makeGhost, type Persistent, slotsOf } from './persistent.js'
import { ReadSet } from './read-set.js'
import { CrossReference, Reference, type WeakOid } from './reference.js'
import { refuseDangling, refuseRemoved } from './removal-check.js'
import {
  type EncodedRecord,
  encodeAll,
  type PendingObject,
  serialize,
  summarizeTrees,
} from './serializer.js'
import { GHOST, NO_OID, type Slots, type SlotsOwner, UNOWNED } from './slots.js'
import { TimeSlice } from './time-slice.js'
import { type ValidationHost, validate } from './validation.js'
import { commitWeakly, type WeakReference } from './weak-reference.js'
import { WorkingSet } from './working-set.js'

/** What a transaction may rely on; see `Connection.isolation`. @public */
export type Isolation = 'snapshot' | 'serializable'

/** What a connection works with. @internal */
export interface ConnectionParts {
  readonly database: ObjectDatabase
  readonly store: CommittedStore
  readonly writer: CommitWriter
  readonly blobs: BlobKeeper
  readonly clock: Clock
  readonly transactionManager: TransactionManager
  readonly sortKey: string
  readonly cacheLimits: ObjectCacheLimits
  /** True when only the calls that run inside a transaction's scope may use its objects. */
  readonly isScoped: boolean
  readonly isReadOnly: boolean
  /** Records above this are reported. */
  readonly largeRecordBytes: number
  /** Whether each commit verifies that its references lead somewhere. */
  readonly checksReferences: boolean
  /** Whether what is written says where the revision before it is. */
  readonly keepsHistory: boolean
  /** Where it reads, when not what is newest. */
  readonly past?: HistoricalEpoch | undefined
  readonly isolation?: Isolation | undefined
}

/**
 * The database as one transaction at a time sees it: one object for each oid, all from one instant.
 * It takes part in its manager's transactions by itself: each begins a new view.
 *
 * Source: `ZODB.Connection.Connection`.
 * @public
 */
export class Connection implements SavepointDataManager, SlotsOwner, Synchronizer, ValidationHost {
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
  /** What the last transaction that wrote here was committed as. @internal */
  committedTid: Tid | undefined
  #epoch: Epoch | undefined
  #seenTid: Tid = NO_TID // what the running transaction sees, or the last one saw
  #seenSince = 0 // the generation with which transactions began to see just that
  #servedScopes: Scopes | typeof NOBODY = NOBODY // where the caller was found to be served
  #isReadOnly: boolean
  #isJoined = false
  #isEnding = false // from the moment in which it is committed or aborted
  #isSealed = false // from the moment in which the records are made
  #isVoting = false
  #isClosed = false
  #loads = 0
  #stores = 0
  readonly #working = new WorkingSet({
    adopt: (object) => void this.refer(object),
    disown: (slots) => this.#disown(slots),
  })
  readonly #existence = new Existence()
  #reads = new ReadSet() // of this transaction; checked at commit
  #isDeclared = false // something was declared with readCurrent
  /** @internal */
  reads: ReadSet | undefined = undefined // the same, when every read is noted
  #isolation: Isolation
  /** Those of the group in the same transactions, by name, this one among them; see `getConnection`. */
  #siblings: Map<string, Connection> | undefined
  /** New objects that the program gave to this database itself. */
  readonly #added = new Set<Persistent>()
  readonly #onClose: (() => void)[] = []
  #pending: readonly PendingObject[] = []
  #encoded: readonly EncodedRecord[] = []
  #staging: BlobStaging | undefined // once a transaction here has written a blob

  constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.database = parts.database
    this.sortKey = parts.sortKey
    this.#store = parts.store
    this.#objects = new ObjectCache(parts.cacheLimits)
    this.#isReadOnly = parts.isReadOnly
    this.#isolation = parts.isolation ?? 'snapshot'
    this.transactionManager = parts.transactionManager
    parts.transactionManager.registerSynchronizer(this)
  }

  /**
   * What transactions from the next one on may rely on. `snapshot`: all reads are from one instant,
   * and what was written is as it was read. `serializable`: at commit, what was read is so, too.
   */
  get isolation(): Isolation {
    return this.#isolation
  }

  set isolation(isolation: Isolation) {
    this.#isolation = isolation
    for (const sibling of this.#siblings?.values() ?? []) sibling.#isolation = isolation
  }

  /**
   * The connection to another database of the group that works in the same transactions: what is
   * changed in both is committed together. The same one each time; closed with this one. What it
   * reads is from the instant in which it was first asked for in a transaction, or from the beginning
   * of those that follow.
   *
   * Source: `ZODB.Connection.get_connection`.
   * @param name - what the database is called in its `DatabaseGroup`; its own name gives itself.
   * @throws PERSISTENCE_UNKNOWN_DATABASE when the group has none of this name, this database is in no
   *   group, or this is a view of the past.
   * @throws STORAGE_CLOSED when the other database is closed.
   */
  getConnection(name: string): Connection {
    this.#assertOpen()
    const member = this.#member()
    this.#siblings ??= new Map([[member.name, this]])
    const known = this.#siblings.get(name)
    if (known !== undefined && !known.isClosed) return known
    const { transactionManager, isScoped, isReadOnly } = this.#parts
    const isolation = this.#isolation
    const parts = { transactionManager, isScoped, isReadOnly, isolation }
    const sibling = member.group.get(name).connectBeside(parts)
    sibling.#siblings = this.#siblings
    this.#siblings.set(name, sibling)
    return sibling
  }

  #member(): Member {
    const member = groupedAs(this.database)
    if (member !== undefined && this.#parts.past === undefined) return member
    const why =
      member === undefined
        ? `The database in ${this.database.location} is in no group: add it to a DatabaseGroup.`
        : 'A view of the past is of one database: ask the other one with its own db.at.'
    throw new UnknownDatabaseError(why, { details: { location: this.database.location } })
  }

  /** The mapping at oid 0, from which everything else is reached. */
  get rootMapping(): BTree<string, Persistent> {
    return this.get(ROOT_OID) as BTree<string, Persistent>
  }

  /**
   * The one object of this connection with this oid.
   * @throws STORAGE_OBJECT_NOT_FOUND when there is none.
   * @throws STORAGE_READ_CONFLICT when it is newer than the running transaction, which must begin again.
   * @throws PERSISTENCE_UNKNOWN_CLASS, STORAGE_CORRUPT_RECORD
   */
  get(oid: Oid): Persistent {
    const object = this.query(oid)
    if (object === undefined) throw this.#notFound(oid)
    return object
  }

  /** As `get`, with `undefined` when there is none. */
  query(oid: Oid): Persistent | undefined {
    const known = this.#objects.get(oid)
    if (known !== undefined && !this.#isGone(oid)) return this.#reached(known)
    const state = this.#stateFor(oid)
    if (state !== undefined) return this.#makeObject(state)
    this.reads?.addObject(oid)
    return undefined
  }

  /** True for an object that this connection knows and that was removed before this transaction. */
  #isGone(oid: Oid): boolean {
    if (this.#store.removalOf(oid) === undefined) return false
    return this.#epoch !== undefined && this.#stateFor(oid) === undefined
  }

  /** An object of an earlier transaction belongs to this one now, and is readable after its end. */
  #reached(object: Persistent): Persistent {
    const slots = slotsOf(object)
    if (slots.generation === this.generation) return object
    const isRead = this.reads === undefined && this.#isStillCurrent(slots) && this.#isServingCaller
    if (isRead) this.#bringUp(slots)
    else slots.generation = GHOST
    return object
  }

  /** True when what an earlier transaction read is what this one sees; asks no table for it. */
  #isStillCurrent({ generation, committed }: Slots): boolean {
    if (generation >= this.#seenSince) return true
    if (generation === GHOST || committed === undefined || !committed.isShared) return false
    if (committed.serial > this.#seenTid || !this.#existence.isEmpty) return false
    committed.used = true
    return true
  }

  #bringUp(slots: Slots): void {
    slots.generation = this.generation
    // What a ghost of this transaction handed out is still current.
    const { nested } = slots
    if (nested !== undefined && nested.generation !== this.generation) this.#closeNested(slots)
  }

  /**
   * Stores a new object with this transaction, reachable or not, and gives it its oid now. An object
   * of this connection is left as it is.
   * @throws PERSISTENCE_FOREIGN_OBJECT when it belongs to another connection.
   */
  add(object: Persistent): Oid {
    this.assertWritable(object)
    const reference = this.refer(object)
    if (reference instanceof CrossReference) throw this.#foreign(object)
    if (slotsOf(object).committed === undefined) this.#added.add(object)
    return reference.oid
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

  /**
   * Makes sure that the object is at commit what it is now: its fields are unchanged, and nobody has
   * removed or moved it. Of a tree that it keeps, see `readCurrentKey` and `readCurrentRange`. Is
   * checked also when the transaction writes nothing, and stays declared over a rollback.
   *
   * Source: `ZODB.Connection.readCurrent`, which ignores ghosts, forgets in a rollback, and checks
   * only in transactions that write.
   * @throws PERSISTENCE_OUTSIDE_TRANSACTION, PERSISTENCE_READ_ONLY_TRANSACTION,
   *   PERSISTENCE_FOREIGN_OBJECT; the commit throws STORAGE_READ_CONFLICT.
   */
  readCurrent(object: Persistent): void {
    const oid = this.#declare(object)
    if (oid !== NO_OID) this.#reads.addObject(oid)
  }

  /** As `readCurrent`, for one key of the object's tree, there or absent. */
  readCurrentKey(object: Persistent, key: Key): void {
    const oid = this.#declare(object)
    if (oid !== NO_OID) this.#reads.addKey(oid, importKey(key))
  }

  /** As `readCurrent`, for all keys of a range, there or absent. Default: the whole tree. */
  readCurrentRange(object: Persistent, range: RangeOptions = {}): void {
    checkRange(range)
    const oid = this.#declare(object)
    if (oid !== NO_OID) this.#reads.addRange(oid, range).reachEnd()
  }

  /** Makes ghosts of all unchanged objects: what is read next comes from the shared cache. */
  cacheMinimize(): void {
    this.#objects.minimize()
  }

  /** Makes ghosts of unchanged objects down to the limits, as it does by itself when it has too many. */
  cacheCollect(): void {
    this.#objects.collect()
  }

  /**
   * Brings the states of objects into the shared cache, giving way to other work now and then: what
   * is read next is there, and a long row of reads does not hold up the rest of the program.
   *
   * Source: `ZODB.Connection.prefetch`.
   * @param what - objects of this connection, or oids; those that do not exist are left out.
   * @returns how many exist. Ends early when the transaction ends.
   * @throws PERSISTENCE_OUTSIDE_TRANSACTION, PERSISTENCE_FOREIGN_OBJECT, STORAGE_CORRUPT_RECORD
   */
  async prefetch(what: Iterable<Oid | Persistent>): Promise<number> {
    const transaction = this.#transaction
    if (transaction === undefined) throw noTransaction()
    let found = 0
    const slice = new TimeSlice()
    for (const one of what) {
      if (slice.isOver) await slice.turn()
      if (this.#transaction !== transaction) break
      const oid = typeof one === 'number' ? one : this.#oidOf(one)
      if (oid !== NO_OID && this.#stateFor(oid) !== undefined) found++
    }
    return found
  }

  #oidOf(object: Persistent): Oid {
    const { owner, oid } = slotsOf(object)
    if (owner !== this && owner !== UNOWNED) throw this.#foreign(object)
    return oid
  }

  /** What this connection did since it was made: objects made from states, and written. */
  get counters(): { readonly loads: number; readonly stores: number } {
    return { loads: this.#loads, stores: this.#stores }
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
    this.reads?.addWhole(slots.oid)
    if (slots.changed) return undefined
    const stamp = this.#store.treeStamp(slots.oid)
    return stamp > this.#seenTid ? undefined : stamp
  }

  /**
   * The stored record as the running transaction sees it, without the changes of its own.
   * @throws PERSISTENCE_OUTSIDE_TRANSACTION when none is running.
   * @internal
   */
  loadRecord(oid: Oid): StorageRecord | undefined {
    this.#assertOpen()
    const epoch = this.#epoch
    if (epoch === undefined) {
      throw new OutsideTransactionError('Records are read in a transaction; begin one')
    }
    return epoch.snapshot.load(oid)
  }

  /**
   * What is stored for an object or a node of a tree, as the running transaction sees it, without
   * the changes of its own but with what it brought back.
   * @internal
   */
  committedState(oid: Oid): CommittedState | undefined {
    return this.#stateFor(oid)
  }

  /** The object of this oid when there is one already. Loads nothing. @internal */
  known(oid: Oid): Persistent | undefined {
    return this.#objects.get(oid)
  }

  /** An object, or a node of a tree, that was removed comes back with the commit. @internal */
  bringBack(state: CommittedState): void {
    this.#join()
    this.#seenSince = this.generation
    this.#existence.bringBack(state, this.#seenTid)
  }

  /** An object, or a node of a tree, is removed with the commit. Nothing must refer to it. @internal */
  remove(oid: Oid): void {
    this.#join()
    this.#seenSince = this.generation
    this.#existence.remove(oid)
  }

  /** What the running transaction does with the contents of blobs; it takes part for that. @internal */
  stageBlobs(): BlobStaging {
    this.#join()
    this.#staging ??= new BlobStaging(this.#parts.blobs)
    return this.#staging
  }

  /**
   * Calls `callback` once, when this use of the connection ends: when it is closed, or when the
   * `db.transaction`, `db.view` or `db.at` that works with it is over. All are called, in the order of
   * their coming; an error is reported.
   *
   * Source: `ZODB.Connection.onCloseCallback`.
   */
  onClose(callback: () => void): void {
    this.#assertOpen()
    this.#onClose.push(callback)
  }

  /** What was to be done at the end of its use, by it and by those of the group, is done. @internal */
  endUse(): void {
    if (this.#siblings === undefined) this.#endUseHere()
    else for (const connection of this.#siblings.values()) connection.#endUseHere()
  }

  #endUseHere(): void {
    if (this.#onClose.length === 0) return
    for (const callback of this.#onClose.splice(0)) {
      try {
        callback()
      } catch (error) {
        this.report(error, 'onClose')
      }
    }
  }

  /** Ends its use. With changes that were not committed it refuses. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    const all = [...(this.#siblings?.values() ?? [this])]
    if (all.some((connection) => connection.#isJoined)) {
      throw new OutsideTransactionError(
        'This connection takes part in a transaction; commit or abort that before closing it',
      )
    }
    for (const connection of all) connection.#close()
  }

  #close(): void {
    this.#endUseHere()
    this.#isClosed = true
    this.transactionManager.unregisterSynchronizer(this)
    this.#endView()
  }

  // -- Synchronizer: each transaction of the manager is a new view

  newTransaction(transaction: Transaction): void {
    this.#endView()
    this.#transaction = transaction
    this.#epoch = this.#parts.past ?? this.#store.epochs.acquire()
    this.generation++
    if (this.#seenTid !== this.#epoch.tid) this.#seenSince = this.generation
    this.#seenTid = this.#epoch.tid
    this.#isEnding = false
    // Most transactions declare nothing: an empty one is used again.
    if (!this.#reads.isEmpty) this.#reads = new ReadSet()
    this.#isDeclared = false
    this.committedTid = undefined
    this.reads = this.isolation === 'serializable' ? this.#reads : undefined
  }

  /** Takes part for the sake of what it read, whatever was rolled back since. */
  beforeCompletion(transaction: Transaction): void {
    this.#isEnding = true
    const isCommitting = transaction === this.#transaction && transaction.status === 'active'
    if (isCommitting && this.#mustCheckReads(transaction)) this.#join()
  }

  afterCompletion(): void {
    this.#endView()
    if (this.#staging?.isEmpty === false) void this.#staging.discard()
    this.#objects.collect()
  }

  #endView(): void {
    if (this.#epoch?.isHistorical === false) this.#store.epochs.release(this.#epoch)
    this.#epoch = undefined
    this.#transaction = undefined
    this.#servedScopes = NOBODY
    this.#parts.blobs.release()
    this.#working.closeWatched()
    this.reads = undefined
  }

  // -- SlotsOwner: what objects ask for

  get isWriting(): boolean {
    return !this.#isReadOnly && this.#transaction !== undefined
  }

  activate(object: Persistent): void {
    const slots = slotsOf(object)
    if (this.#isStillCurrent(slots) && this.#isServingCaller) {
      this.reads?.addObject(slots.oid)
      this.#bringUp(slots)
    } else this.#fetch(object, slots)
  }

  #fetch(object: Persistent, slots: Slots): void {
    const isEstranged = slots.generation >= 0 || this.#transaction !== undefined
    if (isEstranged && !this.#isServingCaller) throw this.#stale(object)
    this.reads?.addObject(slots.oid)
    if (!isEstranged && takeOwnState(object, slots)) return
    const state = this.#stateFor(slots.oid)
    if (state === undefined) {
      throw new DanglingReferenceError(
        `${describeObject(object)} does not exist any more as this transaction sees the database`,
      )
    }
    this.#bringUp(slots)
    if (state !== slots.committed) this.#load(object, slots, state)
    if (slots.values === state.values && slots.layout.hasSetState) this.#takeState(object, slots)
  }

  #load(object: Persistent, slots: Slots, state: CommittedState): void {
    const wasGhost = slots.committed === undefined
    this.#objects.replaced(slots.committed, state)
    slots.become(state)
    if (wasGhost) this.#objects.add(slots.oid, object)
  }

  /** Runs the program's code, which may load others: this one is not to be evicted meanwhile. */
  #takeState(object: Persistent, slots: Slots): void {
    slots.writtenIn = TAKING_STATE
    try {
      takeState(object, slots)
    } finally {
      slots.writtenIn = 0
    }
  }

  assertWritable(object: Persistent): void {
    this.#assertOpen()
    if (!this.#isServingCaller) {
      const { current } = this.transactionManager
      if (current?.status === 'commitFailed') current.join(this) // throws why, and what to call
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
    if (this.#isReadOnly) throw this.#readOnly(object)
  }

  registerChanged(object: Persistent): void {
    this.#join()
    this.#working.write(object)
  }

  /** @internal */
  get stamp(): number {
    return this.#working.stamp
  }

  registerWatched(object: Persistent): void {
    // While it commits, or after it failed, nothing more is stored: then it is read only.
    const status = this.#transaction?.status
    if (this.isWriting && (status === 'active' || status === 'doomed')) this.join()
    this.#working.watch(object)
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

  resolveElsewhere({ database, oid }: CrossReference): Persistent {
    const object = this.getConnection(database).query(oid)
    if (object !== undefined) return object
    throw new DanglingReferenceError(
      `A stored reference leads to oid ${formatOid(oid)} of the database ${database}, which does not exist there: ` +
        'a pack removes what only other databases refer to, unless it is told to keep it.',
      { details: { database, oid: formatOid(oid) } },
    )
  }

  readonly nodeSource: NodeSource = new NodesOfView(this)

  /** What the nodes of trees are read as: as the running transaction, or the last one, sees them. @internal */
  get nodesTid(): Tid {
    return this.#epoch?.tid ?? this.#seenTid
  }

  /** @internal */
  nodeAt(oid: Oid): TreeNode {
    return nodeOf(this.#stateFor(oid), oid)
  }

  nodeSourceAt(serial: Tid): NodeSource {
    const node = ({ oid }: Reference): TreeNode => {
      this.#assertOpen()
      const state = this.#store.stateAt(this.#store.epochs.current, oid)
      if (state !== undefined && state.serial > serial) throw changedSince(oid)
      return nodeOf(state, oid)
    }
    return { tid: serial, node }
  }

  // -- SerializerHost

  get classes() {
    return this.#store.classes
  }

  newOid(): Oid {
    return this.#store.newOid()
  }

  /** As `add`, with an oid that `newOid` gave. @internal */
  addAs(object: Persistent, oid: Oid): void {
    this.assertWritable(object)
    this.refer(object, oid)
  }

  refer(object: Persistent, oid?: Oid): Reference | CrossReference {
    const slots = slotsOf(object)
    if (slots.owner === this) {
      this.#working.claim(object)
      return new Reference(slots.oid)
    }
    if (slots.owner !== UNOWNED) return this.#referElsewhere(object, slots)
    this.#join()
    slots.owner = this
    slots.oid = oid ?? this.newOid()
    slots.generation = this.generation
    this.#working.add(object)
    this.#objects.add(slots.oid, object)
    return new Reference(slots.oid)
  }

  /** To an object of another database of the group, in the same transaction. */
  #referElsewhere(
    object: Persistent,
    { owner, oid, committed, generation }: Slots,
  ): CrossReference {
    if (!(owner instanceof Connection) || !this.#isSibling(owner)) throw this.#foreign(object)
    const [here, there] = [this.#member(), owner.#member()]
    if (!here.crossReferences) throw crossing(object, here, there)
    const isNew = committed === undefined && generation === owner.generation
    if (isNew && !owner.#added.has(object)) throw ambiguous(object, here, there)
    return new CrossReference(there.name, oid)
  }

  #isSibling(owner: Connection): boolean {
    return this.#siblings !== undefined && owner.#siblings === this.#siblings
  }

  /** @internal */
  report(error: unknown, where: string): void {
    safeReporter(this.database.onError)(error, where)
  }

  referWeakly(weak: WeakReference): WeakOid {
    return commitWeakly(weak, this)
  }

  // -- DataManager

  /** Takes part in the running transaction before the first change, as those must who write later. */
  join(): void {
    this.#assertOpen()
    this.#join()
  }

  abort(): void | Promise<void> {
    if (this.#isJoined) this.#store.counters.aborts++
    this.#forgetChanges()
    // Else it is a rollback to a savepoint from before it took part.
    return this.#isEnding ? this.#staging?.discard() : this.#staging?.rollbackTo(0)
  }

  /**
   * An instant to come back to: objects, nested values and trees as they are now; objects added since
   * are nobody's again, and keep their state. What was read since stays read.
   */
  savepoint(): DataManagerSavepoint {
    this.#objects.collect()
    const savepoint = this.#working.savepoint()
    const putBack = this.#existence.keep()
    const blobs = this.#staging?.count ?? 0
    return {
      rollback: () => {
        savepoint.rollback()
        putBack()
        void this.#staging?.rollbackTo(blobs)
      },
    }
  }

  tpcBegin(): void {}

  commit(): void | Promise<void> {
    this.#working.prepareCommit()
    this.#pending = serialize(this.#working.changed, this)
    this.#isSealed = true
    const hasBlobs = this.#pending.some(({ layout }) => layout.blobIndex !== -1)
    return hasBlobs || this.#staging !== undefined ? this.#placeBlobs() : undefined
  }

  async #placeBlobs(): Promise<void> {
    this.#pending = await this.stageBlobs().place(this.#pending)
  }

  tpcVote(transaction: Transaction): void | Promise<void> {
    if (this.#isClean && !this.#mustCheckReads(transaction)) return undefined
    const busy = this.#parts.writer.enter()
    return busy === undefined ? this.#vote() : busy.then(() => this.tpcVote(transaction))
  }

  #vote(): void {
    this.#isVoting = true
    try {
      this.#reads.validate(this.#seenTid, this.#store.log, (oid) => this.#describe(oid))
      this.#pending = validate(this.#pending, this.#seenTid, this.#store, this)
      this.#existence.validate(this.#seenTid, this.#store)
    } catch (error) {
      this.#store.countConflict(this.#classIn(error))
      if (this.#siblings !== undefined) conflicts.set(error as object, this.database)
      throw error
    }
    this.#encoded = encodeAll(this.#pending)
    for (const error of largeRecords(this.#encoded, this.#pending, this.#parts.largeRecordBytes)) {
      this.report(error, 'commit')
    }
    if (!this.#existence.isEmpty) this.#encodeExistence()
    refuseRemoved(this.#encoded, this.#store)
    if (this.#parts.checksReferences) {
      refuseDangling(this.#encoded, this.#store, (oid) => this.#describe(oid))
    }
  }

  /** The stored name of the class of the object that the error is about. */
  #classIn(error: unknown): string | undefined {
    if (!(error instanceof ConflictError || error instanceof ReadConflictError)) return undefined
    const oid = Number.parseInt(String(error.details.oid), 16) as Oid
    const object = this.#objects.get(oid)
    return object && storedNameOf(slotsOf(object).layout.constructor)
  }

  #encodeExistence(): void {
    this.#encoded = this.#encoded.concat(this.#existence.encode(this.#encoded))
    this.#existence.refuseReferences(this.#encoded)
  }

  /** Nothing is to be written. */
  get #isClean(): boolean {
    return this.#pending.length === 0 && this.#existence.isEmpty
  }

  tpcFinish(transaction: Transaction): void | PromiseLike<void> {
    if (this.#isClean) {
      this.#forgetChanges()
      return this.#staging?.discard()
    }
    const staging = this.#staging
    const pending = this.#pending
    staging?.submitted()
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
        records: this.#recordsToWrite(states),
        classes: this.classes.takeUnwritten(),
        removed: this.#existence.going.size === 0 ? undefined : [...this.#existence.going],
      },
      states,
      trees: summarizeTrees(this.#pending),
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

  #statesOf(tid: Tid): CommittedState[] {
    const linkOf = this.#parts.keepsHistory ? this.#links() : () => undefined
    return this.#encoded.map(
      ({ oid, layout, values, bytes }) =>
        new CommittedState(oid, tid, layout, values, bytes.length, linkOf(oid)),
    )
  }

  /** The way from each record to the one that it replaces, where that is in memory. */
  #links(): (oid: Oid) => RevisionLink | undefined {
    const added = new Set<Oid>()
    for (const { oid, slots } of this.#pending) if (slots.committed === undefined) added.add(oid)
    return (oid) => {
      if (added.has(oid)) return nextLink(undefined)
      const { serial, link } = this.#store.newestInMemory(oid) ?? {}
      return serial === undefined || link === undefined
        ? undefined
        : nextLink({ tid: serial, link })
    }
  }

  #recordsToWrite(states: readonly CommittedState[]): StorageCommit['records'] {
    return this.#encoded.map(({ oid, layout, bytes }, index) => ({
      oid,
      classId: this.classes.idFor(layout),
      state: bytes,
      link: states[index]?.link,
    }))
  }

  /** The commit is durable: what was written is now what the objects are. */
  #adopt(states: readonly CommittedState[], tid: Tid): void {
    this.committedTid = tid
    // With nobody's commit between, what this connection sees now is exactly its own.
    if (tid === this.#seenTid + 1) this.#seenTid = tid
    this.#stores += this.#pending.length
    let next = 0 // each object's state is followed by those of its nodes
    for (const { slots, oid, nodes } of this.#pending) {
      const state = states[next] as CommittedState
      next += 1 + nodes.length
      invariant(state.oid === oid, 'the states stand in the order of the objects')
      this.#objects.replaced(slots.committed, state)
      slots.committed = state
      slots.values = state.values as unknown[]
      awaitState(slots)
      slots.settle()
    }
    for (; next < states.length; next++) this.#adoptReturned(states[next] as CommittedState)
    for (const oid of this.#existence.going) this.#estrange(oid)
    this.#endChanges()
  }

  /** An object that came back, if the program has reached it already. */
  #adoptReturned(state: CommittedState): void {
    const object = this.#objects.get(state.oid)
    if (object === undefined) return
    const slots = slotsOf(object)
    if (slots.committed === undefined) return // a ghost loads it by itself
    this.#objects.replaced(slots.committed, state)
    slots.committed = state
    slots.values = state.values as unknown[]
    awaitState(slots)
  }

  /** The object does not exist: reading it says so. */
  #estrange(oid: Oid): void {
    const object = this.#objects.get(oid)
    if (object === undefined) return
    this.#objects.delete(oid)
    slotsOf(object).generation = GHOST
  }

  /** Puts every object back to what it was before this transaction. Idempotent. */
  #forgetChanges(): void {
    this.#leaveValidation()
    this.#working.forget()
    for (const oid of this.#existence.returning.keys()) this.#estrange(oid)
    this.#endChanges()
  }

  /** A new object belongs to nobody again. */
  #disown(slots: Slots): void {
    this.#objects.delete(slots.oid)
    slots.owner = UNOWNED
    slots.oid = NO_OID
    slots.generation = UNOWNED.generation
  }

  #endChanges(): void {
    this.#working.clear()
    if (this.#added.size > 0) this.#added.clear()
    this.#existence.clear()
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
      throw noTransaction()
    }
    transaction.join(this)
    this.#isJoined = true
  }

  #closeNested(slots: Slots): void {
    slots.nested?.close()
    slots.nested = undefined
  }

  #makeObject(state: CommittedState): Persistent {
    const { classLayout } = state.layout
    if (classLayout === undefined) {
      throw new ObjectNotFoundError(`oid ${formatOid(state.oid)} is a tree's node, not an object`)
    }
    this.#store.counters.loads++
    this.#loads++
    const object = makeGhost(classLayout)
    const slots = slotsOf(object)
    slots.owner = this
    slots.oid = state.oid
    slots.become(state)
    // The first read of a field is noted where reads are.
    slots.generation = this.reads === undefined ? this.generation : GHOST
    awaitState(slots)
    this.#objects.replaced(undefined, state)
    this.#objects.add(state.oid, object)
    return object
  }

  /** The state of `oid` for the running transaction; between two, as the last one saw it. */
  #stateFor(oid: Oid): CommittedState | undefined {
    this.#assertOpen()
    if (this.#epoch !== undefined) {
      return this.#existence.isEmpty
        ? this.#store.stateAt(this.#epoch, oid)
        : this.#stateAmidUndo(oid, this.#epoch)
    }
    const state = this.#store.stateAt(this.#store.epochs.current, oid)
    if (state === undefined || state.serial <= this.#seenTid) return state
    throw changedSince(oid)
  }

  #stateAmidUndo(oid: Oid, epoch: Epoch): CommittedState | undefined {
    if (this.#existence.going.has(oid)) return undefined
    return this.#existence.returning.get(oid) ?? this.#store.stateAt(epoch, oid)
  }

  /** Makes sure that the object is this connection's, and sees it. @returns NO_OID when it is new. */
  #declare(object: Persistent): Oid {
    const slots = slotsOf(object)
    this.assertWritable(object)
    if (slots.owner === UNOWNED) return NO_OID
    if (slots.owner !== this) throw this.#foreign(object)
    if (slots.generation !== this.generation) this.activate(object)
    if (slots.committed === undefined) return NO_OID
    this.#isDeclared = true
    return slots.oid
  }

  /**
   * A transaction that only read is serializable as of its beginning. One that others take part in
   * does something that must not rest on what is no longer so.
   */
  #mustCheckReads({ managers }: Transaction): boolean {
    if (this.#isDeclared) return true
    return this.reads !== undefined && (managers.length > 1 || managers[0] !== this)
  }

  #describe(oid: Oid): string {
    const object = this.#objects.get(oid)
    return object === undefined ? `The object with oid ${formatOid(oid)}` : describeObject(object)
  }

  #readOnly(object: Persistent): ReadOnlyTransactionError | StorageReadOnlyError {
    const what = describeObject(object)
    if (this.database.isReadOnly) {
      return new StorageReadOnlyError(
        `${what} cannot be changed: the database in ${this.database.location} was opened for reading. Open it ` +
          'without readOnly.',
      )
    }
    if (this.#parts.past !== undefined) {
      return new ReadOnlyTransactionError(
        `${what} was read as transaction ${formatTid(this.#seenTid)} left it, in db.at, and the past cannot be ` +
          'changed. Use db.transaction to change what is, db.undo to take back a transaction.',
      )
    }
    return new ReadOnlyTransactionError(
      `${what} was read in db.view, which changes nothing; use db.transaction`,
    )
  }

  #foreign(object: Persistent): ForeignObjectError {
    return new ForeignObjectError(
      `${describeObject(object)} belongs to another connection. Reach it from this transaction's own root.`,
    )
  }

  #notFound(oid: Oid): ObjectNotFoundError | ReadConflictError {
    const committed = this.#store.log.serialOf(oid)
    if (committed !== undefined && committed > this.#seenTid) {
      const conflict = ReadConflictError.newer({ oid, seen: this.#seenTid, committed })
      if (this.#siblings !== undefined) conflicts.set(conflict, this.database)
      return conflict
    }
    return new ObjectNotFoundError(
      `There is no object with oid ${formatOid(oid)}: it was never stored, or was removed`,
      { details: { oid: formatOid(oid) } },
    )
  }

  /** True when the transaction of the calling code is the one that this connection serves. */
  get #isServingCaller(): boolean {
    const scopes = currentScopes()
    if (scopes === this.#servedScopes) return true
    if (!this.#isServing(currentTransaction())) return false
    this.#servedScopes = scopes
    return true
  }

  #isServing(current: Transaction | undefined): boolean {
    if (this.#transaction === undefined) return false
    if (current === this.#transaction) return true
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

async function settled(
  published: PromiseLike<void>,
  staging: BlobStaging,
  pending: readonly PendingObject[],
): Promise<void> {
  await published
  await staging.settle(pending)
}

function noTransaction(): OutsideTransactionError {
  return new OutsideTransactionError('No transaction is running on this connection; begin one')
}

function crossing(object: Persistent, here: Member, there: Member): ForeignObjectError {
  return new ForeignObjectError(
    `${describeObject(object)} is of the database ${there.name}, and the database ${here.name} was added to its ` +
      'group without cross references. Store the oid or a name instead, or add it with crossReferences.',
    { details: { from: here.name, to: there.name } },
  )
}

function ambiguous(object: Persistent, here: Member, there: Member): ForeignObjectError {
  return new ForeignObjectError(
    `${describeObject(object)} is new, and both ${there.name} and ${here.name} lead to it: which database is it to ` +
      'be stored in? Say so with the add method of a connection to that one.',
    { details: { from: here.name, to: there.name } },
  )
}

/** In place of scopes: no caller is served. */
const NOBODY: unique symbol = Symbol('nobody')

/** In place of a stamp, while `setState` runs. */
const TAKING_STATE = -1

/** Where a connection finds the nodes of trees. */
class NodesOfView implements NodeSource {
  readonly #connection: Connection

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get tid(): Tid {
    return this.#connection.nodesTid
  }

  node({ oid }: Reference): TreeNode {
    return this.#connection.nodeAt(oid)
  }
}

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

/** Where a conflict happened that a transaction over several databases had. */
const conflicts = new WeakMap<object, ObjectDatabase>()

/** The database that a conflict happened in, when that is not known otherwise. @internal */
export function databaseOfConflict(error: ConflictError): ObjectDatabase | undefined {
  return conflicts.get(error)
}

/** The connection an object belongs to; `undefined` until it is added. ZODB's `_p_jar`. @public */
export function connectionOf(object: Persistent): Connection | undefined {
  const { owner } = slotsOf(object)
  return owner instanceof Connection ? owner : undefined
}
