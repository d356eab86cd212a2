import type { ErrorReporter } from './error-reporter.js'
import type { Synchronizer, Transaction } from './interfaces.js'

/** Leads to a synchronizer, if it is still there: a `WeakRef`, or one that holds it. */
interface SynchronizerReference {
  deref(): Synchronizer | undefined
}

/**
 * A manager's synchronizers, in the order of registration, held weakly unless asked for otherwise, and
 * compared by identity. The set may change while it is told of something: those registered when that
 * began are told.
 *
 * Source: `transaction.weakset.WeakSet`.
 * @internal
 */
export class Synchronizers {
  // Replaced on change, never written into: whoever walks it keeps what it had.
  #references: readonly SynchronizerReference[] = []

  add(synchronizer: Synchronizer, { isHeld }: { readonly isHeld: boolean }): void {
    if (this.#references.some((reference) => reference.deref() === synchronizer)) return
    const reference = isHeld ? new Holder(synchronizer) : new WeakRef(synchronizer)
    this.#references = [...this.#living(), reference]
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

  #living(): readonly SynchronizerReference[] {
    return this.#references.filter((reference) => reference.deref() !== undefined)
  }
}

class Holder implements SynchronizerReference {
  readonly #synchronizer: Synchronizer

  constructor(synchronizer: Synchronizer) {
    this.#synchronizer = synchronizer
  }

  deref(): Synchronizer {
    return this.#synchronizer
  }
}

function tellAfterCompletion(
  references: readonly SynchronizerReference[],
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
