export { type BlobName, formatBlobName, parseBlobName } from './blob-name.js'
export { piecesOf } from './blob-reading.js'
export type { BlobDraft, BlobSource, BlobStore } from './blob-store.js'
export { createDirectory } from './create-directory.js'
export type { DatabasePlace } from './database-place.js'
export { BLOBS_DIRECTORY, DirectoryBlobs } from './directory-blobs.js'
export { DirectoryLock } from './directory-lock.js'
export {
  createDirectoryStorage,
  type DirectoryStorageOptions,
} from './directory-storage.js'
export {
  CheckpointFailedError,
  ConflictError,
  CorruptRecordError,
  CorruptStorageError,
  DiskFailedError,
  HistoryUnavailableError,
  InvalidStorageOptionError,
  NotADirectoryError,
  NotEmptyError,
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
  CommitRange,
  Durability,
  History,
  PruneProgress,
  RecordsOptions,
  RevisionInfo,
  RevisionLink,
  RowProblem,
  RowsCheck,
  Storage,
  StorageChanges,
  StorageCommit,
  StorageContents,
  StorageRecord,
  StorageSnapshot,
  TransactionRow,
} from './interfaces.js'
export { ROW_PREFIXES } from './key-space.js'
export type { LevelDatabase } from './level-database.js'
export { hasCode, isNotWritable } from './level-error.js'
export { LevelStorage, type LevelStorageOptions } from './level-storage.js'
export { looseDrafts } from './loose-drafts.js'
export {
  createMemoryDatabase,
  createMemoryStorage,
  type MemoryStorageOptions,
} from './memory-storage.js'
export { formatOid, type Oid, ROOT_OID, toOid } from './oid.js'
export { OidSet } from './oid-set.js'
export { createOverlayStorage, type OverlayStorageOptions } from './overlay-storage.js'
export { OWNER_FILE } from './owner-file.js'
export { nextLink } from './revision-link.js'
export { formatTid, NO_TID, type Tid, toTid } from './tid.js'
