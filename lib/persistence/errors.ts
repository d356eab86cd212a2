import { defineError, type ErrorClass } from '../foundation/index.js'
import { formatOid, formatTid, type Oid, type Tid } from '../storage/index.js'
import type { Key } from './btree/keys.js'

/** The connection, or its database, was closed. @public */
export class ConnectionClosedError extends defineError(
  'ConnectionClosedError',
  'PERSISTENCE_CONNECTION_CLOSED',
) {}

/** The object belongs to another connection. ZODB's `InvalidObjectReference`. @public */
export class ForeignObjectError extends defineError(
  'ForeignObjectError',
  'PERSISTENCE_FOREIGN_OBJECT',
) {}

/** A stored reference leads to an object that does not exist. @public */
export class DanglingReferenceError extends defineError(
  'DanglingReferenceError',
  'PERSISTENCE_DANGLING_REFERENCE',
) {}

/** A record's class is not known to this program. @public */
export class UnknownClassError extends defineError(
  'UnknownClassError',
  'PERSISTENCE_UNKNOWN_CLASS',
) {}

/** A write to an object whose class is missing. ZODB's `BrokenModified`. @public */
export class BrokenObjectError extends defineError(
  'BrokenObjectError',
  'PERSISTENCE_BROKEN_OBJECT',
) {}

/** A class could not make its values of those that an earlier version stored. @public */
export class EvolutionError extends defineError('EvolutionError', 'PERSISTENCE_EVOLUTION_FAILED') {}

/** A record is larger than the database was opened to expect. Reported, never thrown. @public */
export class LargeRecordError extends defineError('LargeRecordError', 'PERSISTENCE_LARGE_RECORD') {}

/** What was to be imported is no export, or one that this version does not know. @public */
export class InvalidExportError extends defineError(
  'InvalidExportError',
  'PERSISTENCE_INVALID_EXPORT',
) {}

/** An export ends before its end. @public */
export class TruncatedExportError extends defineError(
  'TruncatedExportError',
  'PERSISTENCE_TRUNCATED_EXPORT',
) {}

/** A value has no stored form. @public */
export class UnstorableValueError extends defineError(
  'UnstorableValueError',
  'PERSISTENCE_UNSTORABLE_VALUE',
) {}

/** A class declaration cannot work: no stored name, a name taken, a field that is hidden. @public */
export class InvalidClassError extends defineError(
  'InvalidClassError',
  'PERSISTENCE_INVALID_CLASS',
) {}

/** A write outside the transaction that the object's connection serves. @public */
export class OutsideTransactionError extends defineError(
  'OutsideTransactionError',
  'PERSISTENCE_OUTSIDE_TRANSACTION',
) {}

/** A write in a transaction that only reads. @public */
export class ReadOnlyTransactionError extends defineError(
  'ReadOnlyTransactionError',
  'PERSISTENCE_READ_ONLY_TRANSACTION',
) {}

/** An object was read after its connection went on to another transaction. @public */
export class StaleObjectError extends defineError('StaleObjectError', 'PERSISTENCE_STALE_OBJECT') {}

/** A tree was given a key that has no place in the order of keys. @public */
export class InvalidKeyError extends defineError('InvalidKeyError', 'PERSISTENCE_INVALID_KEY') {}

/** A part of a tree was asked for by a limit or size that is no whole number. @public */
export class InvalidRangeError extends defineError(
  'InvalidRangeError',
  'PERSISTENCE_INVALID_RANGE',
) {}

/** `getItem` was asked for a key that is not there. @public */
export class KeyNotFoundError extends defineError(
  'KeyNotFoundError',
  'PERSISTENCE_KEY_NOT_FOUND',
) {}

/** What is counted with must be a finite number. @public */
export class InvalidNumberError extends defineError(
  'InvalidNumberError',
  'PERSISTENCE_INVALID_NUMBER',
) {}

/** Something that is no tid and no time was given as a moment of the database's history. @public */
export class InvalidInstantError extends defineError(
  'InvalidInstantError',
  'PERSISTENCE_INVALID_INSTANT',
) {}

/** The database was to be read as it will be. @public */
export class FutureInstantError extends defineError(
  'FutureInstantError',
  'PERSISTENCE_FUTURE_INSTANT',
) {}

/** One thing that an undo would have had to change, and could not. @public */
export interface UndoConflict {
  readonly oid: Oid
  /** The object in words: class, path and oid, as far as known. */
  readonly what: string
  /** Of the object's tree, when the conflict is about one. */
  readonly key?: Key | undefined
  /** The transaction that was to be undone. */
  readonly undone: Tid
  /** The commit that last wrote the object; `undefined` when the object is gone. */
  readonly current: Tid | undefined
  /** What stands in the way, as a sentence without its end. */
  readonly reason: string
}

