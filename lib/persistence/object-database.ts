import { type Clock, outsideAllScopes, systemClock } from '../foundation/index.js'
import {
  ConflictError,
  createDirectoryStorage,
  type DirectoryStorageOptions,
  type Durability,
  formatTid,
  type History,
  NO_TID,
  ObjectNotFoundError,
  type Oid,
  type Storage,
  StorageClosedError,
  StorageReadOnlyError,
  type Tid,
  type TransactionRow,
} from '../storage/index.js'
import {
  type ErrorReporter,
  ExplicitTransactionManager,
  type RunOptions,
  run,
  runInTransactionScope,
  type TransactionManager,
  warnOfError,
} from '../transaction/index.js'
import { BlobKeeper } from './blob-keeper.js'
import { BTree } from './btree/b-tree.js'
import { type ChangeFeedOptions, type CommittedChange, changeFeed } from './change-feed.js'
import type { ClassFactory, OnMissingClass } from './class-table.js'
import { CommitWriter } from './commit-writer.js'
import { CommittedStore, type DatabaseCounters } from './committed-store.js'
import { Connection, databaseOfConflict, type Isolation } from './connection.js'
import { ConnectionContext, type TransactionContext } from './connection-context.js'
import { ConnectionPool } from './connection-pool.js'
import { describeObject } from './describe.js'
import { AlreadyConnectedError } from './errors.js'
import type { HistoricalEpoch } from './historical-epoch.js'
import { type Instant, listOfTids, tidOfInstant } from './instant.js'
import { type HistoryEntry, type HistoryOptions, historyOf } from './object-history.js'
import type { PackOptions, PackProgress, PackReport } from './pack.js'
import { Packing } from './packing.js'
import { Past } from './past.js'
import { oidOf, type Persistent, serialOf } from './persistent.js'
import { isNode } from './state-source.js'
import { undo } from './undo.js'
import { type UndoLogEntry, type UndoLogOptions, undoLog } from './undo-log.js'

/** @public */
export interface ObjectDatabaseOptions {
  /** Where records are kept instead of in a directory: a `MemoryStorage`, or one of your own. */
  readonly storage?: Storage
  /** For the directory's LevelDB. */
  readonly level?: DirectoryStorageOptions
  /**
   * Which earlier states of the database can be read, and undone. May be another at each opening:
   * what was kept so far and is not asked for any more goes, all of it with `off`. For the directory's
   * storage: one of your own has its own. Default: as it was, and `off` for a new database.
   */
  readonly history?: History
  /** Nothing can be changed: transactions are refused. Default false. */
  readonly readOnly?: boolean
  /** `sync` (default): a commit survives power loss. `relaxed`: it survives a killed process. */
  readonly durability?: Durability
  /**
   * For committed states, shared by all connections. Default 64 MiB. No connection holds objects with
   * more state than that, whether the cache still has it or not; changed objects stay.
   */
  readonly cacheBytes?: number
  /** Objects that each connection holds strongly, about, also during a transaction. Default 20,000. */
  readonly cacheObjects?: number
  /** Connections kept for the next transactions. Default 64. */
  readonly poolSize?: number
  readonly clock?: Clock
  /**
   * Each commit verifies that all its references lead to objects, which may cost a read for each.
   * Default false.
   */
  readonly checkReferences?: boolean
  /** What reading an object of a class that the program lacks does. Default `throw`. */
  readonly onMissingClass?: OnMissingClass
  /** Gives the class of a stored name that no class of the program has. */
  readonly classFactory?: ClassFactory
  /**
   * A record above this is reported to `onError` when it is written: often a collection that should
   * be a tree, or a blob. Default 16 MiB.
   */
  readonly largeRecordBytes?: number
  /** Told of errors without a caller. Default: a process warning. */
  readonly onError?: ErrorReporter
}

/** How `transaction` runs its function. @public */
export interface TransactionOptions extends RunOptions {
  /**
   * `serializable` commits only if everything that the function read is still so, what it found absent
   * included: as if transactions ran one after another. Default `snapshot`, which costs less.
   */
  readonly isolation?: Isolation
}

