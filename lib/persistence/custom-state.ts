import type { ClassLayout } from './class-layout.js'
import { describeObject } from './describe.js'
import { InvalidClassError } from './errors.js'
import type { Persistent } from './persistent.js'
import { GHOST, type Slots, type SlotsOwner } from './slots.js'
import { importInto, localize, sealed } from './stored-value.js'

/**
 * What a class of persistent objects may have, when what is stored differs from what the program
 * works with. Without these methods the values of the fields are stored as they are.
 *
 * ```ts
 * getState() { return { rows: compress(this.rows), sum: undefined } }
 * setState({ rows }: { rows: Uint8Array }) { this.rows = expand(rows) }
 * ```
 *
 * Source: Python's `__getstate__` and `__setstate__`.
 * @public
 */
export interface CustomState {
  /**
   * Called when the object is written: gives values for some of its fields, or all, that are stored
   * in place of what the object holds. What it writes to the object's own fields meanwhile causes no
   * second write.
   */
  getState?(): Readonly<Record<string, unknown>>
  /**
   * Called when the object's state has been loaded, before the program reads a field, and again
   * after each commit and abort of a change. It may set fields, which does not change the object, and
   * volatile properties.
   * @param state - the stored values by name, frozen, but for a tree.
   */
  setState?(state: Readonly<Record<string, unknown>>): void
}

/**
 * The values to store for an object.
 * @throws PERSISTENCE_INVALID_CLASS when the state names a field that the class does not have.
 * @throws PERSISTENCE_UNSTORABLE_VALUE
 */
export function valuesToStore(object: Persistent, slots: Slots): readonly unknown[] {
  const { layout } = slots
  if (!layout.hasGetState) return slots.values
  const state = (object as CustomState).getState?.() ?? {}
  const values = slots.values.slice()
  for (const [name, value] of Object.entries(state)) {
    const index = layout.names.indexOf(name)
    if (index === -1 || index === layout.treeIndex) {
      throw new InvalidClassError(
        `${describeObject(object)}: getState gave a value for ${name}, which is no field of the class. ` +
          `Declare \`@field accessor ${name}\`, or leave it out.`,
      )
    }
    values[index] = importInto(object, value, name)
  }
  return values
}

/** Has the values that were just put back, or committed, made into the program's at the next read. */
export function awaitState(slots: Slots): void {
  if (slots.layout.hasSetState) slots.generation = GHOST
}

/**
 * Between two transactions, makes them of what the last one left in the object.
 * @returns whether there was anything to make.
 */
export function takeOwnState(object: Persistent, slots: Slots): boolean {
  if (!slots.layout.hasSetState || slots.values !== slots.committed?.values) return false
  slots.generation = slots.owner.generation
  takeState(object, slots)
  return true
}

/** Makes the values that the program works with of those just loaded. */
export function takeState(object: Persistent, slots: Slots): void {
  const { owner, values: stored } = slots
  slots.values = stored.slice()
  slots.owner = takingState(owner)
  try {
    ;(object as CustomState).setState?.(stateByName(slots.layout, stored, owner))
    slots.nested?.collect(slots.values)
  } catch (error) {
    slots.values = stored
    slots.generation = GHOST
    throw error
  } finally {
    slots.nested?.close()
    slots.nested = undefined
    slots.owner = owner
  }
}

/** Values by the names of their fields, frozen and with objects in them, but for a tree. */
export function stateByName(
  { names, treeIndex }: ClassLayout,
  values: readonly unknown[],
  owner: SlotsOwner,
): Readonly<Record<string, unknown>> {
  const state: Record<string, unknown> = Object.create(null)
  names.forEach((name, index) => {
    if (index !== treeIndex) state[name] = sealed(localize(values[index], owner, () => {}))
  })
  return Object.freeze(state)
}

/** Lets an object be written without being changed, and else is its owner. */
function takingState(owner: SlotsOwner): SlotsOwner {
  return {
    generation: owner.generation,
    stamp: 0,
    isWriting: true,
    activate() {},
    assertWritable() {},
    registerChanged() {},
    registerWatched() {},
    resolve: (reference) => owner.resolve(reference),
    resolveElsewhere: (reference) => owner.resolveElsewhere(reference),
    query: (oid) => owner.query(oid),
    nodeSource: owner.nodeSource,
    nodeSourceAt: (serial) => owner.nodeSourceAt(serial),
  }
}
