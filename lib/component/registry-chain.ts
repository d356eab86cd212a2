import { InvalidRegistrationError } from './errors.js'

/**
 * `registry` and all it is based on, nearest first: depth first, the last base first, turned round,
 * so that each stands before its bases whatever contradictions there are among them.
 *
 * @throws COMPONENT_INVALID_REGISTRATION when bases lead back to where they started.
 * @internal
 */
export function nearestFirst<R extends Based<R>>(registry: R): readonly R[] {
  const finished = new Set<R>()
  const unfinished = new Set<R>()
  const visit = (one: R): void => {
    if (finished.has(one)) return
    if (unfinished.has(one)) {
      throw new InvalidRegistrationError(`${one.name} is, over its bases, based on itself.`)
    }
    unfinished.add(one)
    for (const base of one.bases.toReversed()) visit(base)
    finished.add(one)
  }
  visit(registry)
  return [...finished].reverse()
}

/** @internal */
export interface Based<R> {
  readonly name: string
  readonly bases: readonly R[]
}
