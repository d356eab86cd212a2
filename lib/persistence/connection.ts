import { checkOption, oneOf } from '../foundation/index.js'
import {
  formatOid,
  type Oid,
  ROOT_OID,
  type StorageRecord,
  type Tid,
  toOid,
} from '../storage/index.js'
import {
  type Synchronizer,
  safeReporter,
  type Transaction,
  type TransactionManager,
} from '../transaction/index.js'
import type { BlobStaging } from './blob-staging.js'
import type { BTree } from './btree/b-tree.js'
import { importKey, type Key } from './btree/keys.js'
import { checkRange, type RangeOptions } from './btree/tree-range.js'
import type { NodeSource } from './btree/tree-reading.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { noteConflictPlace } from './conflict-place.js'
import { ConnectionDataManager } from './connection-data-manager.js'
import { ConnectionObjects } from './connection-objects.js'
import type { ConnectionParts } from './connection-parts.js'
import { ConnectionSiblings } from './connection-siblings.js'
import { describeObject } from './describe.js'
import {
  DanglingReferenceError,
  ForeignObjectError,
  InvalidDatabaseOptionError,
  OutsideTransactionError,
  UnknownDatabaseError,
} from './errors.js'
import type { ObjectDatabase } from './object-database.js'
import { OutgoingCommit } from './outgoing-commit.js'
import { type Persistent, slotsOf } from './persistent.js'
import type { ReadSet } from './read-set.js'
import { CrossReference, Reference, type WeakOid } from './reference.js'
import { NO_OID, type SlotsOwner, UNOWNED } from './slots.js'
import { TransactionView } from './transaction-view.js'
import type { ValidationHost } from './validation.js'
import { commitWeakly, type WeakReference } from './weak-reference.js'

/** @throws PERSISTENCE_INVALID_OPTION */
export function assertIsolation(isolation: Isolation): void {
  checkOption('isolation', isolation, ISOLATION, InvalidDatabaseOptionError)
}

const ISOLATION = oneOf('snapshot', 'serializable')

/** What a transaction may rely on; see `Connection.isolation`. @public */
export type Isolation = 'snapshot' | 'serializable'

/**
 * The database as one transaction at a time sees it: one object for each oid, all from one instant.
 * It takes part in its manager's transactions by itself: each begins a new view.
 *
 * Source: `ZODB.Connection.Connection`.
 * @public
 */
export class Connection implements SlotsOwner, Synchronizer, ValidationHost {
  readonly transactionManager: TransactionManager
  readonly database: ObjectDatabase
  readonly nodeSource: NodeSource
  /** @internal */
  generation = 0
  /** @internal */
  reads: ReadSet | undefined = undefined
  readonly #parts: ConnectionParts
  readonly #store: CommittedStore
  readonly #view: TransactionView
  readonly #objects: ConnectionObjects
  readonly #manager: ConnectionDataManager
  readonly #onClose: (() => void)[] = []
  #isolation: Isolation
  #siblings: ConnectionSiblings | undefined

