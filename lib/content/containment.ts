import { notify } from '../component/index.js'
import { isPersistent, treeDelete, treeGet, treeHas, treeSet } from '../persistence/index.js'
import { Contained } from './contained.js'
import type { Container } from './container.js'
import { CycleError, DuplicateNameError, InvalidItemError, LocationError } from './errors.js'
import {
  ContainerModifiedEvent,
  ObjectAddedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
} from './lifecycle.js'
import { describe, lineage } from './location.js'
import { assertValidName } from './names.js'
import { raisePlaceStamp } from './place-stamp.js'
import { keepsTree, notifySublocations, touchTrees } from './sublocations.js'

/**
 * Puts an item into a container:
 *
 * 1. the name is valid and free, the item has a place or can have one, and is not above the container
 * 2. it is stored, with `__parent__` and `__name__`
 * 3. its sublocations hear of the event, then added (or moved, when it had a place) for the item
 * 4. modified for the container
 *
 * The same item under the same name again changes nothing and tells nobody; one that had this place
 * already, but was not in it, is stored and nobody is told.
 *
 * @throws CONTENT_INVALID_NAME, CONTENT_DUPLICATE_NAME, CONTENT_INVALID_ITEM, CONTENT_CYCLE
 * @see `zope.container.contained.setitem`; the check for cycles is ours.
 */
export function setItem(container: Container, name: string, item: Contained): void {
  assertValidName(name)
  const present = treeGet(container, name)
  if (
    typeof item !== 'object' ||
    item === null ||
    !isPersistent(item) ||
    !(item instanceof Contained)
  ) {
    throw new InvalidItemError(
      `${describe(container)} holds objects that extend Contained; ${JSON.stringify(name)} was given ${kindOf(item)}`,
    )
  }
  if (present === item) return
  if (present !== undefined || treeHas(container, name)) {
    throw new DuplicateNameError(
      `${describe(container)} has an item named ${JSON.stringify(name)} already; delete it first, or choose another name`,
    )
  }
  refuseCycle(container, item)
  const from = { parent: item.__parent__, name: item.__name__ }
  const to = { parent: container, name }
  treeSet(container, name, item)
  if (isAt(item, container, name)) return
  place(item, container, name)
  const isNew = from.parent === undefined || from.name === undefined
  const event = isNew ? new ObjectAddedEvent(item, to) : new ObjectMovedEvent(item, { from, to })
  if (!isNew) touchTrees(item)
  notifySublocations(item, event)
  notify(event)
  notify(new ContainerModifiedEvent(container))
}

/**
 * Takes an item out of its container: it is gone from there when handlers hear `removed`, and still
 * has its place, which it loses afterwards. An item that has moved elsewhere keeps its new place and
 * only the container is modified.
 *
 * @throws CONTENT_LOCATION when there is no item of that name.
 * @see `zope.container.contained.uncontained`
 */
export function removeItem(container: Container, name: string): void {
  const item = treeGet(container, name)
  if (!treeDelete(container, name)) {
    throw new LocationError(`${describe(container)} has no item named ${JSON.stringify(name)}`)
  }
  if (item instanceof Contained && isAt(item, container, name)) {
    const event = new ObjectRemovedEvent(item, { parent: container, name })
    touchTrees(item)
    notifySublocations(item, event)
    notify(event)
    // Unless a handler has put it back, or elsewhere.
    if (isAt(item, container, name) && treeGet(container, name) !== item) {
      place(item, undefined, undefined)
    }
  }
  notify(new ContainerModifiedEvent(container))
}

function isAt(item: Contained, container: Container, name: string): boolean {
  return item.__parent__ === container && item.__name__ === name
}

function place(item: Contained, container: Container | undefined, name: string | undefined): void {
  item.__parent__ = container
  item.__name__ = name
  if (keepsTree(item)) raisePlaceStamp()
}

function refuseCycle(container: Container, item: Contained): void {
  for (const above of lineage(container)) {
    if (above === item) {
      throw new CycleError(
        `${describe(item)} cannot be put into ${describe(container)}, which is ${above === container ? 'the same object' : 'inside it'}`,
      )
    }
  }
}

function kindOf(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item)
  return `an instance of ${item.constructor?.name ?? 'a class'}`
}
