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

/** A thing that cannot be in this container, or a container that is none. @public */
export class InvalidContainerError extends defineError(
  'InvalidContainerError',
  'CONTENT_INVALID_CONTAINER',
) {}

/** A name that a container keeps for itself. @public */
export class ReservedNameError extends defineError('ReservedNameError', 'CONTENT_RESERVED_NAME') {}

/** An order that is not one of the container's items. @public */
export class InvalidOrderError extends defineError('InvalidOrderError', 'CONTENT_INVALID_ORDER') {}

/** An object was to be put into itself, or into something inside it. @public */
export class CycleError extends defineError('CycleError', 'CONTENT_CYCLE') {}

/** An object that keeps no annotations. @public */
export class NotAnnotatableError extends defineError(
  'NotAnnotatableError',
  'CONTENT_NOT_ANNOTATABLE',
) {}

/** A schema manager that cannot work: bad numbers, a step that commits. @public */
export class InvalidSchemaError extends defineError(
  'InvalidSchemaError',
  'CONTENT_INVALID_SCHEMA',
) {}

/** The data is newer than the program. zope's `GenerationTooHigh`. @public */
export class GenerationTooHighError extends defineError(
  'GenerationTooHighError',
  'CONTENT_GENERATION_TOO_HIGH',
) {}

/** The data is too old for the program, and may not be evolved. zope's `GenerationTooLow`. @public */
export class GenerationTooLowError extends defineError(
  'GenerationTooLowError',
  'CONTENT_GENERATION_TOO_LOW',
) {}

/** A step of a schema failed. zope's `UnableToEvolve`. @public */
export class UnableToEvolveError extends defineError(
  'UnableToEvolveError',
  'CONTENT_UNABLE_TO_EVOLVE',
) {}

/** A folder that is a site was to be made one. @public */
export class AlreadyASiteError extends defineError('AlreadyASiteError', 'CONTENT_ALREADY_A_SITE') {}

/** A site that was asked for by its name, or the main application, is not there. @public */
export class SiteNotFoundError extends defineError('SiteNotFoundError', 'CONTENT_SITE_NOT_FOUND') {}

/** This layer's rows of the error table. */
export const contentErrors: readonly ErrorClass[] = [
  LocationError,
  DuplicateNameError,
  InvalidNameError,
  InvalidItemError,
  InvalidContainerError,
  ReservedNameError,
  InvalidOrderError,
  CycleError,
  AlreadyASiteError,
  SiteNotFoundError,
  NotAnnotatableError,
  InvalidSchemaError,
  GenerationTooHighError,
  GenerationTooLowError,
  UnableToEvolveError,
]