/**
 * Objects in transactions, kept in a directory. Knows nothing of folders, components and webhooks:
 * `Database` does.
 *
 * Source: `ZODB.DB.DB`.
 * @public
 */
export class ObjectDatabase {
  readonly #storage: Storage
  readonly #store: CommittedStore
  readonly #writer: CommitWriter
  readonly #options: ObjectDatabaseOptions
  readonly #sortKey = `~treehook ${String(++openedDatabases).padStart(12, '0')}`
  readonly #writers: ConnectionPool
  readonly #readers: ConnectionPool
  readonly #manual = new Set<Connection>()
  readonly #past: Past
  readonly #packing: Packing
  readonly #blobs: BlobKeeper
  #closing: Promise<void> | undefined

  /**
   * Opens the database in a directory, which is created when missing.
   * @throws STORAGE_LOCKED, STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE, STORAGE_UNKNOWN_FORMAT,
   *   STORAGE_CORRUPT
   */
  static async open(
    location: string,
    options: ObjectDatabaseOptions = {},
  ): Promise<ObjectDatabase> {
    const database = new ObjectDatabase(
      await ObjectDatabase.openStorage(location, options),
      options,
    )
    try {
      await database.initialize()
    } catch (error) {
      await database.close()
      throw error
    }
    return database
  }

  /** The opened storage of `location`, or of `options.storage`. */
  protected static async openStorage(
    location: string,
    options: ObjectDatabaseOptions,
  ): Promise<Storage> {
    if (options.storage !== undefined && options.history !== undefined) {
      throw new RangeError(
        'history is kept by the storage, and one was given: say there what to keep, or leave `storage` out',
      )
    }
    const storage = options.storage ?? directoryStorage(location, options)
    if (!storage.isOpen) await storage.open()
    return storage
  }

