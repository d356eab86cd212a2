import {
  aFunction,
  anAbortSignal,
  aWholeNumber,
  type Clock,
  callInScopes,
  checkOption,
  currentScopes,
  milliseconds,
  systemClock,
  TreehookError,
} from '../foundation/index.js'
import { currentTransaction, runInTransactionScope } from './current-transaction.js'
import { type ErrorReporter, safeReporter, warnOfError } from './error-reporter.js'
import {
  AlreadyInTransactionError,
  InvalidOptionError,
  TransactionFailedError,
  WrongStatusError,
} from './errors.js'
import type { RunOptions, Transaction, TransactionManager } from './interfaces.js'
import { isPromise } from './is-promise.js'
import { hasEnded } from './status.js'
import { commitThen } from './transaction.js'
import { isPartlyFinished } from './two-phase-commit.js'

/** What `run` works with; tests give their own. @public */
export interface RunTools {
  readonly clock?: Clock
  /** From 0 included to 1 excluded; default `Math.random`. */
  readonly random?: () => number
  /** Is told of errors of an abort that follows another error; default: a process warning. */
  readonly onError?: ErrorReporter
  /** Called once when the last try is over, before the promise settles. Must not throw. */
  readonly onOver?: () => void
}

/**
 * Begins a transaction, calls `fn` with it as the current one, and commits. Whatever goes wrong
 * aborts; what is retryable is tried again from the start, so `fn` may be called several times. A
 * transaction that `fn` doomed is aborted, and `fn`'s result returned.
 *
 * @returns what `fn` returned in the try that was kept.
 * @throws what the last try threw, as it was; the signal's reason, before a try or between two;
 *   TRANSACTION_ALREADY_BEGUN inside another `run` or while `manager` has one running;
 *   TRANSACTION_WRONG_STATUS when `fn` ended the transaction itself; TRANSACTION_INVALID_OPTION.
 *
 * Source: `transaction._manager.TransactionManager.run`, with the back-off, the doomed result and
 * the check on ended transactions of `nti.transactions.loop.TransactionLoop`.
 * @public
 */
export function run<T>(
  manager: TransactionManager,
  fn: (transaction: Transaction) => T | PromiseLike<T>,
  options: RunOptions & RunTools = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      refuseNesting()
      refuseInvalid(options)
      new Run(manager, fn, options, resolve, reject).tryOnce()
    } catch (error) {
      options.onOver?.()
      reject(error)
    }
  })
}

const DEFAULT_TRIES = 5
const FIRST_BACKOFF_MS = 2
const LONGEST_BACKOFF_MS = 100

/**
 * One call of {@link run}: the tries, one after the other.
 *
 * ```
 * tryOnce ─► returned ─► commit ─► over
 *    ▲  └──────┴───────────┴─► failed ─► abort ─► over, or a pause
 *    └───────────────────────────────────────────────────────┘
 * ```
 * In callbacks: a try that nothing interrupts makes no promise but the caller's.
 */
class Run<T> {
  readonly #manager: TransactionManager
  readonly #fn: (transaction: Transaction) => T | PromiseLike<T>
  readonly #options: RunOptions & RunTools
  readonly #resolve: (result: T) => void
  readonly #reject: (error: unknown) => void
  readonly #elapsedMs: () => number
  readonly #scopes = currentScopes() // outside the transactions
  #tries = 0

  constructor(
    manager: TransactionManager,
    fn: (transaction: Transaction) => T | PromiseLike<T>,
    options: RunOptions & RunTools,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#manager = manager
    this.#fn = fn
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    this.#elapsedMs = stopwatch(options)
  }

