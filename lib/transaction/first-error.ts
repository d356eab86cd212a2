import type { ErrorPlace, ErrorReporter } from './error-reporter.js'

/** Keeps the first error for the caller; the others are reported. */
export class FirstError {
  readonly #report: ErrorReporter
  #first: { readonly error: unknown } | undefined

  constructor(report: ErrorReporter) {
    this.#report = report
  }

  add(error: unknown, where: ErrorPlace): void {
    if (this.#first === undefined) this.#first = { error }
    else this.#report(error, where)
  }

  throwIfAny(): void {
    if (this.#first !== undefined) throw this.#first.error
  }
}