  protected constructor(storage: Storage, options: ObjectDatabaseOptions) {
    this.#storage = storage
    this.#options = options
    this.#store = new CommittedStore(storage, options.cacheBytes ?? DEFAULT_CACHE_BYTES, options)
    this.#writer = new CommitWriter({
      storage,
      store: this.#store,
      durability: options.durability ?? 'sync',
      clock: this.clock,
      onBroken: () => {
        this.close().catch((error: unknown) => this.onError(error, 'close'))
      },
    })
    this.#past = new Past(storage, this.#store, HISTORICAL_CACHE_BYTES)
    this.#blobs = new BlobKeeper({
      storage,
      isDurable: options.durability !== 'relaxed',
      newestTid: () => this.lastTid,
      oldestReadTid: () => {
        const { oldestTid } = this.#store.epochs
        return Math.min(oldestTid, this.#past.oldestTid ?? oldestTid) as Tid
      },
      report: (error) => this.onError(error, 'blobs'),
    })
    this.#packing = new Packing({
      storage,
      writer: this.#writer,
      blobs: this.#blobs,
      clock: this.clock,
    })
    const poolSize = options.poolSize ?? DEFAULT_POOL_SIZE
    this.#writers = new ConnectionPool(() => this.#connect({ isReadOnly: false }), poolSize)
    this.#readers = new ConnectionPool(() => this.#connect({ isReadOnly: true }), poolSize)
  }

  /** Makes the root mapping of a new database, and ends what a crash left half done. */
  protected async initialize(): Promise<void> {
    if (!this.isReadOnly) await this.#blobs.recover()
    if (this.lastTid !== NO_TID) return
    this.#assertWritable()
    await this.#run(
      ({ connection }) => {
        connection.add(new BTree())
      },
      { note: 'initial database creation' },
    )
  }

  /** The directory, or `memory`. */
  get location(): string {
    return this.#storage.location
  }

  get isOpen(): boolean {
    return this.#closing === undefined
  }

  /** The newest published commit. */
  get lastTid(): Tid {
    return this.#store.epochs.current.tid
  }

  /** True when nothing can be changed. */
  get isReadOnly(): boolean {
    const { readOnly, level } = this.#options
    return readOnly ?? level?.readOnly ?? this.#storage.isReadOnly ?? false
  }

  /** The oldest commit that the database can be read at; `undefined` when no history is kept. */
  get historyFrom(): Tid | undefined {
    this.#assertOpen()
    return this.#storage.historyFrom
  }

  get clock(): Clock {
    return this.#options.clock ?? systemClock
  }

  get onError(): ErrorReporter {
    return this.#options.onError ?? warnOfError
  }

  /**
   * How often what happened since the opening. For rates and means look twice: `hits` against
   * `storageReads` is how well the shared cache does, `commitMs` against `commits` how long one takes.
   */
  get counters(): Readonly<DatabaseCounters> {
    return this.#store.counters
  }

  /** How many of the conflicts were about objects of which class, by stored name. */
  get conflictsByClass(): ReadonlyMap<string, number> {
    return this.#store.conflictsByClass
  }

  /**
   * The instants that transactions see now. An old one keeps what was written since in memory, and
   * its files on disk: `commitsBehind` is how many commits the oldest has not seen, `msBehind` how long
   * ago the first of these was made; both are 0 when all see what is newest.
   */
  get snapshots(): {
    readonly open: number
    readonly oldestTid: Tid
    readonly commitsBehind: number
    readonly msBehind: number
  } {
    const { epochs } = this.#store
    const { size, oldestTid, current } = epochs
    const msBehind = epochs.msBehind(this.clock.nowMs())
    return { open: size, oldestTid, commitsBehind: current.tid - oldestTid, msBehind }
  }

  /** What the shared cache holds. */
  get cache(): { readonly objects: number; readonly bytes: number } {
    const { size, bytes } = this.#store.cache
    return { objects: size, bytes }
  }

  /** Empties the caches, as after opening: for measurements. */
  cacheClear(): void {
    this.#store.cache.clear()
    this.#writers.closeIdle()
    this.#readers.closeIdle()
  }

  /**
   * Calls `fn` in a new transaction and commits when it returns; aborts when it throws; begins again
   * when it conflicts, after a pause, so `fn` may be called several times.
   *
   * @returns what `fn` returned. Objects in it can be read until their connection is used again.
   * @throws what `fn` or the commit threw; STORAGE_CONFLICT when all tries conflicted, and
   *   STORAGE_READ_CONFLICT when what it read or declared with `readCurrent` was changed each time;
   *   TRANSACTION_ALREADY_BEGUN inside another transaction; STORAGE_READ_ONLY;
   *   STORAGE_CLOSED.
   */
  transaction<T>(
    fn: (context: TransactionContext) => T | PromiseLike<T>,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#run(fn, options)
  }

  /**
   * Calls `fn` in a transaction that only reads: all from one instant, nothing to commit.
   * @throws what `fn` threw; PERSISTENCE_READ_ONLY_TRANSACTION at a write.
   */
  async view<T>(fn: (context: TransactionContext) => T | PromiseLike<T>): Promise<T> {
    this.#assertOpen()
    const connection = this.#readers.acquire()
    try {
      return await readIn(connection, fn)
    } finally {
      this.#readers.release(connection)
    }
  }

  /**
   * Calls `fn` in a transaction that reads the database as it was: as a commit left it, that commit
   * included, or at a time; with `{ before }`, excluded. Objects are read as always, and cannot be
   * changed.
   *
   * ```ts
   * await db.at(new Date('2026-01-31T12:00Z'), ({ rootMapping }) => rootMapping.get('bob')?.title)
   * ```
   *
   * Source: `ZODB.DB.open` with `at` and `before`; writing fails at once, not at the commit.
   * @throws what `fn` threw; PERSISTENCE_READ_ONLY_TRANSACTION at a write.
   * @throws STORAGE_HISTORY_UNAVAILABLE when no history is kept, or not that far back.
   * @throws PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; STORAGE_CLOSED.
   */
  async at<T>(when: Instant, fn: (context: TransactionContext) => T | PromiseLike<T>): Promise<T> {
    const past = this.#past.open(this.tidAt(when))
    const connection = this.#connect({ isReadOnly: true, past })
    try {
      return await readIn(connection, fn)
    } finally {
      connection.endUse()
      past.close()
      this.#blobs.release()
    }
  }

  /**
   * The commit that left the database as it was at an instant; NO_TID before the first.
   * @throws STORAGE_HISTORY_UNAVAILABLE when that is no longer known.
   * @throws PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; STORAGE_CLOSED.
   */
  tidAt(when: Instant): Tid {
    this.#assertOpen()
    return tidOfInstant(when, {
      lastTid: this.lastTid,
      nowMs: this.clock.nowMs(),
      tidAt: (timeMs) => this.#storage.tidAt(timeMs),
    })
  }

  /**
   * The revisions of an object, newest first, each with the transaction that wrote it. Without
   * history there is one. A change of a key of an object's tree is a revision of the object.
   *
   * Source: `ZODB.DB.history`.
   * @throws STORAGE_OBJECT_NOT_FOUND when it was never stored, or nothing is left of it; STORAGE_CLOSED.
   */
  async history(
    object: Persistent | Oid,
    options: HistoryOptions = {},
  ): Promise<readonly HistoryEntry[]> {
    this.#assertOpen()
    return historyOf(
      this.#storage,
      typeof object === 'number' ? object : storedOid(object),
      options,
    )
  }

  /**
   * The transactions that can be undone, newest first. None without history.
   *
   * Source: `ZODB.DB.undoLog`, `undoInfo`.
   * @throws STORAGE_CLOSED
   */
  undoLog(options: UndoLogOptions = {}): AsyncIterableIterator<UndoLogEntry> {
    this.#assertOpen()
    return undoLog(this.#storage, options, (row) => this.#describe(row))
  }

  /**
   * Takes transactions back in a new one: what they wrote becomes what it was before them, where it
   * was not changed since. Each key of a tree is a thing of its own, and so are the fields of an
   * object; fields that were changed since are merged by the class's `resolveConflict`, if it has
   * one. Objects that the transactions created are removed, objects that they removed come back. An
   * undo is a transaction, and can be undone.
   *
   * Events are not notified: what was derived from the objects elsewhere must be derived again.
   *
   * @returns the tid of the new transaction; `undefined` when there was nothing to change.
   *
   * Source: `ZODB.DB.undo`, `undoMultiple`.
   * @throws PERSISTENCE_UNDO_CONFLICT with every object and key that stands in the way; nothing is
   *   changed then.
   * @throws STORAGE_HISTORY_UNAVAILABLE when the state before the transactions is no longer kept.
   * @throws PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; what `transaction` throws.
   */
  async undo(
    tids: Tid | readonly Tid[],
    options: TransactionOptions = {},
  ): Promise<Tid | undefined> {
    const all = listOfTids(tids)
    let committed: Tid | undefined
    await this.#run(
      async (context) => {
        const { connection, transaction } = context
        transaction.addAfterCommitHook(() => {
          committed = connection.committedTid
        })
        await this.undoIn(context, all)
      },
      { note: `undo of ${all.map(formatTid).join(', ')}`, ...options },
    )
    return committed
  }

  /**
   * As `undo`, as a part of the running transaction, which may do other things besides. What it has
   * changed itself cannot be undone in it: call this first, once, with all tids.
   */
  async undoIn({ connection }: TransactionContext, tids: Tid | readonly Tid[]): Promise<void> {
    return undo(connection, listOfTids(tids), this.#historySource)
  }

  /**
   * Follows what is committed: one change for each transaction, in order, none twice and none left
   * out; first those after `after` that have happened already, then each as it is published. Ends when
   * the database is closed. Give the last `tid` that you have handled to go on another day.
   *
   * A consumer may be as slow as it likes: what it has not asked for is not kept in memory. It needs
   * history that reaches back to where it is; without history, a few commits are kept.
   *
   * @throws STORAGE_HISTORY_UNAVAILABLE, when the next commit is no longer kept;
   *   PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; the signal's reason; STORAGE_CLOSED.
   */
  changes(options: ChangeFeedOptions = {}): AsyncIterableIterator<CommittedChange> {
    this.#assertOpen()
    return changeFeed(this.#historySource, options)
  }

  get #historySource() {
    return { storage: this.#storage, store: this.#store, past: this.#past }
  }

  /** What a transaction wrote, as it left it. */
  #describe({ tid, oids }: TransactionRow): Promise<readonly string[]> {
    return ObjectDatabase.prototype.at.call(this, tid, ({ connection }) =>
      oids.flatMap((oid) => {
        const state = connection.committedState(oid)
        if (state === undefined || isNode(state)) return []
        const object = connection.get(oid)
        // Its path is read from its state.
        serialOf(object)
        return [describeObject(object)]
      }),
    ) as Promise<readonly string[]>
  }

  /**
   * A connection for transactions that you begin and end by hand, on a manager of yours. Close it.
   * @throws PERSISTENCE_ALREADY_CONNECTED when the manager has one; STORAGE_CLOSED.
   */
  connect({
    transactionManager,
    mayDangle = false,
  }: {
    readonly transactionManager: TransactionManager
    /** What is stored may refer to what comes later. @internal */
    readonly mayDangle?: boolean
  }): Connection {
    this.#assertOpen()
    this.#refuseSecond(transactionManager)
    const connection = new Connection({
      ...this.#parts,
      transactionManager,
      isScoped: false,
      isReadOnly: this.isReadOnly,
      ...(mayDangle && { checksReferences: false }),
    })
    this.#manual.add(connection)
    return connection
  }

  /** A connection in the transactions of one to another database. @internal */
  connectBeside(parts: {
    readonly transactionManager: TransactionManager
    readonly isScoped: boolean
    readonly isReadOnly: boolean
    readonly isolation: Isolation
  }): Connection {
    this.#assertOpen()
    this.#refuseSecond(parts.transactionManager)
    const isReadOnly = parts.isReadOnly || this.isReadOnly
    const connection = new Connection({ ...this.#parts, ...parts, isReadOnly })
    if (!parts.isScoped) this.#manual.add(connection)
    return connection
  }

  /** Two of one database in one transaction would each wait for the other to validate. */
  #refuseSecond(transactionManager: TransactionManager): void {
    for (const connection of this.#manual) {
      if (connection.isClosed) this.#manual.delete(connection)
      else if (connection.transactionManager === transactionManager) {
        throw new AlreadyConnectedError(
          `This transaction manager has a connection to the database in ${this.location} already; use that one, or close it`,
        )
      }
    }
  }

  /**
   * Removes the objects that nothing leads to any more, and forgets history, while others commit.
   * What `rootMapping` leads to stays, through strong references; so does what was written in this
   * session within `graceMs`. Works in slices of half a millisecond or so, and in commits of its own, each
   * of which removes some objects. Ended early or killed, it leaves a sound database: the next one goes
   * on.
   *
   * A transaction that began before an object was removed, and refers to it, fails with a conflict.
   *
   * Source: `ZODB.DB.pack`.
   * @throws PERSISTENCE_ALREADY_PACKING when one is under way.
   * @throws STORAGE_HISTORY_UNAVAILABLE when `before` is given and no history is kept.
   * @throws STORAGE_CORRUPT_RECORD when an object cannot be read: nothing was removed; see `verify`.
   * @throws STORAGE_CLOSED when the database closes meanwhile; STORAGE_READ_ONLY; the signal's reason.
   */
  async pack(options: PackOptions = {}): Promise<PackReport> {
    this.#assertWritable()
    return outsideAllScopes(() => this.#packing.start(options))
  }

  /** How far the pack has come that is under way; `undefined` when none is. */
  get packProgress(): PackProgress | undefined {
    return this.#packing.progress
  }

  /** What keeps the records; for `verify`. @internal */
  get storage(): Storage {
    return this.#storage
  }

  /** Waits for commits under way, then closes. Running transactions fail at commit. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#packing.stop(this.#closedError())
    await this.#writer.close()
    this.#writers.closeIdle()
    this.#readers.closeIdle()
    this.#store.close()
    await this.#blobs.close()
    await this.#storage.close()
  }

  #run<T>(
    fn: (context: TransactionContext) => T | PromiseLike<T>,
    options: TransactionOptions,
  ): Promise<T> {
    try {
      this.#assertWritable()
    } catch (error) {
      return Promise.reject(error)
    }
    const connection = this.#writers.acquire()
    connection.isolation = options.isolation ?? 'snapshot'
    return run(
      connection.transactionManager,
      (transaction) => {
        this.#assertOpen()
        return fn(new ConnectionContext(connection, transaction))
      },
      {
        clock: this.clock,
        onError: this.onError,
        tries: DEFAULT_TRIES,
        ...options,
        beforeRetry: async (error) => {
          if (error instanceof ConflictError) {
            const { winner } = error
            await (databaseOfConflict(error) ?? this).#writer.published(winner)
          }
          await options.beforeRetry?.(error)
        },
        onOver: () => this.#writers.release(connection),
      },
    )
  }

  #connect(parts: { readonly isReadOnly: boolean; readonly past?: HistoricalEpoch }): Connection {
    return new Connection({
      ...this.#parts,
      transactionManager: new ExplicitTransactionManager({ onError: this.onError }),
      isScoped: true,
      ...parts,
    })
  }

  get #parts() {
    return {
      database: this,
      sortKey: this.#sortKey,
      store: this.#store,
      writer: this.#writer,
      blobs: this.#blobs,
      clock: this.clock,
      cacheLimits: {
        objects: this.#options.cacheObjects ?? DEFAULT_CACHE_OBJECTS,
        bytes: this.#options.cacheBytes ?? DEFAULT_CACHE_BYTES,
      },
      checksReferences: this.#options.checkReferences ?? false,
      largeRecordBytes: this.#options.largeRecordBytes ?? DEFAULT_LARGE_RECORD_BYTES,
      keepsHistory: this.#storage.historyFrom !== undefined,
    }
  }

  #assertOpen(): void {
    if (!this.isOpen) throw this.#closedError()
  }

  #assertWritable(): void {
    this.#assertOpen()
    if (!this.isReadOnly) return
    throw new StorageReadOnlyError(
      `The database in ${this.location} was opened for reading. Read it with db.view, or open it without readOnly.`,
      { details: { location: this.location } },
    )
  }

  #closedError(): StorageClosedError {
    return new StorageClosedError(`The database in ${this.location} is closed; open it again`)
  }
}

/** Calls `fn` in a transaction of a connection that only reads. */
async function readIn<T>(
  connection: Connection,
  fn: (context: TransactionContext) => T | PromiseLike<T>,
): Promise<T> {
  const transaction = connection.transactionManager.begin()
  try {
    return await runInTransactionScope(transaction, () =>
      fn(new ConnectionContext(connection, transaction)),
    )
  } finally {
    await transaction.abort()
  }
}

function directoryStorage(
  location: string,
  { level, history, readOnly }: ObjectDatabaseOptions,
): Storage {
  return createDirectoryStorage(location, {
    ...level,
    ...(history !== undefined && { history }),
    ...(readOnly !== undefined && { readOnly }),
  })
}

function storedOid(object: Persistent): Oid {
  const oid = oidOf(object)
  if (oid !== undefined) return oid
  throw new ObjectNotFoundError(
    `${describeObject(object)} has no history: it was never stored. Commit it first.`,
  )
}

/** How many databases this process has opened. */
let openedDatabases = 0

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024
/** What a reader of the past keeps, each for itself. */
const HISTORICAL_CACHE_BYTES = 16 * 1024 * 1024
const DEFAULT_CACHE_OBJECTS = 20_000
/** As ZODB's `large_record_size`. */
const DEFAULT_LARGE_RECORD_BYTES = 16 * 1024 * 1024
const DEFAULT_POOL_SIZE = 64
/** Enough for a handful of writers of one object, each of whom must win once. */
const DEFAULT_TRIES = 12
