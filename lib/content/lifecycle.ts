import { implementer, notify, ObjectEvent } from '../component/index.js'
import { changedFieldsOf, isPersistent } from '../persistence/index.js'
import { ANNOTATIONS_FIELD } from './annotatable.js'
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
import { nameOf, parentOf } from './location.js'
import { Attributes } from './modification.js'
import { notifyMoved } from './sublocations.js'

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

/** A place as events tell it. @public */
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

/** Tells that `object` was made. @public */
export function created(object: object): void {
  notify(new ObjectCreatedEvent(object))
}

/** Tells that `object` was made as a copy of `original`. @public */
export function copied(object: object, original: object): void {
  notify(new ObjectCopiedEvent(object, original))
}

/**
 * Tells that `object` was changed. Nothing tells it for you: one change of meaning may be many
 * assignments.
 *
 * @param descriptions - what was changed, for those who want to know. Left out, they name the fields
 *   that this transaction has changed so far, when the object is stored.
 * @see `zope.lifecycleevent.modified`, which leaves them empty.
 * @public
 */
export function modified(object: object, ...descriptions: ModificationDescription[]): void {
  const told = descriptions.length === 0 ? changesOf(object) : descriptions
  notify(new ObjectModifiedEvent(object, told))
}

/**
 * The three tell, also what is inside the object, what containers tell by themselves: use them for
 * objects whose place something else keeps. A place that is left out is the one that the object has.
 * @public
 */
export function added(object: object, to: Place = placeOf(object)): void {
  notifyMoved(new ObjectAddedEvent(object, to))
}

/** @see added @public */
export function moved(object: object, { from, to = placeOf(object) }: Move): void {
  notifyMoved(new ObjectMovedEvent(object, { from, to }))
}

/** @see added @public */
export function removed(object: object, from: Place = placeOf(object)): void {
  notifyMoved(new ObjectRemovedEvent(object, from))
}

/** From where to where. @public */
export interface Move {
  readonly from: Place
  readonly to?: Place
}

function placeOf(object: object): Place {
  return { parent: parentOf(object), name: nameOf(object) }
}

function changesOf(object: object): readonly ModificationDescription[] {
  if (!isPersistent(object)) return NOTHING_TOLD
  const attributes = changedFieldsOf(object).filter((name) => !UNTOLD_FIELDS.includes(name))
  return attributes.length === 0 ? NOTHING_TOLD : [new Attributes(undefined, ...attributes)]
}

const NOTHING_TOLD: readonly ModificationDescription[] = []

/** A place changes by moving, of which other events tell; annotations are not the class's. */
const UNTOLD_FIELDS: readonly string[] = ['__parent__', '__name__', ANNOTATIONS_FIELD]
