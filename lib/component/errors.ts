import { defineError, type ErrorClass } from '../foundation/index.js'

/** Nothing is registered that answers a `get…`. zope's `ComponentLookupError`. @public */
export class ComponentLookupError extends defineError('ComponentLookupError', 'COMPONENT_LOOKUP') {}

/** A declaration or registration that can mean nothing, or two things at once. @public */
export class InvalidRegistrationError extends defineError(
  'InvalidRegistrationError',
  'COMPONENT_INVALID_REGISTRATION',
) {}

/** What is extended demands an order that contradicts itself. `zope.interface.ro`. @public */
export class InconsistentResolutionOrderError extends defineError(
  'InconsistentResolutionOrderError',
  'COMPONENT_INCONSISTENT_ORDER',
) {}

/** A database names a component that this program does not have. @public */
export class UnknownComponentError extends defineError(
  'UnknownComponentError',
  'COMPONENT_UNKNOWN',
) {}

/** An object lacks what it declares. zope's `BrokenImplementation` and `DoesNotImplement`. @public */
export class BrokenPromiseError extends defineError(
  'BrokenPromiseError',
  'COMPONENT_BROKEN_PROMISE',
) {}

/** The rows of this layer in the table of errors. @public */
export const componentErrors: readonly ErrorClass[] = [
  ComponentLookupError,
  InvalidRegistrationError,
  InconsistentResolutionOrderError,
  UnknownComponentError,
  BrokenPromiseError,
]
