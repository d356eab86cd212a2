export {
  createDirectoryStorage,
  type DirectoryStorageOptions,
} from './directory-storage.js'
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
export type { LevelDatabase } from './level-snapshot.js'
export type { DatabasePlace, LevelStorageOptions } from './level-storage.js'
export { LevelStorage } from './level-storage.js'
export {
  createMemoryDatabase,
  createMemoryStorage,
  type MemoryStorageOptions,
} from './memory-storage.js'
export { formatOid, type Oid, ROOT_OID, toOid } from './oid.js'
export { formatTid, NO_TID, type Tid, toTid } from './tid.js'
