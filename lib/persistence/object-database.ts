import { type Clock, checkOptions, outsideAllScopes, systemClock } from '../foundation/index.js'
import {
  formatTid,
  NO_TID,
  type Oid,
  type Storage,
  StorageClosedError,
  StorageReadOnlyError,
  type Tid,
} from '../storage/index.js'
import { type ErrorReporter, type TransactionManager, warnOfError } from '../transaction/index.js'
import { BlobKeeper } from './blob-keeper.js'
import { BTree } from './btree/b-tree.js'
import type { ChangeFeedOptions, CommittedChange } from './change-feed.js'
import { CommitWriter } from './commit-writer.js'
import { CommittedStore, type DatabaseCounters } from './committed-store.js'
import type { Connection } from './connection.js'
import type { TransactionContext } from './connection-context.js'
import type { ConnectionSiblings, SiblingTerms } from './connection-siblings.js'
import { DatabaseConnections, type SharedParts } from './database-connections.js'
import { DatabaseHistory } from './database-history.js'
import { InvalidDatabaseOptionError } from './errors.js'
import { type Instant, listOfTids } from './instant.js'
import {
  cacheLimitsIn,
  type ObjectDatabaseOptions,
  objectDatabaseOptionRules,
  recordRulesIn,
  storageFor,
} from './object-database-options.js'
import type { HistoryEntry, HistoryOptions } from './object-history.js'
import type { PackOptions, PackProgress, PackReport } from './pack.js'
import { Packing } from './packing.js'
import type { Persistent } from './persistent.js'
import { type TransactionOptions, TransactionRunner } from './transaction-runner.js'
import type { UndoLogEntry, UndoLogOptions } from './undo-log.js'

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
  readonly #connections: DatabaseConnections
  readonly #runner: TransactionRunner
  readonly #history: DatabaseHistory
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
    checkOptions(options, objectDatabaseOptionRules, InvalidDatabaseOptionError)
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
    const storage = storageFor(location, options)
    if (!storage.isOpen) await storage.open()
    return storage
  }

  protected constructor(storage: Storage, options: ObjectDatabaseOptions) {
    this.#storage = storage
    this.#options = options
    this.#store = new CommittedStore(storage, cacheLimitsIn(options).bytes, options)
    this.#writer = new CommitWriter({
      storage,
      store: this.#store,
      durability: options.durability ?? 'sync',
      clock: this.clock,
      onBroken: () => {
        this.close().catch((error: unknown) => this.onError(error, 'close'))
      },
    })
    this.#blobs = new BlobKeeper({
      storage,
      newestTid: () => this.lastTid,
      oldestReadTid: () => {
        const { oldestTid } = this.#store.epochs
        return Math.min(oldestTid, this.#history.oldestReadTid ?? oldestTid) as Tid
      },
      report: (error) => this.onError(error, 'blobs'),
    })
    this.#packing = new Packing({
      storage,
      writer: this.#writer,
      blobs: this.#blobs,
      clock: this.clock,
    })
    this.#connections = new DatabaseConnections(this.#sharedParts())
    this.#runner = new TransactionRunner({
      database: this,
      connections: this.#connections,
      writer: this.#writer,
      assertOpen: () => this.#assertOpen(),
      poolSize: options.poolSize,
    })
    this.#history = new DatabaseHistory({
      storage,
      store: this.#store,
      blobs: this.#blobs,
      clock: this.clock,
      runner: this.#runner,
    })
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
    this.#runner.closeIdle()
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
  view<T>(fn: (context: TransactionContext) => T | PromiseLike<T>): Promise<T> {
    return this.#runner.view(fn)
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
    return this.#history.at(this.tidAt(when), fn)
  }

  /**
   * The commit that left the database as it was at an instant; NO_TID before the first.
   * @throws STORAGE_HISTORY_UNAVAILABLE when that is no longer known.
   * @throws PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; STORAGE_CLOSED.
   */
  tidAt(when: Instant): Tid {
    this.#assertOpen()
    return this.#history.tidAt(when)
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
    return this.#history.of(object, options)
  }

  /**
   * The transactions that can be undone, newest first. None without history.
   *
   * Source: `ZODB.DB.undoLog`, `undoInfo`.
   * @throws STORAGE_CLOSED
   */
  undoLog(options: UndoLogOptions = {}): AsyncIterableIterator<UndoLogEntry> {
    this.#assertOpen()
    return this.#history.undoLog(options)
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
    return this.#history.undo(connection, tids)
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
    return this.#history.changes(options)
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
    return this.#connections.byHand(transactionManager, mayDangle)
  }

  /** A connection in the transactions of one to another database. @internal */
  connectBeside(parts: SiblingTerms & { readonly siblings: ConnectionSiblings }): Connection {
    this.#assertOpen()
    return this.#connections.beside(parts)
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
   * @throws PERSISTENCE_INVALID_OPTION; PERSISTENCE_ALREADY_PACKING when one is under way.
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
    this.#runner.closeIdle()
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
      return this.#runner.run(fn, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #sharedParts(): SharedParts {
    return {
      database: this,
      sortKey: `~treehook ${String(++openedDatabases).padStart(12, '0')}`,
      store: this.#store,
      writer: this.#writer,
      blobs: this.#blobs,
      clock: this.clock,
      cacheLimits: cacheLimitsIn(this.#options),
      rules: recordRulesIn(this.#options, this.#storage),
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

/** How many databases this process has opened. */
let openedDatabases = 0
