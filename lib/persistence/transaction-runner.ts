import { ConflictError } from '../storage/index.js'
import { type RunOptions, run, runInTransactionScope } from '../transaction/index.js'
import type { CommitWriter } from './commit-writer.js'
import { placeOfConflict } from './conflict-place.js'
import { assertIsolation, type Connection, type Isolation } from './connection.js'
import { ConnectionContext, type TransactionContext } from './connection-context.js'
import { ConnectionPool } from './connection-pool.js'
import type { DatabaseConnections } from './database-connections.js'
import type { HistoricalEpoch } from './historical-epoch.js'
import type { ObjectDatabase } from './object-database.js'

/** How `transaction` runs its function. @public */
export interface TransactionOptions extends RunOptions {
  /**
   * `serializable` commits only if everything that the function read is still so, what it found absent
   * included: as if transactions ran one after another. Default `snapshot`, which costs less.
   */
  readonly isolation?: Isolation
}

/** What is called in a transaction. */
export type TransactionFunction<T> = (context: TransactionContext) => T | PromiseLike<T>

/** Calls functions in transactions of one database, on connections that are kept for the next ones. */
export class TransactionRunner {
  readonly #database: ObjectDatabase
  readonly #connections: DatabaseConnections
  readonly #writer: CommitWriter
  readonly #assertOpen: () => void
  readonly #writers: ConnectionPool
  readonly #readers: ConnectionPool

  /**
   * @param assertOpen - called before each function.
   * @param poolSize - how many connections are kept, of those that write and of those that read.
   */
  constructor({
    database,
    connections,
    writer,
    assertOpen,
    poolSize = DEFAULT_POOL_SIZE,
  }: {
    readonly database: ObjectDatabase
    readonly connections: DatabaseConnections
    readonly writer: CommitWriter
    readonly assertOpen: () => void
    readonly poolSize?: number | undefined
  }) {
    this.#database = database
    this.#connections = connections
    this.#writer = writer
    this.#assertOpen = assertOpen
    this.#writers = new ConnectionPool(() => connections.scoped({ isReadOnly: false }), poolSize)
    this.#readers = new ConnectionPool(() => connections.scoped({ isReadOnly: true }), poolSize)
  }

  /**
   * Commits, aborts, or begins again when it conflicts and the winner is published.
   * @throws PERSISTENCE_INVALID_OPTION
   */
  run<T>(fn: TransactionFunction<T>, options: TransactionOptions): Promise<T> {
    const { isolation = 'snapshot' } = options
    assertIsolation(isolation)
    const connection = this.#writers.acquire()
    connection.isolation = isolation
    // No clock: a test that holds the database's would hold up every transaction that conflicts.
    return run(
      connection.transactionManager,
      (transaction) => {
        this.#assertOpen()
        return fn(new ConnectionContext(connection, transaction))
      },
      {
        onError: this.#database.onError,
        tries: DEFAULT_TRIES,
        ...options,
        beforeRetry: async (error) => {
          if (error instanceof ConflictError) {
            await (placeOfConflict(error) ?? this.#writer).published(error.winner)
          }
          await options.beforeRetry?.(error)
        },
        onOver: () => this.#writers.release(connection),
      },
    )
  }

  /** In a transaction that only reads what is newest. */
  async view<T>(fn: TransactionFunction<T>): Promise<T> {
    this.#assertOpen()
    const connection = this.#readers.acquire()
    try {
      return await readIn(connection, fn)
    } finally {
      this.#readers.release(connection)
    }
  }

  /** In a transaction that only reads what was. */
  async viewOf<T>(past: HistoricalEpoch, fn: TransactionFunction<T>): Promise<T> {
    const connection = this.#connections.scoped({ isReadOnly: true, past })
    try {
      return await readIn(connection, fn)
    } finally {
      connection.endUse()
    }
  }

  /** Closes the connections that nobody uses now. */
  closeIdle(): void {
    this.#writers.closeIdle()
    this.#readers.closeIdle()
  }
}

async function readIn<T>(connection: Connection, fn: TransactionFunction<T>): Promise<T> {
  const transaction = connection.transactionManager.begin()
  try {
    return await runInTransactionScope(transaction, () =>
      fn(new ConnectionContext(connection, transaction)),
    )
  } finally {
    await transaction.abort()
  }
}

const DEFAULT_POOL_SIZE = 64
/** Enough for a handful of writers of one object, each of whom must win once. */
const DEFAULT_TRIES = 12
