import { defineInterface, queryAdapter } from '../component/index.js'
import { cloneOf, type Persistent } from '../persistence/index.js'
import { Contained } from './contained.js'
import { IRoot } from './interfaces.js'
import { lineage, parentOf } from './location.js'

/**
 * Says what stands in a copy for one object that the copied one leads to. Register an adapter for
 * objects that have a rule of their own; for all others their place decides, see {@link copyOf}.
 *
 * Source: `zope.copy.interfaces.ICopyHook`; `'clone'` is upstream's `ResumeCopy`, `onCopied` its
 * `register`.
 * @public
 */
export interface ICopyHook {
  /**
   * @param root - what is copied.
   * @returns `'clone'` for a copy of this object as well, `'keep'` for the object itself, `'omit'` for
   *   nothing, or what stands for it; `undefined` when its place shall decide. Items that are omitted
   *   are not in the copied container.
   */
  standIn(root: Persistent): 'clone' | 'keep' | 'omit' | Persistent | undefined
  /** Called with the copy of this object, if one was made, when all copies have their state. */
  onCopied?(copy: Persistent): void
}
export const ICopyHook = defineInterface<ICopyHook>('treehook.ICopyHook', { members: ['standIn'] })

/**
 * `static readonly [LEFT_OUT_OF_COPIES] = true` in a class: copies and exports of what its objects are
 * inside of go without them. For records of what happened to the original.
 * @public
 */
export const LEFT_OUT_OF_COPIES: unique symbol = Symbol('treehook.leftOutOfCopies')

/** Whether a class says so. */
export function isLeftOut(someClass: object | undefined): boolean {
  return (someClass as { readonly [LEFT_OUT_OF_COPIES]?: boolean })?.[LEFT_OUT_OF_COPIES] === true
}

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
  const copy = cloneOf(object, {
    hook: standInFor,
    onCloned: (clone, original) => queryAdapter(original, ICopyHook)?.onCopied?.(clone),
  })
  if (copy instanceof Contained) {
    copy.__parent__ = undefined
    copy.__name__ = undefined
  }
  return copy
}

function standInFor(object: Persistent, root: Persistent): 'clone' | 'keep' | 'omit' | Persistent {
  const decision = queryAdapter(object, ICopyHook)?.standIn(root)
  if (decision !== undefined) return decision
  if (isLeftOut(object.constructor)) return 'omit'
  if (parentOf(object) === undefined) return IRoot.providedBy(object) ? 'keep' : 'clone'
  return isInside(object, root) ? 'clone' : 'keep'
}

function isInside(object: object, above: object): boolean {
  for (const one of lineage(object)) if (one === above) return true
  return false
}
