import { type Clock, systemClock, TreehookError } from '../foundation/index.js'
import { currentTransaction, runInTransactionScope } from './current-transaction.js'
import { type ErrorReporter, safeReporter, warnOfError } from './error-reporter.js'
import {
  AlreadyInTransactionError,
  InvalidOptionError,
  TransactionFailedError,
  WrongStatusError,
} from './errors.js'
import { isPromise } from './in-turn.js'
import type { RunOptions, Transaction, TransactionManager } from './interfaces.js'
import { hasEnded } from './status.js'
import { isPartlyFinished } from './two-phase-commit.js'

/** What `run` works with; tests give their own. @public */
export interface RunTools {
  readonly clock?: Clock
  /** From 0 included to 1 excluded; default `Math.random`. */
  readonly random?: () => number
  /** Is told of errors of an abort that follows another error; default: a process warning. */
  readonly onError?: ErrorReporter
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
export async function run<T>(
  manager: TransactionManager,
  fn: (transaction: Transaction) => T | PromiseLike<T>,
  options: RunOptions & RunTools = {},
): Promise<T> {
  refuseNesting()
  const { tries = DEFAULT_TRIES, signal } = options
  refuseInvalid(options)
  const elapsedMs = stopwatch(options)
  for (let tryNumber = 1; ; tryNumber++) {
    signal?.throwIfAborted()
    const outcome = await tryOnce(manager, fn, options)
    if (outcome.succeeded) return outcome.result
    if (!outcome.retryable || tryNumber >= tries) throw outcome.error
    await beforeNextTry(tryNumber + 1, outcome.error, elapsedMs, options)
  }
}

const DEFAULT_TRIES = 5
const FIRST_BACKOFF_MS = 2
const LONGEST_BACKOFF_MS = 100

type Outcome<T> =
  | { readonly succeeded: true; readonly result: T }
  | { readonly succeeded: false; readonly error: unknown; readonly retryable: boolean }

function refuseNesting(): void {
  const outer = currentTransaction()
  if (outer !== undefined && !hasEnded(outer.status)) {
    throw AlreadyInTransactionError.ofScope(outer.status)
  }
}

function refuseInvalid({ tries, deadlineMs }: RunOptions): void {
  if (tries !== undefined && !(Number.isSafeInteger(tries) && tries >= 1)) {
    throw InvalidOptionError.of('tries', tries, 'a whole number from 1 upward')
  }
  if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs >= 0)) {
    throw InvalidOptionError.of('deadlineMs', deadlineMs, 'a number of milliseconds from 0 upward')
  }
}

/** Ms since now; reads no clock when there is no deadline to keep. */
function stopwatch({ deadlineMs, clock = systemClock }: RunOptions & RunTools): () => number {
  if (deadlineMs === undefined) return () => 0
  const startedMs = clock.monotonicMs()
  return () => clock.monotonicMs() - startedMs
}

function tryOnce<T>(
  manager: TransactionManager,
  fn: (transaction: Transaction) => T | PromiseLike<T>,
  options: RunOptions & RunTools,
): Promise<Outcome<T>> {
  const transaction = manager.begin()
  // Commit and abort are inside the scope too: hooks work on the objects of this transaction.
  return runInTransactionScope(transaction, async (): Promise<Outcome<T>> => {
    try {
      if (options.note !== undefined) transaction.note(options.note)
      const returned = fn(transaction)
      const result = isPromise(returned) ? await returned : returned
      refuseEnded(transaction)
      if (transaction.isDoomed()) await transaction.abort()
      else await transaction.commit()
      return { succeeded: true, result }
    } catch (error) {
      const report = safeReporter(options.onError ?? warnOfError)
      // Ended already: by `fn`, or by the abort of a doomed one. Never again.
      if (!isOpen(transaction)) return { succeeded: false, error, retryable: false }
      // Asked before the abort, after which the managers are forgotten.
      const retryable = isRetryable(error, transaction, report)
      await transaction.abort().catch((failure: unknown) => report(failure, 'abort'))
      return { succeeded: false, error, retryable }
    }
  })
}

function refuseEnded(transaction: Transaction): void {
  if (isOpen(transaction)) return
  throw WrongStatusError.on(
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
