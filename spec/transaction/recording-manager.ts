import type {
  DataManager,
  DataManagerSavepoint,
  SavepointDataManager,
  Synchronizer,
  Transaction,
} from '../../lib/transaction/index.js'

/** The methods of a manager that a test can make fail or wait. */
export type ManagerMethod =
  | 'abort'
  | 'tpcBegin'
  | 'commit'
  | 'tpcVote'
  | 'tpcFinish'
  | 'tpcAbort'
  | 'savepoint'
  | 'rollback'

export interface RecordingOptions {
  /** Where each call is written as `name.method`. */
  readonly log: string[]
  /** Errors by the method that throws them. */
  readonly failing?: Partial<Record<ManagerMethod, unknown>>
  /** Every method returns a promise that settles in a later turn. */
  readonly waiting?: boolean
  readonly sortKey?: string
  readonly shouldRetry?: (error: unknown) => boolean
}

/** A manager without savepoints that writes down what is asked of it. */
export function aManager(name: string, options: RecordingOptions): DataManager {
  const { log, failing = {}, waiting = false, sortKey = name, shouldRetry } = options
  const step = (method: ManagerMethod): void | Promise<void> => {
    log.push(`${name}.${method}`)
    const finish = (): void => {
      if (method in failing) throw failing[method]
    }
    if (!waiting) return finish()
    return new Promise<void>((resolve) => setImmediate(resolve)).then(finish)
  }
  return {
    sortKey,
    abort: () => step('abort'),
    tpcBegin: () => step('tpcBegin'),
    commit: () => step('commit'),
    tpcVote: () => step('tpcVote'),
    tpcFinish: () => step('tpcFinish'),
    tpcAbort: () => step('tpcAbort'),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
  }
}

/** The same with savepoints. */
export function aSavepointManager(name: string, options: RecordingOptions): SavepointDataManager {
  const { log, failing = {} } = options
  const step = (method: ManagerMethod): void => {
    log.push(`${name}.${method}`)
    if (method in failing) throw failing[method]
  }
  return {
    ...aManager(name, options),
    savepoint(): DataManagerSavepoint {
      step('savepoint')
      return { rollback: () => step('rollback') }
    },
  }
}

/** A synchronizer that writes down what it is told, with the status it sees. */
export function aSynchronizer(
  name: string,
  log: string[],
  failing: Partial<Record<keyof Synchronizer, unknown>> = {},
): Synchronizer {
  const step = (method: keyof Synchronizer, transaction: Transaction): void => {
    log.push(`${name}.${method}:${transaction.status}`)
    if (method in failing) throw failing[method]
  }
  return {
    newTransaction: (transaction) => step('newTransaction', transaction),
    beforeCompletion: (transaction) => step('beforeCompletion', transaction),
    afterCompletion: (transaction) => step('afterCompletion', transaction),
  }
}
