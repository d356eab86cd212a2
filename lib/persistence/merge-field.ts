import { isDeepStrictEqual } from 'node:util'
import type { ConflictStates } from './conflict-resolver.js'

type State = Readonly<Record<string, unknown>>

/**
 * Resolves a conflict of an object that has one field whose changes can be merged. All others, which
 * a subclass may have, are taken from the side that changed them.
 * @param merge - gives the field's merged value; `undefined` when there is none.
 * @returns the merged state; `undefined` when both sides changed the others, too.
 */
export function mergeField<Name extends string, Value>(
  { old, saved, wanted }: ConflictStates<State & Readonly<Record<Name, Value>>>,
  name: Name,
  merge: (states: ConflictStates<Value>) => Value | undefined,
): State | undefined {
  const isSameBeside = (one: State): boolean =>
    isDeepStrictEqual({ ...one, [name]: undefined }, { ...old, [name]: undefined })
  const isSavedSame = isSameBeside(saved)
  if (!isSavedSame && !isSameBeside(wanted)) return undefined
  const merged = merge({ old: old[name], saved: saved[name], wanted: wanted[name] })
  return merged === undefined ? undefined : { ...(isSavedSame ? wanted : saved), [name]: merged }
}
