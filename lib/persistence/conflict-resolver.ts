import { ConflictError, type Oid } from '../storage/index.js'
import type { StateLayout } from './class-table.js'
import { ForeignObjectError, InvalidClassError } from './errors.js'
import { Persistent } from './persistent.js'
import { type CrossReference, Reference, type WeakOid } from './reference.js'
import { UNOWNED } from './slots.js'
import { sameValue } from './state-codec.js'
import { importValue, localize, plain, type Referrer, toCommitted } from './stored-value.js'
import { commitWeakly, type WeakReference } from './weak-reference.js'

/**
 * The three states of an object that two transactions wrote: what both began with, what the first
 * has committed (published or on its way to disk), and what the second wants to commit.
 *
 * Each is a plain object, field name → value, that belongs to the resolver: change it, return it.
 * Persistent objects stand in it as {@link ObjectStub}s: one stub for each object in all three, so
 * that `===` compares.
 * @public
 */
export interface ConflictStates<State = Readonly<Record<string, unknown>>> {
  readonly old: State
  readonly saved: State
  readonly wanted: State
}

/**
 * A persistent class that merges what two transactions wrote to one object:
 *
 * ```ts
 * class Meter extends Persistent {
 *   @field accessor total = 0
 *
 *   static resolveConflict({ old, saved, wanted }: ConflictStates<{ total: number }>) {
 *     return { total: saved.total + wanted.total - old.total }
 *   }
 * }
 * ```
 *
 * What it returns is stored: every field of the class, no others. It returns `undefined` where there
 * is no merging: then the transaction conflicts. It is called in the middle of a commit, so it reads
 * its arguments and nothing else. Whatever it throws is reported to `onError`, and the transaction
 * conflicts; a `ConflictError` conflicts without a report. Subclasses inherit it.
 *
 * Source: `ZODB.ConflictResolution` (`_p_resolveConflict`), which runs where the storage runs; this
 * runs in validation, the same on every storage.
 * @public
 */
export interface ConflictResolver<State = never> {
  resolveConflict(states: ConflictStates<State>): Readonly<Record<string, unknown>> | undefined
}

/**
 * A persistent object as a resolver knows it: by its identity, without its state.
 * @public
 */
export class ObjectStub extends Persistent {
  readonly oid: Oid

  /** @internal */
  constructor(oid: Oid) {
    super()
    this.oid = oid
  }
}

/** The values of one object's three states, in committed form, by index. */
interface ThreeValues {
  readonly layout: StateLayout
  readonly old: readonly unknown[]
  readonly saved: readonly unknown[]
  readonly wanted: readonly unknown[]
}

/**
 * Asks the class what to store. Calls the application's code; reads nothing but memory.
 * @returns values in committed form, the tree's place empty; `undefined` where there is no merging.
 */
export function resolveConflict(
  { layout, old, saved, wanted }: ThreeValues,
  report: (error: unknown) => void,
): unknown[] | undefined {
  const resolver = layout.classLayout?.constructor as Partial<ConflictResolver> | undefined
  if (typeof resolver?.resolveConflict !== 'function') return undefined
  const marks = mergeMarks({ layout, old, saved, wanted })
  if (marks === undefined) return undefined
  const stubs = new Stubs()
  try {
    const states: ConflictStates = {
      old: stubs.stateOf(layout, old),
      saved: stubs.stateOf(layout, saved),
      wanted: stubs.stateOf(layout, wanted),
    }
    const resolved = resolver.resolveConflict(states as never)
    return resolved === undefined ? undefined : stubs.valuesOf(layout, Object(resolved), marks)
  } catch (error) {
    if (!(error instanceof ConflictError)) report(error)
    return undefined
  }
}

/** The marks of the side that changed them, in a list; `undefined` when both did. */
function mergeMarks({ layout, old, saved, wanted }: ThreeValues): readonly unknown[] | undefined {
  const { marksIndex } = layout
  if (sameValue(saved[marksIndex], old[marksIndex])) return wanted.slice(marksIndex, marksIndex + 1)
  if (!sameValue(wanted[marksIndex], old[marksIndex])) return undefined
  return saved.slice(marksIndex, marksIndex + 1)
}

/** Stubs for the objects that one resolution is about, and back to references. */
class Stubs implements Referrer {
  readonly #stubs = new Map<Oid, ObjectStub>()
  readonly #owner = { ...UNOWNED, ...this.#lookups() }

  refer(object: Persistent): Reference {
    if (object instanceof ObjectStub && this.#stubs.get(object.oid) === object) {
      return new Reference(object.oid)
    }
    throw new ForeignObjectError(
      'resolveConflict returned an object that is in none of the three states; it merges what is there',
    )
  }

  referWeakly(weak: WeakReference): WeakOid {
    return commitWeakly(weak, this.#owner)
  }

  #lookups() {
    return {
      resolve: ({ oid }: Reference) => this.#stubOf(oid),
      // It stands for itself: nothing of it can be merged.
      resolveElsewhere: (reference: CrossReference) => reference as unknown as Persistent,
      query: (oid: Oid) => this.#stubOf(oid),
      refer: (object: Persistent) => this.refer(object),
    }
  }

  #stubOf(oid: Oid): ObjectStub {
    let stub = this.#stubs.get(oid)
    if (stub === undefined) {
      stub = new ObjectStub(oid)
      this.#stubs.set(oid, stub)
    }
    return stub
  }

  stateOf(layout: StateLayout, values: readonly unknown[]): Record<string, unknown> {
    const state: Record<string, unknown> = {}
    layout.names.forEach((name, index) => {
      if (index !== layout.treeIndex && index !== layout.marksIndex)
        state[name] = plain(localize(values[index], this.#owner, () => {}))
    })
    return state
  }

  valuesOf(
    { names: allNames, treeIndex, marksIndex, storedName }: StateLayout,
    state: Readonly<Record<string, unknown>>,
    marks: readonly unknown[],
  ): unknown[] {
    const names = allNames.filter((_, index) => index !== treeIndex && index !== marksIndex)
    const unknown = Object.keys(state).filter((name) => !names.includes(name))
    const missing = names.filter((name) => !(name in state))
    if (unknown.length > 0 || missing.length > 0) {
      const which = [...unknown.map((name) => `${name}, which it lacks`), ...missing]
      throw new InvalidClassError(
        `${storedName}.resolveConflict must return a value for each of its fields and no others: look ` +
          `at ${which.join(', ')}`,
      )
    }
    return allNames.map((name, index) => {
      if (index === treeIndex) return undefined
      if (index === marksIndex) return marks[0]
      return toCommitted(importValue(state[name], `${storedName}.${name}`), this)
    })
  }
}