  /** @throws what keeps the transaction from beginning. */
  tryOnce(): void {
    this.#options.signal?.throwIfAborted()
    this.#tries++
    const transaction = this.#manager.begin()
    // Commit and abort are inside the scope too: hooks work on the objects of this transaction.
    runInTransactionScope(transaction, () => this.#call(transaction))
  }

  #call(transaction: Transaction): void {
    const failed = (error: unknown): void => this.#failed(transaction, error)
    try {
      if (this.#options.note !== undefined) transaction.note(this.#options.note)
      const returned = this.#fn(transaction)
      if (!isPromise(returned)) this.#returned(transaction, returned)
      else returned.then((result) => this.#returned(transaction, result), failed)
    } catch (error) {
      failed(error)
    }
  }

  #returned(transaction: Transaction, result: T): void {
    const failed = (error: unknown): void => this.#failed(transaction, error)
    const succeeded = (): void => this.#over(() => this.#resolve(result))
    if (!isOpen(transaction)) failed(endedByItself(transaction))
    else if (transaction.isDoomed()) transaction.abort().then(succeeded, failed)
    else commitThen(transaction, succeeded, failed)
  }

  #failed(transaction: Transaction, error: unknown): void {
    const fail = (): void => this.#over(() => this.#reject(error))
    // Ended already: by `fn`, or by the abort of a doomed one. Never again.
    if (!isOpen(transaction)) {
      fail()
      return
    }
    const report = safeReporter(this.#options.onError ?? warnOfError)
    // Asked before the abort, after which the managers are forgotten.
    const mayRetry =
      isRetryable(error, transaction, report) &&
      this.#tries < (this.#options.tries ?? DEFAULT_TRIES)
    void transaction
      .abort()
      .catch((failure: unknown) => report(failure, 'abort'))
      .then(() => (mayRetry ? callInScopes(this.#scopes, () => this.#tryAgain(error)) : fail()))
  }

  async #tryAgain(error: unknown): Promise<void> {
    try {
      await beforeNextTry(this.#tries + 1, error, this.#elapsedMs, this.#options)
      this.tryOnce()
    } catch (failure) {
      this.#over(() => this.#reject(failure))
    }
  }

  #over(settle: () => void): void {
    this.#options.onOver?.()
    settle()
  }
}

function refuseNesting(): void {
  const outer = currentTransaction()
  if (outer !== undefined && !hasEnded(outer.status)) {
    throw AlreadyInTransactionError.ofScope(outer.status)
  }
}

/** By name, and not with `checkOptions`: this is done for each transaction. */
function refuseInvalid({ tries, deadlineMs, signal, backoffMs, beforeRetry }: RunOptions): void {
  if (tries !== undefined) checkOption('tries', tries, TRIES, InvalidOptionError)
  if (deadlineMs !== undefined) {
    checkOption('deadlineMs', deadlineMs, milliseconds, InvalidOptionError)
  }
  if (signal !== undefined) checkOption('signal', signal, anAbortSignal, InvalidOptionError)
  if (backoffMs !== undefined) checkOption('backoffMs', backoffMs, aFunction, InvalidOptionError)
  if (beforeRetry !== undefined) {
    checkOption('beforeRetry', beforeRetry, aFunction, InvalidOptionError)
  }
}

const TRIES = aWholeNumber(1)

/** Ms since now; reads no clock when there is no deadline to keep. */
function stopwatch({ deadlineMs, clock = systemClock }: RunOptions & RunTools): () => number {
  if (deadlineMs === undefined) return () => 0
  const startedMs = clock.monotonicMs()
  return () => clock.monotonicMs() - startedMs
}

function endedByItself(transaction: Transaction): WrongStatusError {
  return WrongStatusError.on(
    'run',
    transaction.status,
    'the function ended its transaction itself. Return to commit, throw to abort, or doom() to abort and return.',
  )
}

/** True while commit or abort is still to come. */
function isOpen({ status }: Transaction): boolean {
  return !hasEnded(status) && status !== 'committing'
}

function isRetryable(error: unknown, transaction: Transaction, report: ErrorReporter): boolean {
  if (isPartlyFinished(transaction)) return false
  // What made the transaction fail decides, not the refusal that followed.
  const reason = error instanceof TransactionFailedError ? error.cause : error
  if (reason instanceof TreehookError && reason.retryable) return true
  return transaction.managers.some((manager) => {
    try {
      return manager.shouldRetry?.(reason) === true
    } catch (failure) {
      report(failure, 'shouldRetry')
      return false
    }
  })
}

/** @throws `error` when the deadline leaves no room for another try; the signal's reason. */
async function beforeNextTry(
  nextTry: number,
  error: unknown,
  elapsedMs: () => number,
  options: RunOptions & RunTools,
): Promise<void> {
  const { deadlineMs = Number.POSITIVE_INFINITY, signal, clock = systemClock } = options
  const { random = Math.random, backoffMs = jittered(random) } = options
  const waitMs = backoffMs(nextTry)
  if (elapsedMs() + waitMs > deadlineMs) throw error
  if (waitMs > 0) {
    await clock.sleep(waitMs, signal)
    signal?.throwIfAborted()
  }
  await options.beforeRetry?.(error)
  if (elapsedMs() > deadlineMs) throw error
}

/** Somewhere between nothing and a bound that doubles with each try. */
function jittered(random: () => number): (nextTry: number) => number {
  return (nextTry) => random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (nextTry - 2))
}
