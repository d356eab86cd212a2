import { handle, notify } from '../component/index.js'
import { HAS_TREE, treeEntries, treeTouch } from '../persistence/index.js'
import { annotationTreeOf } from './annotatable.js'
import { Contained } from './contained.js'
import { type IObjectMovedEvent, ISite } from './interfaces.js'

/** Tells what is below the event's object, then those who listen to the object, then all others. */
export function notifyMoved(event: IObjectMovedEvent): void {
  if (event.object instanceof Contained) notifySublocations(event.object, event)
  notify(event)
}

/**
 * Tells everything below an object what happened to it: the same event, the deepest first, before
 * the object's own handlers hear it.
 * @see `zope.container.contained.dispatchToSublocations`
 */
export function notifySublocations(object: Contained, event: object): void {
  for (const below of sublocationsOf(object)) {
    notifySublocations(below, event)
    handle(below, event)
  }
}

/**
 * From now on who writes into a container that is being moved or removed, into one inside it, or into
 * annotations of these and of what is in them, conflicts: without that, it would be lost with them.
 */
export function touchTrees(object: Contained): void {
  if (keepsTree(object)) treeTouch(object)
  const annotations = annotationTreeOf(object)
  if (annotations !== undefined) treeTouch(annotations)
  for (const below of sublocationsOf(object)) touchTrees(below)
}

/** What is directly inside: items, and a site's manager. */
export function* sublocationsOf(object: Contained): Generator<Contained, void, undefined> {
  if (ISite.providedBy(object)) {
    const { siteManager } = object as unknown as { readonly siteManager: unknown }
    if (siteManager instanceof Contained) yield siteManager
  }
  if (!keepsTree(object)) return
  for (const [, item] of treeEntries(object)) if (item instanceof Contained) yield item
}

/** True for what can have items of its own. */
export function keepsTree(object: Contained): boolean {
  return HAS_TREE in object.constructor
}
