import { defineError, type ErrorClass } from '../foundation/index.js'

/** Somebody lacks a permission. zope's `Unauthorized`. @public */
export class UnauthorizedError extends defineError('UnauthorizedError', 'SECURITY_UNAUTHORIZED') {}

/** A permission was asked for, and nobody said who acts. zope's `NoInteraction`. @public */
export class NoInteractionError extends defineError(
  'NoInteractionError',
  'SECURITY_NO_INTERACTION',
) {}

/** A principal joins a second interaction, or leaves one that it is not in. @public */
export class InvalidParticipationError extends defineError(
  'InvalidParticipationError',
  'SECURITY_INVALID_PARTICIPATION',
) {}

/** No authentication of the place knows the principal. zope's `PrincipalLookupError`. @public */
export class UnknownPrincipalError extends defineError(
  'UnknownPrincipalError',
  'SECURITY_UNKNOWN_PRINCIPAL',
) {}

/** No permission of this id is registered at the place. @public */
export class UnknownPermissionError extends defineError(
  'UnknownPermissionError',
  'SECURITY_UNKNOWN_PERMISSION',
) {}

/** No role of this id is registered at the place. @public */
export class UnknownRoleError extends defineError('UnknownRoleError', 'SECURITY_UNKNOWN_ROLE') {}

/** The id of a principal is taken. zope's `DuplicateId`. @public */
export class DuplicatePrincipalError extends defineError(
  'DuplicatePrincipalError',
  'SECURITY_DUPLICATE_PRINCIPAL',
) {}

/** An id that no principal, permission or role can have. @public */
export class InvalidIdError extends defineError('InvalidIdError', 'SECURITY_INVALID_ID') {}

/** A grant that can mean nothing, or an object that cannot keep it. @public */
export class InvalidGrantError extends defineError('InvalidGrantError', 'SECURITY_INVALID_GRANT') {}

/** This layer's rows of the error table. */
export const securityErrors: readonly ErrorClass[] = [
  UnauthorizedError,
  NoInteractionError,
  InvalidParticipationError,
  UnknownPrincipalError,
  UnknownPermissionError,
  UnknownRoleError,
  DuplicatePrincipalError,
  InvalidIdError,
  InvalidGrantError,
]
