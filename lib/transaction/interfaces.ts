/**
 * Where a transaction stands. `aborted` is ours: upstream leaves an aborted transaction `active`.
 *
 * ```
 * active ──commit──► committing ──► committed
 *   │ └─doom─► doomed      └──► commitFailed
 *   └─abort─► aborted ◄─abort─ doomed, commitFailed
 * ```
 * A savepoint or rollback that fails leads from active and doomed to commitFailed, too.
 * @public
 */
export type TransactionStatus =
  | 'active'
  | 'doomed'
  | 'committing'
  | 'committed'
  | 'commitFailed'
  | 'aborted'

/**
 * What takes part in a transaction: a connection, a mail queue, another database. Any object with
 * these methods can `join`. A phase may return a promise; one that returns nothing is not awaited,
 * so that managers without waiting finish in one step.
 *
 * ```
 * commit:  all tpcBegin ─► all commit ─► all tpcVote ─► all tpcFinish     by rising sortKey
 * failure before finish: abort of each that has not voted, then tpcAbort of every one
 * abort:   abort of each, in the order of joining
 * ```
 *
 * Source: `transaction.interfaces.IDataManager`.
 * @public
 */
export interface DataManager {
  /** Compared as text over all managers of a transaction; a global order avoids deadlock. */
  readonly sortKey: string
  /** Forgets everything done in this transaction. Two-phase commit has not reached this manager. */
  abort(transaction: Transaction): void | PromiseLike<void>
  tpcBegin(transaction: Transaction): void | PromiseLike<void>
  /** Prepares everything that this transaction wants to keep. */
  commit(transaction: Transaction): void | PromiseLike<void>
  /** The last chance to refuse. After it, `tpcFinish` must succeed. */
  tpcVote(transaction: Transaction): void | PromiseLike<void>
  /** Makes it final. Must not fail. */
  tpcFinish(transaction: Transaction): void | PromiseLike<void>
  /** Undoes what the phases so far have done. */
  tpcAbort(transaction: Transaction): void | PromiseLike<void>
  /** True when `error` is one after which the work may be tried again. */
  shouldRetry?(error: unknown): boolean
}

/** A data manager whose work can be rolled back part of the way. @public */
export interface SavepointDataManager extends DataManager {
  /** Synchronous: a savepoint is of one instant. */
  savepoint(): DataManagerSavepoint
}

/** One manager's share of a savepoint. @public */
export interface DataManagerSavepoint {
  /** Goes back to the instant of the savepoint. May be called again. */
  rollback(): void
}

/** What `transaction.savepoint()` gives. @public */
export interface Savepoint {
  /** False once an earlier savepoint was rolled back to, or the transaction ended. */
  readonly valid: boolean
  /**
   * Goes back to the instant of the savepoint in every manager; those that joined later are aborted
   * and leave. Later savepoints become invalid, this one stays valid.
   * @throws TRANSACTION_INVALID_SAVEPOINT when it is not valid.
   */
  rollback(): void
}

/** Is told of each transaction's beginning and end. Held weakly by the manager. @public */
export interface Synchronizer {
  newTransaction(transaction: Transaction): void
  beforeCompletion(transaction: Transaction): void
  afterCompletion(transaction: Transaction): void
}

/**
 * One unit of work. Once it has ended it can be read, and an aborted one aborted again; everything
 * else throws TRANSACTION_WRONG_STATUS, since it would be lost.
 * @public
 */
export interface Transaction {
  readonly status: TransactionStatus
  /** Notes, joined by a newline. */
  readonly description: string
  /** Who; empty when nobody was named. */
  user: string
  readonly extension: Readonly<Record<string, unknown>>
  /** Adds a note; text is trimmed. */
  note(text: string): void
  /** Stores one more fact with the transaction. Plain data. */
  setExtendedInfo(name: string, value: unknown): void

  /**
   * Takes `manager` in. With savepoints taken earlier, rolling back to one of them aborts it.
   * Joining again is the manager's own business: nothing is deduplicated.
   * @throws TRANSACTION_INVALID_MANAGER; TRANSACTION_FAILED after a failed commit;
   *   TRANSACTION_WRONG_STATUS while committing or when ended.
   */
  join(manager: DataManager): void
  /** The managers that joined, in that order. */
  readonly managers: readonly DataManager[]

  /** Who is told of its end. */
  readonly synchronizers: readonly Synchronizer[]

  /** A value kept for this transaction under a key compared by identity. */
  data<T>(key: object): T | undefined
  setData(key: object, value: unknown): void

  /** Called before two-phase commit, first come first served; may add hooks and join managers. */
  addBeforeCommitHook(hook: () => void | Promise<void>): void
  /** Called after two-phase commit with whether it succeeded. Errors are reported, not thrown. */
  addAfterCommitHook(hook: (succeeded: boolean) => void | Promise<void>): void
  addBeforeAbortHook(hook: () => void | Promise<void>): void
  addAfterAbortHook(hook: () => void | Promise<void>): void

  /**
   * @param optimistic - accept managers without savepoints; rolling back then fails.
   * @throws TRANSACTION_SAVEPOINTS_UNSUPPORTED when a manager has none, unless optimistic.
   */
  savepoint(options?: { readonly optimistic?: boolean }): Savepoint

  /** From now on `commit` is refused. Idempotent. */
  doom(): void
  isDoomed(): boolean
  /**
   * @throws TRANSACTION_DOOMED, TRANSACTION_FAILED, or what a hook or manager threw.
   */
  commit(): Promise<void>
  /** Idempotent. */
  abort(): Promise<void>
}

/** One line of transactions, one at a time. Explicit: nothing begins by itself. @public */
export interface TransactionManager {
  /** The running transaction, or `undefined`. */
  readonly current: Transaction | undefined
  /** @throws TRANSACTION_ALREADY_BEGUN when one is running. */
  begin(): Transaction
  /** @throws TRANSACTION_NONE when none is running. */
  get(): Transaction
  /** The rest is `get()`'s. */
  commit(): Promise<void>
  abort(): Promise<void>
  doom(): void
  isDoomed(): boolean
  savepoint(options?: { readonly optimistic?: boolean }): Savepoint
  /**
   * Told of each transaction from now on, and of the running one at once.
   * @param options.isHeld - the manager keeps it alive, which is right for one that lives as long as the
   *   manager. Default: it is held weakly, and forgotten when nothing else holds it.
   */
  registerSynchronizer(synchronizer: Synchronizer, options?: { readonly isHeld?: boolean }): void
  unregisterSynchronizer(synchronizer: Synchronizer): void
}

/** How `run` tries. @public */
export interface RunOptions {
  /** How often in all; default 5, and 12 in `db.transaction` (upstream: 3). */
  readonly tries?: number
  /** No further try begins later than this after the first; default none. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
  /** Stored with the transaction. */
  readonly note?: string
  /** The ms to wait before the given try (2, 3 …); default: jittered, doubling, at most 100 ms. */
  readonly backoffMs?: (nextTry: number) => number
  /** Awaited before a try after a failed one, in place of nothing: wait there for the winner. */
  readonly beforeRetry?: (error: unknown) => void | PromiseLike<void>
}
