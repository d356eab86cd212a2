import { AsyncScope } from '../foundation/index.js'
import type { Transaction } from './interfaces.js'

const scope = new AsyncScope<Transaction>()

/**
 * The transaction of this async call, or `undefined` outside {@link runInTransactionScope}. It may
 * have ended: work that outlives its transaction still carries it. Look at `status`.
 *
 * Takes the place of the thread-local manager of `transaction.ThreadTransactionManager`.
 * @public
 */
export function currentTransaction(): Transaction | undefined {
  return scope.current()
}

/**
 * Calls `fn` with `transaction` as the current one, until its promise settles. Begins and ends
 * nothing: that is `run`.
 * @public
 */
export function runInTransactionScope<R>(transaction: Transaction, fn: () => R): R {
  return scope.run(transaction, fn)
}

/**
 * Calls `fn` as if outside every transaction: for work that is started during one and has
 * transactions of its own.
 * @public
 */
export function runOutsideTransactionScope<R>(fn: () => R): R {
  return scope.exit(fn)
}
