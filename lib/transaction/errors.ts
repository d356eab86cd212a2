import { defineError, type ErrorClass } from '../foundation/index.js'
import type { TransactionStatus } from './interfaces.js'

/**
 * Something was asked of a manager that has no transaction running. Nothing begins by itself.
 * Source: `transaction.interfaces.NoTransaction`.
 * @public
 */
export class NoTransactionError extends defineError('NoTransactionError', 'TRANSACTION_NONE') {
  /** @param action - what was asked: `commit`. */
  static during(action: string): NoTransactionError {
    return new NoTransactionError(
      `${action}: no transaction is running here. Call begin() first, or use run(), which begins and ends one.`,
      { details: { action } },
    )
  }
}

/**
 * A transaction was begun where one is running already.
 * Source: `transaction.interfaces.AlreadyInTransaction`.
 * @public
 */
export class AlreadyInTransactionError extends defineError(
  'AlreadyInTransactionError',
  'TRANSACTION_ALREADY_BEGUN',
) {
  /** A second `begin` of one manager. */
  static ofManager(status: TransactionStatus): AlreadyInTransactionError {
    return new AlreadyInTransactionError(
      `This manager's transaction is still running (status '${status}'). Call ` +
        `${status === 'commitFailed' ? 'abort()' : 'commit() or abort()'} before the next begin().`,
      { details: { status } },
    )
  }

  /** A `run` inside a `run`. */
  static ofScope(status: TransactionStatus): AlreadyInTransactionError {
    return new AlreadyInTransactionError(
      `run() was called inside a transaction (status '${status}'); transactions do not nest. Use the ` +
        'transaction that is running, take a savepoint of it for a part that may fail, or begin the ' +
        'other one after this has ended.',
      { details: { status } },
    )
  }
}

/**
 * A doomed transaction was to be committed.
 * Source: `transaction.interfaces.DoomedTransaction`.
 * @public
 */
export class DoomedTransactionError extends defineError(
  'DoomedTransactionError',
  'TRANSACTION_DOOMED',
) {
  static onCommit(): DoomedTransactionError {
    return new DoomedTransactionError(
      'This transaction was doomed and cannot be committed. Call abort(): nothing of it is kept.',
    )
  }
}

/**
 * An earlier commit, savepoint or rollback of this transaction failed; `cause` is that error.
 * Source: `transaction.interfaces.TransactionFailedError`.
 * @public
 */
export class TransactionFailedError extends defineError(
  'TransactionFailedError',
  'TRANSACTION_FAILED',
) {
  /**
   * @param action - what was asked now.
   * @param cause - the error of the operation that failed first.
   */
  static since(action: string, cause: unknown): TransactionFailedError {
    return new TransactionFailedError(
      `${action}: an earlier operation of this transaction failed (${String(cause)}). Call abort() and begin again.`,
      { cause, details: { action } },
    )
  }
}

/**
 * A savepoint was rolled back to that is no longer there.
 * Source: `transaction.interfaces.InvalidSavepointRollbackError`.
 * @public
 */
export class InvalidSavepointError extends defineError(
  'InvalidSavepointError',
  'TRANSACTION_INVALID_SAVEPOINT',
) {
  static onRollback(): InvalidSavepointError {
    return new InvalidSavepointError(
      'This savepoint is no longer valid: an earlier one was rolled back to, or the transaction was ' +
        'committed or aborted. Roll back to a savepoint whose `valid` is true, or abort().',
    )
  }
}

/**
 * A manager without savepoints stands in the way of one.
 * Source: the `TypeError('Savepoints unsupported')` of `transaction._transaction`.
 * @public
 */
export class SavepointsUnsupportedError extends defineError(
  'SavepointsUnsupportedError',
  'TRANSACTION_SAVEPOINTS_UNSUPPORTED',
) {
  /** @param sortKey - of the manager. */
  static by(sortKey: string): SavepointsUnsupportedError {
    return new SavepointsUnsupportedError(
      `The data manager ${JSON.stringify(sortKey)} has no savepoints. Take an optimistic savepoint if it need ` +
        'not be rolled back to. This transaction has failed: call abort().',
      { details: { sortKey } },
    )
  }
}

/** An operation that the transaction's status does not allow. @public */
export class WrongStatusError extends defineError('WrongStatusError', 'TRANSACTION_WRONG_STATUS') {
  /**
   * @param action - what was asked: `join`.
   * @param advice - what is going on, and the way out.
   */
  static on(action: string, status: TransactionStatus, advice: string): WrongStatusError {
    return new WrongStatusError(
      `${action} is not possible (transaction status '${status}'): ${advice}`,
      {
        details: { action, status },
      },
    )
  }
}

/** A note, user or fact that cannot be stored with the transaction. @public */
export class TransactionMetadataError extends defineError(
  'TransactionMetadataError',
  'TRANSACTION_METADATA',
) {
  static tooLong(field: string, bytes: number, limitBytes: number): TransactionMetadataError {
    return new TransactionMetadataError(
      `The transaction's ${field} would have ${bytes} bytes as UTF-8; at most ${limitBytes} are stored. Shorten it.`,
      { details: { field, bytes, limitBytes } },
    )
  }

  static notText(field: string, value: unknown): TransactionMetadataError {
    return new TransactionMetadataError(
      `The transaction's ${field} is text, not ${value === null ? 'null' : typeof value}.`,
      { details: { field } },
    )
  }

  static notPlain(name: string, cause: unknown): TransactionMetadataError {
    return new TransactionMetadataError(
      `The extended info ${JSON.stringify(name)} is not plain data and cannot be stored with the transaction.`,
      { cause, details: { name } },
    )
  }
}

/** What was to join a transaction lacks a part of a data manager. @public */
export class InvalidManagerError extends defineError(
  'InvalidManagerError',
  'TRANSACTION_INVALID_MANAGER',
) {}

/** An option of `run` outside what it accepts. @public */
export class InvalidOptionError extends defineError(
  'InvalidOptionError',
  'TRANSACTION_INVALID_OPTION',
) {}

/** This layer's rows of the error table. @public */
export const transactionErrors: readonly ErrorClass[] = [
  NoTransactionError,
  AlreadyInTransactionError,
  DoomedTransactionError,
  TransactionFailedError,
  InvalidSavepointError,
  SavepointsUnsupportedError,
  WrongStatusError,
  TransactionMetadataError,
  InvalidOptionError,
  InvalidManagerError,
]
