import { describeObject, isPersistent } from '../persistence/index.js'
import { CycleError, LocationError } from './errors.js'
import { type ILocation, IRoot } from './interfaces.js'

/** Far beyond any tree: a lineage this long runs in a circle. */
export const MAX_DEPTH = 1000

/** What the object is in; `undefined` at the top and for objects without a place. @public */
export function parentOf(object: object): ILocation | undefined {
  return (object as Partial<ILocation>).__parent__ ?? undefined
}

/** Its name there; `undefined` when it has none. @public */
export function nameOf(object: object): string | undefined {
  return (object as Partial<ILocation>).__name__ ?? undefined
}

/**
 * The object, what it is in, what that is in, and so on.
 * @throws CONTENT_CYCLE when that runs in a circle.
 * @public
 */
export function lineage(object: object): IterableIterator<object> {
  return new Lineage(object)
}

/** Not a generator, which takes twice the time: each look-up by place walks it. */
class Lineage implements IterableIterator<object> {
  readonly #start: object
  #next: object | undefined
  #depth = 0

  constructor(start: object) {
    this.#start = start
    this.#next = start
  }

  next(): IteratorResult<object, undefined> {
    const value = this.#next
    if (value === undefined) return { done: true, value }
    if (++this.#depth > MAX_DEPTH) throw runsInCircle(this.#start)
    this.#next = parentOf(value)
    return { done: false, value }
  }

  [Symbol.iterator](): this {
    return this
  }
}

/**
 * The root folder above the object.
 * @throws CONTENT_LOCATION when the lineage ends elsewhere; the message names where.
 * @public
 */
export function rootOf(object: object): IRoot {
  if (IRoot.providedBy(object)) return object
  let top = object
  for (top of lineage(object));
  if (IRoot.providedBy(top)) return top
  throw new LocationError(
    `${describe(object)} is not in the tree: Not enough context to determine location root; ` +
      `above ${top === object ? 'it' : describe(top)} there is nothing. Put it into a folder that is.`,
  )
}

/** How messages of this layer name any object, and what `ITraversable` gives that is none. */
export function describe(object: unknown): string {
  if (object === null || (typeof object !== 'object' && typeof object !== 'function')) {
    return `the ${typeof object} ${String(object)}`
  }
  if (isPersistent(object)) return describeObject(object)
  return `an object of ${object.constructor?.name ?? 'no class'}`
}

/** @returns the error to throw. */
export function runsInCircle(object: object): CycleError {
  return new CycleError(
    `The parents of ${describe(object)} run in a circle, or are more than ${MAX_DEPTH}`,
  )
}
