import { implementer } from './declarations.js'
import { defineInterface } from './interface.js'
import type { Registration } from './interfaces.js'
import { IObjectEvent, ObjectEvent } from './object-event.js'

/**
 * A registry's rows changed; the row is the event's object.
 * @see `zope.interface.interfaces.IRegistrationEvent`
 * @public
 */
export interface IRegistrationEvent extends IObjectEvent {
  readonly object: Registration
  /** The registry, as its class says what that is. */
  readonly registry: object
}
export const IRegistrationEvent = defineInterface<IRegistrationEvent>(
  'treehook.IRegistrationEvent',
  { extends: [IObjectEvent], members: ['registry'] },
)

/** A row was added. @public */
export interface IRegistered extends IRegistrationEvent {}
export const IRegistered = defineInterface<IRegistered>('treehook.IRegistered', {
  extends: [IRegistrationEvent],
})

/** A row was removed. @public */
export interface IUnregistered extends IRegistrationEvent {}
export const IUnregistered = defineInterface<IUnregistered>('treehook.IUnregistered', {
  extends: [IRegistrationEvent],
})

class RegistrationEvent extends ObjectEvent<Registration> implements IRegistrationEvent {
  readonly registry: object

  constructor(row: Registration, registry: object) {
    super(row)
    this.registry = registry
  }
}

/** Notified after a row was added. @public */
@implementer(IRegistered)
export class Registered extends RegistrationEvent {}

/** Notified after a row was removed. @public */
@implementer(IUnregistered)
export class Unregistered extends RegistrationEvent {}
