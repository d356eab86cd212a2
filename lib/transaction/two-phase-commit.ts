import type { ErrorReporter } from './error-reporter.js'
import type { DataManager, Transaction } from './interfaces.js'
import { isPromise } from './is-promise.js'

/** What {@link twoPhaseCommit} works with. @internal */
export interface TwoPhaseCommitOptions {
  readonly transaction: Transaction
  /** In the order of joining. */
  readonly managers: readonly DataManager[]
  /** Is told of errors during clean-up, and of a failed `tpcFinish`. */
  readonly report: ErrorReporter
  /** Awaited before the first phase; its rejection is a failure like any other. */
  readonly ready: PromiseLike<void> | undefined
  /** Every manager has made its part final. */
  readonly onCommitted: () => void
  /** A phase failed, and all managers were cleaned up. */
  readonly onFailed: (error: unknown) => void
}

/**
 * Commits managers together: every one prepares and agrees before any makes its part final. After
 * a failure all of them are cleaned up.
 *
 * Only what returns a promise is waited for. Managers that return nothing go from the first
 * `tpcBegin` to the last `tpcFinish` in one synchronous step, begun by this call, and `onCommitted`
 * is called in the step in which the last one is final. Callbacks instead of a promise for each phase:
 * a small durable commit takes a third less of the main thread.
 *
 * Source: `transaction._transaction.Transaction._commitResources`.
 * @internal
 */
export function twoPhaseCommit(options: TwoPhaseCommitOptions): void {
  new TwoPhaseCommit(options).start()
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

const PHASES = ['tpcBegin', 'commit', 'tpcVote', 'tpcFinish'] as const
const VOTE = PHASES.indexOf('tpcVote')
const FINISH = PHASES.indexOf('tpcFinish')

class TwoPhaseCommit {
  readonly #options: TwoPhaseCommitOptions
  #ordered: readonly DataManager[]
  #phase = 0
  /** How many managers, from the first, are through with this phase. */
  #through = 0

  constructor(options: TwoPhaseCommitOptions) {
    this.#options = options
    this.#ordered = options.managers
  }

  start(): void {
    const { ready } = this.#options
    if (ready === undefined) this.#begin()
    else
      ready.then(
        () => this.#begin(),
        (error: unknown) => this.#fail(error),
      )
  }

  #begin(): void {
    try {
      this.#ordered = bySortKey(this.#ordered)
    } catch (error) {
      this.#fail(error)
      return
    }
    this.#goOn()
  }

  /** One phase after the other, one manager after the other, until one of them waits. */
  #goOn(): void {
    const { transaction, onCommitted } = this.#options
    try {
      for (; this.#phase < PHASES.length; this.#phase++) {
        const phase = PHASES[this.#phase]!
        for (; this.#through < this.#ordered.length; this.#through++) {
          const waiting = this.#ordered[this.#through]![phase](transaction)
          if (!isPromise(waiting)) continue
          this.#goOnAfter(waiting)
          return
        }
        this.#through = 0
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    onCommitted()
  }

  #goOnAfter(waiting: PromiseLike<void>): void {
    waiting.then(
      () => {
        this.#through++
        this.#goOn()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    const { transaction, report, onFailed } = this.#options
    if (this.#phase === FINISH) {
      // Managers may now disagree, and someone has to know.
      report(error, 'tpcFinish')
      if (this.#through > 0) partlyFinished.add(transaction)
    }
    void this.#cleanUp().then(() => onFailed(error))
  }

  async #cleanUp(): Promise<void> {
    const { transaction, report } = this.#options
    const voted =
      this.#phase < VOTE ? 0 : this.#phase === VOTE ? this.#through : this.#ordered.length
    // Also managers that never began. One that voted knows everything by `tpcAbort`.
    for (const manager of this.#ordered) {
      // By first place: a manager that joined twice has voted when it did once.
      if (this.#ordered.indexOf(manager) < voted) continue
      await reported(() => manager.abort(transaction), 'abort')
    }
    for (const manager of this.#ordered) {
      await reported(() => manager.tpcAbort(transaction), 'tpcAbort')
    }

    async function reported(
      call: () => void | PromiseLike<void>,
      where: 'abort' | 'tpcAbort',
    ): Promise<void> {
      try {
        const waiting = call()
        if (isPromise(waiting)) await waiting
      } catch (error) {
        report(error, where)
      }
    }
  }
}

function bySortKey(managers: readonly DataManager[]): readonly DataManager[] {
  if (managers.length < 2) return managers
  return [...managers].sort((a, b) => (a.sortKey < b.sortKey ? -1 : a.sortKey > b.sortKey ? 1 : 0))
}