/**
 * What was to be undone was changed again since, or is needed by what came later. Nothing was
 * changed. ZODB's `UndoError` and `MultipleUndoErrors`.
 * @public
 */
export class UndoError extends defineError('UndoError', 'PERSISTENCE_UNDO_CONFLICT') {
  /** All that stands in the way. */
  conflicts: readonly UndoConflict[] = []

  static of(conflicts: readonly UndoConflict[]): UndoError {
    const shown = conflicts.slice(0, SHOWN_CONFLICTS).map(inWords)
    const hidden = conflicts.length - shown.length
    if (hidden > 0) shown.push(`… and ${hidden} more, in the error's conflicts`)
    const error = new UndoError(
      `Some data were modified by a later transaction, so nothing was undone. Undo the later one as well, in ` +
        `the same call, or change the objects yourself:\n${shown.join('\n')}`,
      { details: { conflicts: conflicts.map(inDetail) } },
    )
    error.conflicts = conflicts
    return error
  }
}

const SHOWN_CONFLICTS = 10

function inWords({ what, key, undone, current, reason }: UndoConflict): string {
  const where = key === undefined ? what : `the key ${JSON.stringify(String(key))} of ${what}`
  const now = current === undefined ? 'gone' : `written last by ${formatTid(current)}`
  return `- ${where}: ${reason} (to undo: ${formatTid(undone)}; now ${now})`
}

function inDetail({ oid, key, undone, current, reason }: UndoConflict): Record<string, unknown> {
  return {
    oid: formatOid(oid),
    ...(key !== undefined && { key: String(key) }),
    undone: formatTid(undone),
    ...(current !== undefined && { current: formatTid(current) }),
    reason,
  }
}

/** A blob is being written, and was to be committed or written a second time. @public */
export class BlobUnfinishedError extends defineError(
  'BlobUnfinishedError',
  'PERSISTENCE_BLOB_UNFINISHED',
) {}

/** A blob's content was written in a transaction that was not committed. @public */
export class BlobDiscardedError extends defineError(
  'BlobDiscardedError',
  'PERSISTENCE_BLOB_DISCARDED',
) {}

/** A blob's content is not there. @public */
export class BlobMissingError extends defineError('BlobMissingError', 'PERSISTENCE_BLOB_MISSING') {}

/** A blob's content is not what was once written. @public */
export class BlobDamagedError extends defineError('BlobDamagedError', 'PERSISTENCE_BLOB_DAMAGED') {}

/** A pack of this database is under way. @public */
export class AlreadyPackingError extends defineError(
  'AlreadyPackingError',
  'PERSISTENCE_ALREADY_PACKING',
) {}

/** The transaction manager has a connection to this database already. @public */
export class AlreadyConnectedError extends defineError(
  'AlreadyConnectedError',
  'PERSISTENCE_ALREADY_CONNECTED',
) {}

/** No database of this name is in the group, or the database is in none. @public */
export class UnknownDatabaseError extends defineError(
  'UnknownDatabaseError',
  'PERSISTENCE_UNKNOWN_DATABASE',
) {}

/** The name is taken in the group, or the database is in one already. @public */
export class DuplicateDatabaseError extends defineError(
  'DuplicateDatabaseError',
  'PERSISTENCE_DUPLICATE_DATABASE',
) {}

/** An option of a database, or of its work, that does not exist, or has a value that it cannot have. @public */
export class InvalidDatabaseOptionError extends defineError(
  'InvalidDatabaseOptionError',
  'PERSISTENCE_INVALID_OPTION',
) {}

/** This layer's rows of the error table. */
export const persistenceErrors: readonly ErrorClass[] = [
  ConnectionClosedError,
  ForeignObjectError,
  DanglingReferenceError,
  UnknownClassError,
  BrokenObjectError,
  EvolutionError,
  LargeRecordError,
  InvalidExportError,
  TruncatedExportError,
  UnstorableValueError,
  InvalidClassError,
  OutsideTransactionError,
  ReadOnlyTransactionError,
  StaleObjectError,
  InvalidKeyError,
  InvalidRangeError,
  KeyNotFoundError,
  InvalidNumberError,
  InvalidInstantError,
  FutureInstantError,
  UndoError,
  BlobUnfinishedError,
  BlobDiscardedError,
  BlobMissingError,
  BlobDamagedError,
  AlreadyPackingError,
  AlreadyConnectedError,
  UnknownDatabaseError,
  DuplicateDatabaseError,
  InvalidDatabaseOptionError,
]
