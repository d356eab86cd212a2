import { defineInterface, queryAdapter } from '../component/index.js'
import { cloneOf, type Persistent } from '../persistence/index.js'
import { Contained } from './contained.js'
import { IRoot } from './interfaces.js'
import { lineage, parentOf } from './location.js'

/**
 * Says what stands in a copy for one object that the copied one leads to. Register an adapter for
 * objects that have a rule of their own; for all others their place decides, see {@link copyOf}.
 *
 * Source: `zope.copy.interfaces.ICopyHook`; `'clone'` is upstream's `ResumeCopy`.
 * @public
 */
export interface ICopyHook {
  /**
   * @param root - what is copied.
   * @returns `'clone'` for a copy of this object as well, `'keep'` for the object itself, or what
   *   stands for it.
   */
  standIn(root: Persistent): 'clone' | 'keep' | Persistent
}
export const ICopyHook = defineInterface<ICopyHook>('treehook.ICopyHook', { members: ['standIn'] })

/**
 * A copy of an object with all that is inside it, that has no place yet: put it into a container.
 * References to what is inside lead to the copies; references to objects that have a place elsewhere
 * lead where they led. Objects without a place belong to those that refer to them, and are copied.
 * Nobody is told.
 *
 * Source: `zope.copy.copy`, with `zope.location.pickling.LocationCopyHook`.
 * @throws PERSISTENCE_DANGLING_REFERENCE, CONTENT_CYCLE
 * @public
 */
export function copyOf<T extends Persistent>(object: T): T {
  const copy = cloneOf(object, { hook: standInFor })
  if (copy instanceof Contained) {
    copy.__parent__ = undefined
    copy.__name__ = undefined
  }
  return copy
}

function standInFor(object: Persistent, root: Persistent): 'clone' | 'keep' | Persistent {
  const hook = queryAdapter(object, ICopyHook)
  if (hook !== undefined) return hook.standIn(root)
  if (parentOf(object) === undefined) return IRoot.providedBy(object) ? 'keep' : 'clone'
  return isInside(object, root) ? 'clone' : 'keep'
}

function isInside(object: object, above: object): boolean {
  for (const one of lineage(object)) if (one === above) return true
  return false
}
