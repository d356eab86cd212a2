/** @public */
export {
  createDirectoryStorage,
  type DirectoryStorageOptions,
} from './directory-storage.js'
/** @public */
/** @internal */
export {
  ConflictError,
  CorruptRecordError,
  CorruptStorageError,
  NotADirectoryError,
  NotWritableError,
  ObjectNotFoundError,
  OutcomeUnknownError,
  ReadConflictError,
  StorageClosedError,
  StorageFullError,
  StorageLockedError,
  StorageReadOnlyError,
  StorageTransactionError,
  storageErrors,
  UnknownFormatError,
} from './errors.js'
/** @public */
export type {
  ClassRow,
  CommitMetadata,
  Durability,
  Storage,
  StorageCommit,
  StorageRecord,
  StorageSnapshot,
  TransactionRow,
} from './interfaces.js'
/** @internal */
export type { LevelDatabase } from './level-snapshot.js'
/** @internal */
export type { DatabasePlace, LevelStorageOptions } from './level-storage.js'
/** @public */
export { LevelStorage } from './level-storage.js'
/** @public */
/** @internal */
export {
  createMemoryDatabase,
  createMemoryStorage,
  type MemoryStorageOptions,
} from './memory-storage.js'
/** @public */
export { formatOid, type Oid, ROOT_OID, toOid } from './oid.js'
/** @public */
export { formatTid, NO_TID, type Tid, toTid } from './tid.js'
