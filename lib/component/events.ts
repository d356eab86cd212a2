import { dispatchEvent } from './event-dispatch.js'
import { currentRegistry } from './lookup.js'

/**
 * Tells the handlers in the registry of this call what happened, now and one after the other.
 *
 * 1. An object event: handlers of (object, event). The farthest registry first; in it the most
 *    general kind of object first, and for the same kind the more general event first.
 * 2. Any event: handlers of the event alone, in the same order.
 *
 * Handlers are synchronous. What one throws reaches the caller, and later ones are not called.
 *
 * @see `zope.event.notify`, `zope.component.event.objectEventNotify`
 * @public
 */
export function notify(event: object): void {
  dispatchEvent(currentRegistry(), event)
}