  constructor(parts: ConnectionParts) {
    const { store, past, cacheLimits: limits, clock, rules, transactionManager } = parts
    const { sortKey, database, writer, blobs, isReadOnly } = parts
    this.#parts = parts
    this.database = database
    this.transactionManager = transactionManager
    this.#store = store
    this.#isolation = parts.isolation ?? 'snapshot'
    this.#siblings = parts.siblings
    const view = new TransactionView(parts)
    this.#view = view
    this.nodeSource = view
    this.#objects = new ConnectionObjects({ owner: this, view, store, limits })
    const { existence } = view
    // Each part by its name: a spread costs as much as all the rest of a new connection.
    this.#manager = new ConnectionDataManager({
      sortKey,
      database,
      store,
      writer,
      blobs,
      transactionManager,
      isReadOnly,
      view,
      objects: this.#objects,
      outgoing: new OutgoingCommit({ store, existence, host: this, clock, rules }),
      isPast: past !== undefined,
      adopt: (object) => void this.refer(object),
      onConflict: (error) => this.#noteConflict(error),
    })
    // A weak reference that is followed keeps its object until the program's next turn.
    transactionManager.registerSynchronizer(this, { isHeld: parts.isScoped })
  }

  /**
   * What transactions from the next one on may rely on. `snapshot`: all reads are from one instant,
   * and what was written is as it was read. `serializable`: at commit, what was read is so, too.
   */
  get isolation(): Isolation {
    return this.#isolation
  }

  /** @throws PERSISTENCE_INVALID_OPTION */
  set isolation(isolation: Isolation) {
    assertIsolation(isolation)
    this.#isolation = isolation
    for (const sibling of this.#siblings ?? []) sibling.#isolation = isolation
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
    this.#view.assertOpen()
    if (this.#parts.past !== undefined) {
      throw new UnknownDatabaseError(
        'A view of the past is of one database: ask the other one with its own db.at.',
        { details: { location: this.database.location } },
      )
    }
    this.#siblings ??= new ConnectionSiblings(this)
    const { transactionManager, isScoped, isReadOnly } = this.#parts
    const isolation = this.#isolation
    return this.#siblings.get(name, this, { transactionManager, isScoped, isReadOnly, isolation })
  }

  /** The mapping at oid 0, from which everything else is reached. */
  get rootMapping(): BTree<string, Persistent> {
    return this.get(ROOT_OID) as BTree<string, Persistent>
  }

  /**
   * The one object of this connection with this oid.
   * @throws STORAGE_OBJECT_NOT_FOUND when there is none.
   * @throws STORAGE_READ_CONFLICT when it is newer than the running transaction, which must begin again.
   * @throws PERSISTENCE_UNKNOWN_CLASS, STORAGE_CORRUPT_RECORD; RangeError for what is no oid.
   */
  get(oid: Oid): Persistent {
    const object = this.query(oid)
    if (object !== undefined) return object
    const error = this.#view.whyMissing(oid)
    this.#noteConflict(error)
    throw error
  }

  /** As `get`, with `undefined` when there is none. */
  query(oid: Oid): Persistent | undefined {
    return this.#objects.query(toOid(oid))
  }

  /**
   * Stores a new object with this transaction, reachable or not, and gives it its oid now. An object
   * of this connection is left as it is.
   * @throws PERSISTENCE_FOREIGN_OBJECT when it belongs to another connection.
   */
  add(object: Persistent): Oid {
    this.#manager.assertWritable(object)
    const reference = this.refer(object)
    if (reference instanceof CrossReference) throw foreign(object)
    if (slotsOf(object).committed === undefined) this.#manager.give(object)
    return reference.oid
  }

  /** The tid of the newest commit that the running transaction sees. */
  get seenTid(): Tid {
    return this.#view.seenTid
  }

  get isClosed(): boolean {
    return this.#view.isClosed
  }

  /** The transaction that this connection serves now. */
  get transaction(): Transaction | undefined {
    return this.#view.transaction
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
    this.#declare(object, (reads, oid) => reads.addObject(oid))
  }

  /** As `readCurrent`, for one key of the object's tree, there or absent. */
  readCurrentKey(object: Persistent, key: Key): void {
    this.#declare(object, (reads, oid) => reads.addKey(oid, importKey(key)))
  }

  /** As `readCurrent`, for all keys of a range, there or absent. Default: the whole tree. */
  readCurrentRange(object: Persistent, range: RangeOptions = {}): void {
    checkRange(range)
    this.#declare(object, (reads, oid) => reads.addRange(oid, range).reachEnd())
  }

  /** Calls `declare` for an object that is stored, once it is seen. */
  #declare(object: Persistent, declare: (reads: ReadSet, oid: Oid) => void): void {
    const slots = slotsOf(object)
    this.#manager.assertWritable(object)
    if (slots.owner === UNOWNED) return
    if (slots.owner !== this) throw foreign(object)
    if (slots.generation !== this.generation) this.activate(object)
    if (slots.committed !== undefined) declare(this.#manager.declareReads(), slots.oid)
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
  prefetch(what: Iterable<Oid | Persistent>): Promise<number> {
    return this.#view.prefetch(this.#oidsOf(what))
  }

  *#oidsOf(what: Iterable<Oid | Persistent>): Generator<Oid, void, undefined> {
    for (const one of what) {
      if (typeof one === 'number') yield one
      else {
        const { owner, oid } = slotsOf(one)
        if (owner !== this && owner !== UNOWNED) throw foreign(one)
        if (oid !== NO_OID) yield oid
      }
    }
  }

  /** What this connection did since it was made: objects made from states, and written. */
  get counters(): { readonly loads: number; readonly stores: number } {
    return { loads: this.#objects.made, stores: this.#manager.written }
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
    const { oid, changed } = slotsOf(object)
    this.reads?.addWhole(oid)
    if (changed || oid === NO_OID) return undefined
    const stamp = this.#store.treeStamp(oid)
    return stamp > this.#view.seenTid ? undefined : stamp
  }

  /**
   * The stored record as the running transaction sees it, without the changes of its own.
   * @throws PERSISTENCE_OUTSIDE_TRANSACTION when none is running.
   * @internal
   */
  loadRecord(oid: Oid): StorageRecord | undefined {
    return this.#view.record(oid)
  }

  /**
   * What is stored for an object or a node of a tree, as the running transaction sees it, without
   * the changes of its own but with what it brought back.
   * @internal
   */
  committedState(oid: Oid): CommittedState | undefined {
    return this.#view.stateFor(oid)
  }

  /** What the last transaction that wrote here was committed as. @internal */
  get committedTid(): Tid | undefined {
    return this.#manager.committedTid
  }

  /** The object of this oid when there is one already. Loads nothing. @internal */
  known(oid: Oid): Persistent | undefined {
    return this.#objects.known(oid)
  }

  /** An object, or a node of a tree, that was removed comes back with the commit. @internal */
  bringBack(state: CommittedState): void {
    this.#manager.join()
    this.#view.bringBack(state)
  }

  /** An object, or a node of a tree, is removed with the commit. Nothing must refer to it. @internal */
  remove(oid: Oid): void {
    this.#manager.join()
    this.#view.remove(oid)
  }

  /** Takes part in the running transaction before the first change, as those must who write later. */
  join(): void {
    this.#view.assertOpen()
    this.#manager.join()
  }

  /** What the running transaction does with the contents of blobs; it takes part for that. @internal */
  stageBlobs(): BlobStaging {
    return this.#manager.stageBlobs()
  }

  /**
   * Calls `callback` once, when this use of the connection ends: when it is closed, or when the
   * `db.transaction`, `db.view` or `db.at` that works with it is over. All are called, in the order of
   * their coming; an error is reported.
   *
   * Source: `ZODB.Connection.onCloseCallback`.
   */
  onClose(callback: () => void): void {
    this.#view.assertOpen()
    this.#onClose.push(callback)
  }

  /** What was to be done at the end of its use, by it and by those of the group, is done. @internal */
  endUse(): void {
    if (this.#siblings === undefined) this.#endUseHere()
    else for (const connection of this.#siblings) connection.#endUseHere()
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
    if (this.isClosed) return
    const all = [...(this.#siblings ?? [this])]
    if (all.some((connection) => connection.#manager.isJoined)) {
      throw new OutsideTransactionError(
        'This connection takes part in a transaction; commit or abort that before closing it',
      )
    }
    for (const connection of all) connection.#close()
  }

  #close(): void {
    this.#endUseHere()
    this.transactionManager.unregisterSynchronizer(this)
    this.#view.close()
    this.#endView()
  }

  // -- Synchronizer: each transaction of the manager is a new view

  newTransaction(transaction: Transaction): void {
    this.#endView()
    this.#view.begin(transaction)
    this.generation = this.#view.generation
    this.reads = this.#manager.begin(this.#isolation === 'serializable')
  }

  beforeCompletion(transaction: Transaction): void {
    this.#manager.beforeCompletion(transaction)
  }

  afterCompletion(): void {
    this.#endView()
    this.#manager.afterCompletion()
    this.#objects.collect()
  }

  #endView(): void {
    this.#view.end()
    this.#parts.blobs.release()
    this.#manager.end()
    this.reads = undefined
  }

  // -- SlotsOwner: what objects ask for

  get isWriting(): boolean {
    return this.#manager.isWriting
  }

  activate(object: Persistent): void {
    this.#objects.activate(object)
  }

  assertWritable(object: Persistent): void {
    this.#manager.assertWritable(object)
  }

  registerChanged(object: Persistent): void {
    this.#manager.write(object)
  }

  /** @internal */
  get stamp(): number {
    return this.#manager.stamp
  }

  /**
   * What was concluded from objects that are not changed holds as long as this and `generation` stand
   * still: it rises with each first write to an object, with each that is added, and with rollbacks.
   * @internal
   */
  get writeStamp(): number {
    return this.#manager.writeStamp
  }

  /**
   * The same for who is told of writes by other means: it rises with rollbacks only.
   * @internal
   */
  get rollbackStamp(): number {
    return this.#manager.rollbackStamp
  }

  registerWatched(object: Persistent): void {
    this.#manager.watch(object)
  }

  resolve(reference: Reference): Persistent {
    const object = this.#objects.resolve(reference)
    if (object !== undefined) return object
    const { oid } = reference
    throw new DanglingReferenceError(
      `A stored reference leads to oid ${formatOid(oid)}, which does not exist; restore a backup`,
      { details: { oid: formatOid(oid) } },
    )
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

  nodeSourceAt(serial: Tid): NodeSource {
    return this.#view.nodesAt(serial)
  }

  // -- ValidationHost: what the records of a commit are made with

  get classes() {
    return this.#store.classes
  }

  newOid(): Oid {
    return this.#store.newOid()
  }

  /** As `add`, with an oid that `newOid` gave. @internal */
  addAs(object: Persistent, oid: Oid): void {
    this.#manager.assertWritable(object)
    this.refer(object, oid)
  }

  refer(object: Persistent, oid?: Oid): Reference | CrossReference {
    const { owner, oid: own } = slotsOf(object)
    if (owner === this) {
      this.#manager.claim(object)
      return new Reference(own)
    }
    if (owner !== UNOWNED) return this.#referElsewhere(object)
    return new Reference(this.#manager.take(object, oid))
  }

  /** To an object of another database of the group, in the same transaction. */
  #referElsewhere(object: Persistent): CrossReference {
    const reference = this.#siblings?.crossReference(object, this)
    if (reference === undefined) throw foreign(object)
    return reference
  }

  referWeakly(weak: WeakReference): WeakOid {
    return commitWeakly(weak, this)
  }

  /** @internal */
  report(error: unknown, where: string): void {
    safeReporter(this.database.onError)(error, where)
  }

  /** True for a new object that the program gave to this database itself. @internal */
  isGiven(object: Persistent): boolean {
    return this.#manager.isGiven(object)
  }

  #noteConflict(error: object): void {
    if (this.#siblings !== undefined) noteConflictPlace(error, this.#parts.writer)
  }
}

/** The connection an object belongs to; `undefined` until it is added. ZODB's `_p_jar`. @public */
export function connectionOf(object: Persistent): Connection | undefined {
  const { owner } = slotsOf(object)
  return owner instanceof Connection ? owner : undefined
}

function foreign(object: Persistent): ForeignObjectError {
  return new ForeignObjectError(
    `${describeObject(object)} belongs to another connection. Reach it from this transaction's own root.`,
  )
}
