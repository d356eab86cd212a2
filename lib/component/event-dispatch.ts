import { IObjectEvent } from './object-event.js'

/**
 * Delivers `event` in a registry: an object event first to handlers of (object, event), then any
 * event to handlers of the event alone.
 * @see `zope.component.event`
 * @internal
 */
export function dispatchEvent(registry: Handling, event: object): void {
  if (IObjectEvent.providedBy(event)) registry.handle(event.object, event)
  registry.handle(event)
}

/** What can deliver. @internal */
export interface Handling {
  handle(...objects: readonly unknown[]): void
}
