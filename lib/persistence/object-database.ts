import { type Clock, systemClock } from '../foundation/index.js'
import {
  ConflictError,
  createDirectoryStorage,
  type DirectoryStorageOptions,
  type Durability,
  NO_TID,
  type Storage,
  StorageClosedError,
  type Tid,
} from '../storage/index.js'
import {
  type ErrorReporter,
  ExplicitTransactionManager,
  type RunOptions,
  run,
  runInTransactionScope,
  type Transaction,
  type TransactionManager,
  warnOfError,
} from '../transaction/index.js'
import { BTree } from './btree/b-tree.js'
import { CommitWriter } from './commit-writer.js'
import { CommittedStore, type DatabaseCounters } from './committed-store.js'
import { Connection } from './connection.js'
import { ConnectionPool } from './connection-pool.js'
import { AlreadyConnectedError } from './errors.js'
import type { Persistent } from './persistent.js'

/** @public */
export interface ObjectDatabaseOptions {
  /** Where records are kept instead of in a directory: a `MemoryStorage`, or one of your own. */
  readonly storage?: Storage
  /** For the directory's LevelDB. */
  readonly level?: DirectoryStorageOptions
  /** `sync` (default): a commit survives power loss. `relaxed`: it survives a killed process. */
  readonly durability?: Durability
  /** For committed states, shared by all connections. Default 64 MiB. */
  readonly cacheBytes?: number
  /** Objects that each connection holds strongly, about. Default 20,000. */
  readonly cacheObjects?: number
  /** Connections kept for the next transactions. Default 64. */
  readonly poolSize?: number
  readonly clock?: Clock
  /** Told of errors without a caller. Default: a process warning. */
  readonly onError?: ErrorReporter
}

/** What the function given to `transaction` or `view` works with. @public */
export interface TransactionContext {
  readonly connection: Connection
  readonly rootMapping: BTree<string, Persistent>
  readonly transaction: Transaction
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
    const storage = options.storage ?? createDirectoryStorage(location, options.level)
    if (!storage.isOpen) await storage.open()
    return storage
  }

  protected constructor(storage: Storage, options: ObjectDatabaseOptions) {
    this.#storage = storage
    this.#options = options
    this.#store = new CommittedStore(storage, options.cacheBytes ?? DEFAULT_CACHE_BYTES)
    this.#writer = new CommitWriter({
      storage,
      store: this.#store,
      durability: options.durability ?? 'sync',
      onBroken: () => {
        this.close().catch((error: unknown) => this.onError(error, 'close'))
      },
    })
    const poolSize = options.poolSize ?? DEFAULT_POOL_SIZE
    this.#writers = new ConnectionPool(() => this.#connect({ isReadOnly: false }), poolSize)
    this.#readers = new ConnectionPool(() => this.#connect({ isReadOnly: true }), poolSize)
  }

  /** Makes the root mapping of a new database. */
  protected async initialize(): Promise<void> {
    if (this.lastTid !== NO_TID) return
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

  get clock(): Clock {
    return this.#options.clock ?? systemClock
  }

  get onError(): ErrorReporter {
    return this.#options.onError ?? warnOfError
  }

  /** How often what happened since the opening. */
  get counters(): Readonly<DatabaseCounters> {
    return this.#store.counters
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
   * @throws what `fn` or the commit threw; STORAGE_CONFLICT when all tries conflicted;
   *   TRANSACTION_ALREADY_BEGUN inside another transaction; STORAGE_CLOSED.
   */
  transaction<T>(
    fn: (context: TransactionContext) => T | PromiseLike<T>,
    options: RunOptions = {},
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
      const transaction = connection.transactionManager.begin()
      try {
        return await runInTransactionScope(transaction, () =>
          fn({ connection, rootMapping: connection.rootMapping, transaction }),
        )
      } finally {
        await transaction.abort()
      }
    } finally {
      this.#readers.release(connection)
    }
  }

  /**
   * A connection for transactions that you begin and end by hand, on a manager of yours. Close it.
   * @throws PERSISTENCE_ALREADY_CONNECTED when the manager has one; STORAGE_CLOSED.
   */
  connect({ transactionManager }: { readonly transactionManager: TransactionManager }): Connection {
    this.#assertOpen()
    this.#refuseSecond(transactionManager)
    const connection = new Connection({
      ...this.#parts,
      transactionManager,
      isScoped: false,
      isReadOnly: false,
    })
    this.#manual.add(connection)
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

  /** Waits for commits under way, then closes. Running transactions fail at commit. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    await this.#writer.close()
    this.#writers.closeIdle()
    this.#readers.closeIdle()
    this.#store.close()
    await this.#storage.close()
  }

  #run<T>(
    fn: (context: TransactionContext) => T | PromiseLike<T>,
    options: RunOptions,
  ): Promise<T> {
    try {
      this.#assertOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    const connection = this.#writers.acquire()
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
          if (error instanceof ConflictError) await this.#writer.published(error.winner)
          await options.beforeRetry?.(error)
        },
        onOver: () => this.#writers.release(connection),
      },
    )
  }

  #connect({ isReadOnly }: { readonly isReadOnly: boolean }): Connection {
    return new Connection({
      ...this.#parts,
      transactionManager: new ExplicitTransactionManager({ onError: this.onError }),
      isScoped: true,
      isReadOnly,
    })
  }

  get #parts() {
    return {
      database: this,
      sortKey: this.#sortKey,
      store: this.#store,
      writer: this.#writer,
      clock: this.clock,
      cacheObjects: this.#options.cacheObjects ?? DEFAULT_CACHE_OBJECTS,
    }
  }

  #assertOpen(): void {
    if (this.isOpen) return
    throw new StorageClosedError(`The database in ${this.location} is closed; open it again`)
  }
}

class ConnectionContext implements TransactionContext {
  readonly connection: Connection
  readonly transaction: Transaction

  constructor(connection: Connection, transaction: Transaction) {
    this.connection = connection
    this.transaction = transaction
  }

  get rootMapping(): BTree<string, Persistent> {
    return this.connection.rootMapping
  }
}

/** How many databases this process has opened. */
let openedDatabases = 0

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024
const DEFAULT_CACHE_OBJECTS = 20_000
const DEFAULT_POOL_SIZE = 64
/** Enough for a handful of writers of one object, each of whom must win once. */
const DEFAULT_TRIES = 12
