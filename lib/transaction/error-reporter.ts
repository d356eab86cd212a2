/** The method or hook whose error cannot be thrown to anybody, by name. @public */
export type ErrorPlace =
  | 'afterCommitHook'
  | 'beforeAbortHook'
  | 'afterAbortHook'
  | 'beforeCompletion'
  | 'afterCompletion'
  | 'abort'
  | 'tpcAbort'
  | 'tpcFinish'
  | 'shouldRetry'

/**
 * Is told of errors that have no caller to be thrown to.
 * @param where - an {@link ErrorPlace}, or in words what a layer above was doing.
 * @public
 */
export type ErrorReporter = (error: unknown, where: ErrorPlace | (string & {})) => void

/** Emits a process warning of type `TransactionWarning`, with the stack as its detail. @public */
export const warnOfError: ErrorReporter = (error, where) => {
  process.emitWarning(`${where} of a transaction failed: ${String(error)}`, {
    type: 'TransactionWarning',
    ...(error instanceof Error && error.stack !== undefined ? { detail: error.stack } : {}),
  })
}

/**
 * `reporter`, made safe: what it throws becomes a warning, since commit and abort must go on.
 * @internal
 */
export function safeReporter(reporter: ErrorReporter): ErrorReporter {
  return (error, where) => {
    try {
      reporter(error, where)
    } catch (failure) {
      warnOfError(error, where)
      warnOfError(failure, where)
    }
  }
}
