import { defineError, type ErrorClass } from '../foundation/index.js'
import { formatOid, type Oid } from './oid.js'
import { formatTid, type Tid } from './tid.js'

/** The storage was closed, or never opened. @public */
export class StorageClosedError extends defineError('StorageClosedError', 'STORAGE_CLOSED') {}

/** The directory is in use, by this process or another. @public */
export class StorageLockedError extends defineError('StorageLockedError', 'STORAGE_LOCKED') {}

/** A commit was asked of something opened for reading. @public */
export class StorageReadOnlyError extends defineError(
  'StorageReadOnlyError',
  'STORAGE_READ_ONLY',
) {}

/** No object has this oid, or none that this transaction may see. ZODB's `POSKeyError`. @public */
export class ObjectNotFoundError extends defineError(
  'ObjectNotFoundError',
  'STORAGE_OBJECT_NOT_FOUND',
) {}

/** Another transaction wrote what this one wants to write. Retryable. @public */
export class ConflictError extends defineError('ConflictError', 'STORAGE_CONFLICT', {
  retryable: true,
}) {
  /** The commit that came first; wait until it is published before trying again. */
  readonly winner: Tid

  private constructor(message: string, winner: Tid, details: Record<string, unknown>) {
    super(message, { details })
    this.winner = winner
  }

  /** @param what - the object in words: class, path and oid, as far as known. */
  static between({
    oid,
    what,
    read,
    committed,
  }: {
    readonly oid: Oid
    readonly what: string
    readonly read: Tid
    readonly committed: Tid
  }): ConflictError {
    return new ConflictError(
      `${what} was changed by transaction ${formatTid(committed)} after this ` +
        `transaction read revision ${formatTid(read)}. Begin again: db.transaction does so by itself.`,
      committed,
      { oid: formatOid(oid), read: formatTid(read), committed: formatTid(committed) },
    )
  }

  /** Two transactions wrote the same key of one tree. */
  static onKey({
    oid,
    what,
    key,
    committed,
  }: {
    readonly oid: Oid
    readonly what: string
    readonly key: unknown
    readonly committed: Tid
  }): ConflictError {
    return new ConflictError(
      `The key ${JSON.stringify(String(key))} of ${what} was written by transaction ` +
        `${formatTid(committed)} too. Begin again: db.transaction does so by itself.`,
      committed,
      { oid: formatOid(oid), key: String(key), committed: formatTid(committed) },
    )
  }
}

/** What this transaction relied on is no longer current. Retryable. @public */
export class ReadConflictError extends defineError('ReadConflictError', 'STORAGE_READ_CONFLICT', {
  retryable: true,
}) {}

/** Stored bytes are not those that were once written. @public */
export class CorruptRecordError extends defineError(
  'CorruptRecordError',
  'STORAGE_CORRUPT_RECORD',
) {
  /** @param why - what is wrong with the record, as the end of a sentence. */
  static of({
    oid,
    why,
    cause,
  }: {
    readonly oid: Oid
    readonly why: string
    readonly cause?: unknown
  }): CorruptRecordError {
    return new CorruptRecordError(
      `The record of oid ${formatOid(oid)} is damaged: ${why}. Restore this object from a backup, or ` +
        'write it anew; other objects are not affected.',
      { cause, details: { oid: formatOid(oid) } },
    )
  }
}

/** A newer treehook wrote this, or it was never treehook's. @public */
export class UnknownFormatError extends defineError(
  'UnknownFormatError',
  'STORAGE_UNKNOWN_FORMAT',
) {}

/** Calls of the storage in an order that its protocol does not allow. @public */
export class StorageTransactionError extends defineError(
  'StorageTransactionError',
  'STORAGE_WRONG_TRANSACTION',
) {}

/** A write was reported as failed and may be on disk all the same. @public */
export class OutcomeUnknownError extends defineError(
  'OutcomeUnknownError',
  'STORAGE_OUTCOME_UNKNOWN',
) {}

/** The disk is full. @public */
export class StorageFullError extends defineError('StorageFullError', 'STORAGE_FULL') {}

/** The path names something that is no directory. @public */
export class NotADirectoryError extends defineError(
  'NotADirectoryError',
  'STORAGE_NOT_A_DIRECTORY',
) {}

/** The directory cannot be written. @public */
export class NotWritableError extends defineError('NotWritableError', 'STORAGE_NOT_WRITABLE') {}

/** Commits are missing, or LevelDB itself cannot read its files. @public */
export class CorruptStorageError extends defineError('CorruptStorageError', 'STORAGE_CORRUPT') {}

/** Every class of this layer's error table, in the order of this file. */
export const storageErrors: readonly ErrorClass[] = [
  StorageClosedError,
  StorageLockedError,
  StorageReadOnlyError,
  ObjectNotFoundError,
  // Built by its named constructors only, so its own constructor is private: the table is for reading.
  ConflictError as unknown as ErrorClass,
  ReadConflictError,
  CorruptRecordError,
  UnknownFormatError,
  StorageTransactionError,
  OutcomeUnknownError,
  StorageFullError,
  NotADirectoryError,
  NotWritableError,
  CorruptStorageError,
]
