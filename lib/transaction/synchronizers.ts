import type { ErrorReporter } from './error-reporter.js'
import type { Synchronizer, Transaction } from './interfaces.js'

/**
 * A manager's synchronizers, in the order of registration, held weakly and compared by identity.
 * The set may change while it is told of something: those registered when that began are told.
 *
 * Source: `transaction.weakset.WeakSet`.
 * @internal
 */
export class Synchronizers {
  // Replaced on change, never written into: whoever walks it keeps what it had.
  #references: readonly WeakRef<Synchronizer>[] = []

  add(synchronizer: Synchronizer): void {
    if (this.#references.some((reference) => reference.deref() === synchronizer)) return
    this.#references = [...this.#living(), new WeakRef(synchronizer)]
  }

  remove(synchronizer: Synchronizer): void {
    this.#references = this.#living().filter((reference) => reference.deref() !== synchronizer)
  }

  /**
   * All or none: after an error, those already told are told of the end, and it is thrown.
   */
  newTransaction(transaction: Transaction, report: ErrorReporter): void {
    const references = this.#references
    for (let index = 0; index < references.length; index++) {
      try {
        references[index]!.deref()?.newTransaction(transaction)
      } catch (error) {
        tellAfterCompletion(references.slice(0, index), transaction, report)
        throw error
      }
    }
  }

  /** The first error skips the others and is thrown: the commit does not begin. */
  beforeCommit(transaction: Transaction): void {
    for (const reference of this.#references) reference.deref()?.beforeCompletion(transaction)
  }

  /** Tells every one; each error is handed to `failed`. */
  beforeAbort(transaction: Transaction, failed: (error: unknown) => void): void {
    for (const reference of this.#references) {
      try {
        reference.deref()?.beforeCompletion(transaction)
      } catch (error) {
        failed(error)
      }
    }
  }

  /** Tells every one; errors are reported. */
  afterCompletion(transaction: Transaction, report: ErrorReporter): void {
    tellAfterCompletion(this.#references, transaction, report)
  }

  /** Those that are still there. */
  all(): readonly Synchronizer[] {
    return this.#references.flatMap((reference) => reference.deref() ?? [])
  }

  #living(): readonly WeakRef<Synchronizer>[] {
    return this.#references.filter((reference) => reference.deref() !== undefined)
  }
}

function tellAfterCompletion(
  references: readonly WeakRef<Synchronizer>[],
  transaction: Transaction,
  report: ErrorReporter,
): void {
  for (const reference of references) {
    try {
      reference.deref()?.afterCompletion(transaction)
    } catch (error) {
      report(error, 'afterCompletion')
    }
  }
}
