import { defineError, type ErrorClass } from '../foundation/index.js'

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

/** The transaction manager has a connection to this database already. @public */
export class AlreadyConnectedError extends defineError(
  'AlreadyConnectedError',
  'PERSISTENCE_ALREADY_CONNECTED',
) {}

/** This layer's rows of the error table. */
export const persistenceErrors: readonly ErrorClass[] = [
  ConnectionClosedError,
  ForeignObjectError,
  DanglingReferenceError,
  UnknownClassError,
  UnstorableValueError,
  InvalidClassError,
  OutsideTransactionError,
  ReadOnlyTransactionError,
  StaleObjectError,
  InvalidKeyError,
  AlreadyConnectedError,
]
