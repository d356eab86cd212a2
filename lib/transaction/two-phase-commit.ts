import type { ErrorReporter } from './error-reporter.js'
import { inTurn, isPromise } from './in-turn.js'
import type { DataManager, Transaction } from './interfaces.js'

/**
 * Commits `managers` together: every one prepares and agrees before any makes its part final. After
 * a failure all of them are cleaned up and the error is thrown.
 *
 * Only what returns a promise is awaited. Managers that return nothing go from the first `tpcBegin`
 * to the last `tpcFinish` in one synchronous step, begun by this call.
 *
 * @param ready - awaited before the first phase; its rejection is a failure like any other.
 * @param report - is told of errors during clean-up, and of a failed `tpcFinish`.
 * Source: `transaction._transaction.Transaction._commitResources`.
 * @internal
 */
export async function twoPhaseCommit(
  transaction: Transaction,
  managers: readonly DataManager[],
  report: ErrorReporter,
  ready?: Promise<void>,
): Promise<void> {
  const commit: Commit = { transaction, ordered: managers, voted: 0, finished: 0 }
  try {
    if (ready !== undefined) await ready
    commit.ordered = bySortKey(managers)
    let waiting = beginAll(commit)
    if (waiting !== undefined) await waiting
    waiting = commitAll(commit)
    if (waiting !== undefined) await waiting
    waiting = voteAll(commit)
    if (waiting !== undefined) await waiting
    waiting = finishAll(commit, report)
    if (waiting !== undefined) await waiting
  } catch (error) {
    if (commit.finished > 0) partlyFinished.add(transaction)
    await abortUnvoted(commit, report)
    await tpcAbortAll(commit, report)
    throw error
  }
}

/**
 * True when a commit of `transaction` failed after some manager had made its part final: the work
 * must not be done again as if nothing had happened.
 * @internal
 */
export function isPartlyFinished(transaction: Transaction): boolean {
  return partlyFinished.has(transaction)
}

const partlyFinished = new WeakSet<Transaction>()

interface Commit {
  readonly transaction: Transaction
  ordered: readonly DataManager[]
  /** How many of `ordered`, from the first, have agreed. */
  voted: number
  /** How many of `ordered`, from the first, are final. */
  finished: number
}

function bySortKey(managers: readonly DataManager[]): readonly DataManager[] {
  if (managers.length < 2) return managers
  return [...managers].sort((a, b) => (a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0))
}

function beginAll({ ordered, transaction }: Commit): undefined | Promise<void> {
  return inTurn(ordered, (manager) => manager.tpcBegin(transaction))
}

function commitAll({ ordered, transaction }: Commit): undefined | Promise<void> {
  return inTurn(ordered, (manager) => manager.commit(transaction))
}

function voteAll(commit: Commit): undefined | Promise<void> {
  return inTurn(commit.ordered, (manager) => {
    const waiting = manager.tpcVote(commit.transaction)
    if (isPromise(waiting)) return waiting.then(() => void commit.voted++)
    commit.voted++
  })
}

function finishAll(commit: Commit, report: ErrorReporter): undefined | Promise<void> {
  // Errors are thrown and reported as well: managers may now disagree, and someone has to know.
  const failed = (error: unknown): never => {
    report(error, 'tpcFinish')
    throw error
  }
  return inTurn(commit.ordered, (manager) => {
    try {
      const waiting = manager.tpcFinish(commit.transaction)
      if (isPromise(waiting)) return waiting.then(() => void commit.finished++, failed)
      commit.finished++
    } catch (error) {
      failed(error)
    }
  })
}

/** Also of managers that never began. One that voted knows everything by `tpcAbort`. */
async function abortUnvoted(
  { ordered, transaction, voted }: Commit,
  report: ErrorReporter,
): Promise<void> {
  for (const manager of ordered) {
    // By first place: a manager that joined twice has voted when it did once.
    if (ordered.indexOf(manager) < voted) continue
    try {
      const waiting = manager.abort(transaction)
      if (isPromise(waiting)) await waiting
    } catch (error) {
      report(error, 'abort')
    }
  }
}

async function tpcAbortAll({ ordered, transaction }: Commit, report: ErrorReporter): Promise<void> {
  for (const manager of ordered) {
    try {
      const waiting = manager.tpcAbort(transaction)
      if (isPromise(waiting)) await waiting
    } catch (error) {
      report(error, 'tpcAbort')
    }
  }
}
