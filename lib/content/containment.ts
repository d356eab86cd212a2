import { currentRegistry, notify } from '../component/index.js'
import { isPersistent, treeGet, treeHas } from '../persistence/index.js'
import { allOrNothing, noteUndo } from './all-or-nothing.js'
import { annotationTreeOf } from './annotatable.js'
import { checkItem } from './constraints.js'
import { Contained } from './contained.js'
import type { Container } from './container.js'
import { DuplicateNameError, InvalidItemError, LocationError } from './errors.js'
import {
  ContainerModifiedEvent,
  ObjectAddedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
} from './lifecycle.js'
import { describe } from './location.js'
import { assertValidName } from './names.js'
import { raisePlaceStamp } from './place-stamp.js'
import { keepsTree, notifyMoved, sublocationsOf, touchTrees } from './sublocations.js'

/**
 * Keeps an item under a name that is free, and tells nobody. Containers that keep more than the
 * items by name override it, and {@link DROP_ITEM}; what they change they note with `noteUndo`.
 */
export const STORE_ITEM: unique symbol = Symbol('treehook.storeItem')

/** Keeps the item of a name no longer, and tells nobody. */
export const DROP_ITEM: unique symbol = Symbol('treehook.dropItem')

/**
 * Puts an item into a container:
 *
 * 1. the name is valid and free, and the item may be in this container; see {@link checkItem}
 * 2. it is stored, with `__parent__` and `__name__`
 * 3. its sublocations hear of the event, then added (or moved, when it had a place) for the item
 * 4. modified for the container
 *
 * The same item under the same name again changes nothing and tells nobody; one that had this place
 * already, but was not in it, is stored and nobody is told. When a handler throws, nothing was done.
 *
 * @throws CONTENT_INVALID_NAME, CONTENT_DUPLICATE_NAME, CONTENT_INVALID_ITEM, CONTENT_CYCLE,
 *   CONTENT_INVALID_CONTAINER
 * @see `zope.container.contained.setitem`; that it checks and undoes is ours.
 */
export function setItem(container: Container, name: string, item: Contained): void {
  assertValidName(name)
  assertContained(container, name, item)
  if (treeGet(container, name) === item) return
  refuseTaken(container, name)
  checkItem(container, name, item)
  if (isAt(item, container, name)) container[STORE_ITEM](name, item)
  else enter(container, name, item)
}

function enter(container: Container, name: string, item: Contained): void {
  const from = { parent: item.__parent__, name: item.__name__ }
  const to = { parent: container, name }
  const isNew = from.parent === undefined || from.name === undefined
  const event = isNew ? new ObjectAddedEvent(item, to) : new ObjectMovedEvent(item, { from, to })
  const modified = new ContainerModifiedEvent(container)
  allOrNothing({ at: container, isHeard: isHeard(item, event, modified) }, () => {
    container[STORE_ITEM](name, item)
    place(item, container, name)
    if (!isNew) touchTrees(item)
    notifyMoved(event)
    notify(modified)
  })
}

/**
 * Takes an item out of its container: it is gone from there when handlers hear `removed`, and still
 * has its place, which it loses afterwards. An item that has moved elsewhere keeps its new place and
 * only the container is modified. When a handler throws, nothing was done.
 *
 * @throws CONTENT_LOCATION when there is no item of that name.
 * @see `zope.container.contained.uncontained`; that it undoes is ours.
 */
export function removeItem(container: Container, name: string): void {
  if (!treeHas(container, name)) {
    throw new LocationError(`${describe(container)} has no item named ${JSON.stringify(name)}`)
  }
  const item = treeGet(container, name)
  const isHere = item instanceof Contained && isAt(item, container, name)
  const modified = new ContainerModifiedEvent(container)
  const event = isHere ? new ObjectRemovedEvent(item, { parent: container, name }) : modified
  allOrNothing({ at: container, isHeard: isHeard(item, event, modified) }, () => {
    container[DROP_ITEM](name)
    if (isHere) leave(container, name, item, event as ObjectRemovedEvent<Contained>)
    notify(modified)
  })
}

function leave(
  container: Container,
  name: string,
  item: Contained,
  event: ObjectRemovedEvent<Contained>,
): void {
  touchTrees(item)
  notifyMoved(event)
  // Unless a handler has put it back, or elsewhere.
  if (isAt(item, container, name) && treeGet(container, name) !== item) {
    place(item, undefined, undefined)
  }
}

/** Whether anybody would be told: then somebody may refuse. */
function isHeard(item: unknown, ...events: readonly { readonly object: unknown }[]): boolean {
  const registry = currentRegistry()
  for (const event of events) {
    if (registry.hasHandlers(event.object, event) || registry.hasHandlers(event)) return true
  }
  return item instanceof Contained && sublocationsOf(item).next().done !== true
}

function isAt(item: Contained, container: Container, name: string): boolean {
  return item.__parent__ === container && item.__name__ === name
}

function place(item: Contained, container: Container | undefined, name: string | undefined): void {
  const { __parent__, __name__ } = item
  item.__parent__ = container
  noteUndo(item, () => {
    item.__parent__ = __parent__
    item.__name__ = __name__
  })
  item.__name__ = name
  // An annotation may be a folder, or a site.
  if (keepsTree(item) || annotationTreeOf(item) !== undefined) raisePlaceStamp()
}

function assertContained(container: Container, name: string, item: unknown): void {
  const isObject = typeof item === 'object' && item !== null
  if (isObject && isPersistent(item) && item instanceof Contained) return
  throw new InvalidItemError(
    `${describe(container)} holds objects that extend Contained; ${JSON.stringify(name)} was given ${kindOf(item)}`,
  )
}

function refuseTaken(container: Container, name: string): void {
  if (!treeHas(container, name)) return
  throw new DuplicateNameError(
    `${describe(container)} has an item named ${JSON.stringify(name)} already; delete it first, or choose another name`,
  )
}

function kindOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item)
  return `an instance of ${item.constructor?.name ?? 'a class'}`
}
