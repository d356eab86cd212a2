import type { ErrorReporter } from './error-reporter.js'
import { FirstError } from './first-error.js'

/** The aborts that rollbacks began, of managers that left, and that nobody has waited for yet. */
export class LateAborts {
  readonly #outcomes: Promise<Settled>[] = []

  add(waiting: PromiseLike<void>): void {
    this.#outcomes.push(settled(waiting))
  }

  /** Waits for all; rejects with the first error, reports the others. */
  async settle(report: ErrorReporter): Promise<void> {
    const failure = new FirstError(report)
    for (const outcome of await Promise.all(this.#outcomes)) {
      if (outcome !== undefined) failure.add(outcome.error, 'abort')
    }
    failure.throwIfAny()
  }
}

/** `undefined` when it went well. */
type Settled = { readonly error: unknown } | undefined

/** Never rejects, so that nobody need listen yet. */
async function settled(waiting: PromiseLike<void>): Promise<Settled> {
  try {
    await waiting
    return undefined
  } catch (error) {
    return { error }
  }
}
