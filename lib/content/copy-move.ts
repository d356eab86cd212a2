import { notify } from '../component/index.js'
import { allOrNothing } from './all-or-nothing.js'
import { checkCopy, checkItem } from './constraints.js'
import type { Contained } from './contained.js'
import { Container } from './container.js'
import { copyOf } from './copy.js'
import { DuplicateNameError, LocationError } from './errors.js'
import { ObjectCopiedEvent } from './lifecycle.js'
import { describe, nameOf, parentOf } from './location.js'
import { freeNameIn } from './name-chooser.js'
import { assertValidName } from './names.js'
import { OrderedContainer } from './ordered-container.js'

/**
 * Moves an item into a container, with all that is inside it: it enters the target, then leaves where
 * it was. Told are `moved` for the item, modified for the target, modified for the source; nobody
 * hears of adding or removing. To the place where it is already, nothing is moved and nobody is told.
 * When a handler throws, nothing was done.
 *
 * @param name - its name there; default: the one it has. One that is taken makes the target's name
 *   chooser choose another.
 * @returns the item, which knows its name.
 * @throws CONTENT_LOCATION when it is in no container; what `target.set` throws.
 * @see `zope.copypastemove.ObjectMover.moveTo`
 * @public
 */
export function moveTo<T extends Contained>(item: T, target: Container, name?: string): T {
  const source = containerOf(item)
  const oldName = item.__name__ as string
  const wanted = name ?? oldName
  if (source === target && wanted === oldName) return item
  checkItem(target, wanted, item)
  const newName = freeNameIn(target, wanted, item)
  return allOrNothing({ at: target, isHeard: true }, () => {
    target.set(newName, item)
    source.delete(oldName)
    return item
  })
}

/**
 * Puts a copy of an object, with all that is inside it, into a container; see {@link copyOf} for what
 * belongs to it. Told are `copied`, when the copy has no place yet, then what adding tells. When a
 * handler throws, nothing was done.
 *
 * @param name - its name there; default: the original's. One that is taken makes the target's name
 *   chooser choose another.
 * @returns the copy, which knows its name.
 * @throws what `target.set` and `copyOf` throw.
 * @see `zope.copypastemove.ObjectCopier.copyTo`
 * @public
 */
export function copyTo<T extends Contained>(original: T, target: Container, name?: string): T {
  const wanted = name ?? nameOf(original) ?? ''
  checkCopy(target, wanted, original)
  const copy = copyOf(original)
  return allOrNothing({ at: target, isHeard: true }, () => {
    notify(new ObjectCopiedEvent(copy, original))
    return target.set(freeNameIn(target, wanted, copy), copy)
  })
}

/**
 * Gives an item of a container another name. It is a move within the container: `moved`, then
 * modified for the container, twice. An ordered container keeps the item's position, which modifies
 * it once more unless it is the last. When a handler throws, nothing was done.
 *
 * @returns the item.
 * @throws CONTENT_LOCATION when there is no item of the old name; CONTENT_DUPLICATE_NAME when the new
 *   one is taken, also by the item itself; CONTENT_INVALID_NAME; CONTENT_INVALID_ITEM.
 * @see `zope.copypastemove.ContainerItemRenamer.renameItem`
 * @public
 */
export function renameItem<T extends Contained>(
  container: Container<T>,
  oldName: string,
  newName: string,
): T {
  const item = container.getItem(oldName)
  assertValidName(newName)
  if (container.has(newName)) {
    throw new DuplicateNameError(
      `${describe(container)} has an item named ${JSON.stringify(newName)} already; choose another name`,
    )
  }
  const next = container instanceof OrderedContainer ? container.nameAfter(oldName) : undefined
  return allOrNothing({ at: container, isHeard: true }, () => {
    container.set(newName, item)
    container.delete(oldName)
    if (container instanceof OrderedContainer) container.moveBefore(newName, next)
    return item
  })
}

function containerOf(item: Contained): Container {
  const parent = parentOf(item)
  const name = nameOf(item)
  if (parent instanceof Container && name !== undefined && parent.get(name) === item) return parent
  throw new LocationError(
    `${describe(item)} is in no container, so it cannot be moved; put it into one with set`,
  )
}
