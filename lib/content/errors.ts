import { defineError, type ErrorClass } from '../foundation/index.js'

/** A path, or a place, leads nowhere. Says how far it went. @public */
export class LocationError extends defineError('LocationError', 'CONTENT_LOCATION') {}

/** Another item has this name already. @public */
export class DuplicateNameError extends defineError(
  'DuplicateNameError',
  'CONTENT_DUPLICATE_NAME',
) {}

/** A name that no item can have. @public */
export class InvalidNameError extends defineError('InvalidNameError', 'CONTENT_INVALID_NAME') {}

/** A thing that this container cannot hold. @public */
export class InvalidItemError extends defineError('InvalidItemError', 'CONTENT_INVALID_ITEM') {}

/** An object was to be put into itself, or into something inside it. @public */
export class CycleError extends defineError('CycleError', 'CONTENT_CYCLE') {}

/** This layer's rows of the error table. */
export const contentErrors: readonly ErrorClass[] = [
  LocationError,
  DuplicateNameError,
  InvalidNameError,
  InvalidItemError,
  CycleError,
]
