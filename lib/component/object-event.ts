import { implementer } from './declarations.js'
import { defineInterface } from './interface.js'

/**
 * Something happened to an object. `notify` delivers it as (object, event) too.
 * @see `zope.interface.interfaces.IObjectEvent`
 * @public
 */
export interface IObjectEvent {
  readonly object: unknown
}
export const IObjectEvent = defineInterface<IObjectEvent>('treehook.IObjectEvent', {
  members: ['object'],
})

/** The event to extend for what happens to objects. @public */
@implementer(IObjectEvent)
export class ObjectEvent<T = unknown> implements IObjectEvent {
  readonly object: T

  constructor(object: T) {
    this.object = object
  }
}
