export {
  currentTransaction,
  runInTransactionScope,
  runOutsideTransactionScope,
} from './current-transaction.js'
export { type ErrorPlace, type ErrorReporter, safeReporter, warnOfError } from './error-reporter.js'
export {
  AlreadyInTransactionError,
  DoomedTransactionError,
  InvalidManagerError,
  InvalidOptionError,
  InvalidSavepointError,
  NoTransactionError,
  SavepointsUnsupportedError,
  TransactionFailedError,
  TransactionMetadataError,
  transactionErrors,
  WrongStatusError,
} from './errors.js'
export type {
  DataManager,
  DataManagerSavepoint,
  RunOptions,
  Savepoint,
  SavepointDataManager,
  Synchronizer,
  Transaction,
  TransactionManager,
  TransactionStatus,
} from './interfaces.js'
export { METADATA_LIMIT_BYTES } from './metadata.js'
export { type RunTools, run } from './run.js'
export { hasEnded, statusTransitions } from './status.js'
export {
  ExplicitTransactionManager,
  type TransactionManagerOptions,
} from './transaction-manager.js'
