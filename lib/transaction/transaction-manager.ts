import { type ErrorReporter, safeReporter, warnOfError } from './error-reporter.js'
import { AlreadyInTransactionError, NoTransactionError } from './errors.js'
import type { Savepoint, Synchronizer, Transaction, TransactionManager } from './interfaces.js'
import { Synchronizers } from './synchronizers.js'
import { ManagedTransaction, type TransactionHost } from './transaction.js'

/** How a manager is made. @public */
export interface TransactionManagerOptions {
  /** Is told of errors without a caller, as those of after-commit hooks; default: a process warning. */
  readonly onError?: ErrorReporter
}

/**
 * One line of transactions: each is begun and ended by name, and one that nobody ended stays.
 *
 * Source: `transaction._manager.TransactionManager(explicit=True)`.
 * @public
 */
export class ExplicitTransactionManager implements TransactionManager {
  readonly #host: TransactionHost
  #current: Transaction | undefined

  constructor({ onError = warnOfError }: TransactionManagerOptions = {}) {
    this.#host = {
      synchronizers: new Synchronizers(),
      report: safeReporter(onError),
      letGo: (transaction) => {
        if (this.#current === transaction) this.#current = undefined
      },
    }
  }

  get current(): Transaction | undefined {
    return this.#current
  }

  /** @throws TRANSACTION_ALREADY_BEGUN; what a synchronizer throws, and then nothing has begun. */
  begin(): Transaction {
    if (this.#current !== undefined) {
      throw AlreadyInTransactionError.ofManager(this.#current.status)
    }
    const transaction = new ManagedTransaction(this.#host)
    this.#current = transaction
    try {
      this.#host.synchronizers.newTransaction(transaction, this.#host.report)
    } catch (error) {
      transaction.discard()
      throw error
    }
    return transaction
  }

  get(): Transaction {
    return this.#running('get')
  }

  async commit(): Promise<void> {
    return this.#running('commit').commit()
  }

  async abort(): Promise<void> {
    return this.#running('abort').abort()
  }

  doom(): void {
    this.#running('doom').doom()
  }

  isDoomed(): boolean {
    return this.#running('isDoomed').isDoomed()
  }

  savepoint(options?: { readonly optimistic?: boolean }): Savepoint {
    return this.#running('savepoint').savepoint(options)
  }

  /** What `newTransaction` throws is thrown, and then nothing was registered. */
  registerSynchronizer(
    synchronizer: Synchronizer,
    { isHeld = false }: { readonly isHeld?: boolean } = {},
  ): void {
    if (this.#current !== undefined) synchronizer.newTransaction(this.#current)
    this.#host.synchronizers.add(synchronizer, { isHeld })
  }

  unregisterSynchronizer(synchronizer: Synchronizer): void {
    this.#host.synchronizers.remove(synchronizer)
  }

  #running(action: string): Transaction {
    if (this.#current === undefined) throw NoTransactionError.during(action)
    return this.#current
  }
}
