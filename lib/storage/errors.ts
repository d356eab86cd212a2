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

  protected constructor(message: string, winner: Tid, details: Record<string, unknown>) {
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

  /** What this transaction wrote, or referred to, is no more. */
  static withRemoval({
    oid,
    committed,
  }: {
    readonly oid: Oid
    /** The commit that removed it, or a later one. */
    readonly committed: Tid
  }): ConflictError {
    return new ConflictError(
      `The object with oid ${formatOid(oid)} was removed, by transaction ${formatTid(committed)} at the latest. ` +
        'Begin again, as db.transaction does by itself, and reach what you write or refer to from the root.',
      committed,
      { oid: formatOid(oid), committed: formatTid(committed) },
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

/**
 * What this transaction relied on is no longer current: something it declared with `readCurrent`, or
 * read in a serializable transaction, or an object that is newer than the transaction. Retryable.
 * @public
 */
export class ReadConflictError extends ConflictError {
  static override readonly code = 'STORAGE_READ_CONFLICT'
  override readonly code = 'STORAGE_READ_CONFLICT'

  /** Another transaction wrote what this one has read. */
  static onRead({
    oid,
    what,
    key,
    committed,
  }: {
    readonly oid: Oid
    /** The object in words. */
    readonly what: string
    /** The key of its tree, when that was read. */
    readonly key?: unknown
    readonly committed: Tid
  }): ReadConflictError {
    const part = key === undefined ? what : `The key ${JSON.stringify(String(key))} of ${what}`
    return new ReadConflictError(
      `${part} was changed by transaction ${formatTid(committed)} after this transaction read it. ` +
        'Begin again: db.transaction does so by itself.',
      committed,
      { oid: formatOid(oid), committed: formatTid(committed) },
    )
  }

  /** The object was made, or last written, after the transaction began, which sees none of it. */
  static newer({
    oid,
    seen,
    committed,
  }: {
    readonly oid: Oid
    readonly seen: Tid
    readonly committed: Tid
  }): ReadConflictError {
    return new ReadConflictError(
      `The object with oid ${formatOid(oid)} was made by transaction ${formatTid(committed)}, and this ` +
        `one sees the database as transaction ${formatTid(seen)} left it. Begin again.`,
      committed,
      { oid: formatOid(oid), seen: formatTid(seen), committed: formatTid(committed) },
    )
  }
}
Object.defineProperty(ReadConflictError, 'name', { value: 'ReadConflictError' })
Object.defineProperty(ReadConflictError.prototype, 'name', { value: 'ReadConflictError' })

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

/** The disk or file system reported a failure while the database was opened. @public */
export class DiskFailedError extends defineError('DiskFailedError', 'STORAGE_DISK_FAILED') {}

/** The path names something that is no directory. @public */
export class NotADirectoryError extends defineError(
  'NotADirectoryError',
  'STORAGE_NOT_A_DIRECTORY',
) {}

/** The directory cannot be written. @public */
export class NotWritableError extends defineError('NotWritableError', 'STORAGE_NOT_WRITABLE') {}

/** Commits are missing, or LevelDB itself cannot read its files. @public */
export class CorruptStorageError extends defineError('CorruptStorageError', 'STORAGE_CORRUPT') {}

/** The database cannot be read as it was then: history is not kept, or not that far back. @public */
export class HistoryUnavailableError extends defineError(
  'HistoryUnavailableError',
  'STORAGE_HISTORY_UNAVAILABLE',
) {}

/** A checkpoint failed. No commit is lost, and no more are taken. @public */
export class CheckpointFailedError extends defineError(
  'CheckpointFailedError',
  'STORAGE_CHECKPOINT_FAILED',
) {}

/** A place that was to be filled holds something already. @public */
export class NotEmptyError extends defineError('NotEmptyError', 'STORAGE_NOT_EMPTY') {}

/** Why the database cannot be read as it was. */
export const unavailable = {
  off: (): HistoryUnavailableError =>
    new HistoryUnavailableError(
      "This database keeps no history. Open it with the option history: 'all', or with a limit: it is kept " +
        'from then on.',
    ),

  /** @param oldest - the oldest commit that can be read. */
  tooOld: (tid: Tid, oldest: Tid): HistoryUnavailableError =>
    new HistoryUnavailableError(
      `The database can no longer be read as transaction ${formatTid(tid)} left it: its history begins with ` +
        `transaction ${formatTid(oldest)}. Ask for that or a later one.`,
      { details: { tid: formatTid(tid), oldest: formatTid(oldest) } },
    ),

  future: (tid: Tid, newest: Tid): HistoryUnavailableError =>
    new HistoryUnavailableError(
      `Transaction ${formatTid(tid)} has not happened yet: the newest is ${formatTid(newest)}. Ask for that ` +
        'or an earlier one.',
      { details: { tid: formatTid(tid), newest: formatTid(newest) } },
    ),

  /** @param oldest - the oldest commit whose time is known. */
  before: (timeMs: number, oldest: Tid): HistoryUnavailableError =>
    new HistoryUnavailableError(
      `Which transaction was the newest at ${formatTime(timeMs)} is no longer known: those up to ` +
        `${formatTid(oldest)} are gone. Ask for a later time.`,
      { details: { timeMs, oldest: formatTid(oldest) } },
    ),

  /** @param oldest - the oldest transaction whose row is kept, where that is known. */
  gone: (tid: Tid, oldest?: Tid): HistoryUnavailableError =>
    new HistoryUnavailableError(
      `The row of transaction ${formatTid(tid)} is no longer kept. Ask for a later transaction` +
        `${oldest === undefined ? '' : `, from ${formatTid(oldest)} on`}, or keep history for longer.`,
      {
        details: {
          tid: formatTid(tid),
          ...(oldest !== undefined && { oldest: formatTid(oldest) }),
        },
      },
    ),
}

function formatTime(timeMs: number): string {
  return Number.isNaN(new Date(timeMs).getTime()) ? `${timeMs} ms` : new Date(timeMs).toISOString()
}

/** The disk failed while a database was opened. */
export function diskFailed(location: string, cause: unknown): DiskFailedError {
  return new DiskFailedError(
    `The disk that holds ${location} reports a failure: see the cause. Look after the disk, ` +
      'then open the database again; if it stays so, restore a backup elsewhere.',
    { cause, details: { location } },
  )
}

/** An option of a storage that does not exist, or has a value that it cannot have. @public */
export class InvalidStorageOptionError extends defineError(
  'InvalidStorageOptionError',
  'STORAGE_INVALID_OPTION',
) {}

/** Every class of this layer's error table, in the order of this file. */
export const storageErrors: readonly ErrorClass[] = [
  StorageClosedError,
  StorageLockedError,
  StorageReadOnlyError,
  ObjectNotFoundError,
  // Built by named constructors only, so their own is not public: the table is for reading.
  ConflictError as unknown as ErrorClass,
  ReadConflictError as unknown as ErrorClass,
  CorruptRecordError,
  UnknownFormatError,
  StorageTransactionError,
  OutcomeUnknownError,
  StorageFullError,
  DiskFailedError,
  NotADirectoryError,
  NotWritableError,
  CorruptStorageError,
  HistoryUnavailableError,
  CheckpointFailedError,
  NotEmptyError,
  InvalidStorageOptionError,
]
