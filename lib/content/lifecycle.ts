import { implementer, notify, ObjectEvent } from '../component/index.js'
import {
  IContainerModifiedEvent,
  IObjectAddedEvent,
  IObjectCopiedEvent,
  IObjectCreatedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  type ModificationDescription,
} from './interfaces.js'

/** @see IObjectCreatedEvent @public */
@implementer(IObjectCreatedEvent)
export class ObjectCreatedEvent<T = unknown> extends ObjectEvent<T> {}

/** @see IObjectCopiedEvent @public */
@implementer(IObjectCopiedEvent)
export class ObjectCopiedEvent<T = unknown> extends ObjectCreatedEvent<T> {
  readonly original: T

  constructor(object: T, original: T) {
    super(object)
    this.original = original
  }
}

/** @see IObjectModifiedEvent @public */
@implementer(IObjectModifiedEvent)
export class ObjectModifiedEvent<T = unknown> extends ObjectEvent<T> {
  readonly descriptions: readonly ModificationDescription[]

  constructor(object: T, descriptions: readonly ModificationDescription[] = []) {
    super(object)
    this.descriptions = descriptions
  }
}

/** @see IContainerModifiedEvent @public */
@implementer(IContainerModifiedEvent)
export class ContainerModifiedEvent<T = unknown> extends ObjectModifiedEvent<T> {}

/** A place as events tell it. */
export interface Place {
  readonly parent: unknown
  readonly name: string | undefined
}

/** @see IObjectMovedEvent @public */
@implementer(IObjectMovedEvent)
export class ObjectMovedEvent<T = unknown> extends ObjectEvent<T> {
  readonly oldParent: unknown
  readonly oldName: string | undefined
  readonly newParent: unknown
  readonly newName: string | undefined

  constructor(object: T, { from, to }: { readonly from?: Place; readonly to?: Place }) {
    super(object)
    this.oldParent = from?.parent
    this.oldName = from?.name
    this.newParent = to?.parent
    this.newName = to?.name
  }
}

/** @see IObjectAddedEvent @public */
@implementer(IObjectAddedEvent)
export class ObjectAddedEvent<T = unknown> extends ObjectMovedEvent<T> {
  constructor(object: T, to: Place) {
    super(object, { to })
  }
}

/** @see IObjectRemovedEvent @public */
@implementer(IObjectRemovedEvent)
export class ObjectRemovedEvent<T = unknown> extends ObjectMovedEvent<T> {
  constructor(object: T, from: Place) {
    super(object, { from })
  }
}

/**
 * Tells that `object` was changed. Nothing tells it for you: one change of meaning may be many
 * assignments.
 * @param descriptions - what was changed, for those who want to know.
 * @public
 */
export function modified(object: object, ...descriptions: ModificationDescription[]): void {
  notify(new ObjectModifiedEvent(object, descriptions))
}

/** Tells that `object` was made. @public */
export function created(object: object): void {
  notify(new ObjectCreatedEvent(object))
}
