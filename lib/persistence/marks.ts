import { MARKS_FIELD_NAME, type PersistentClass } from './class-layout.js'
import { type Persistent, slotsOf, workingValues } from './persistent.js'
import type { Slots } from './slots.js'

/**
 * Marks are names that one object carries beside the fields of its class, whatever its class is. They
 * are part of its state, as a field is: they go with the transaction, copies and exports. An object
 * without marks has no place for them, in memory or on disk: with its first ones it gets a class row
 * of its own, and its values one more.
 *
 * @returns frozen, and the same array until others are set; `undefined` for none.
 * @internal
 */
export function marksOf(object: Persistent): readonly string[] | undefined {
  const slots = slotsOf(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  const index = marksIndexOf(slots)
  return index < slots.values.length
    ? (slots.values[index] as readonly string[] | undefined)
    : undefined
}

/**
 * Sets an object's marks, in place of those it has.
 * @throws PERSISTENCE_OUTSIDE_TRANSACTION, PERSISTENCE_READ_ONLY_TRANSACTION, PERSISTENCE_BROKEN_OBJECT
 * @internal
 */
export function setMarks(object: Persistent, marks: readonly string[] | undefined): void {
  const isNone = marks === undefined || marks.length === 0
  if (isNone && marksOf(object) === undefined) return
  const values = workingValues(object, slotsOf(object))
  noteMarkedClass(slotsOf(object).layout.constructor)
  values[marksIndexOf(slotsOf(object))] = isNone ? undefined : Object.freeze([...marks])
}

/**
 * Has `listener` called for each class as soon as an object of it may have marks: when the first one
 * gets some, or before the first one that has some is read. There is one listener at a time.
 * @internal
 */
export function setMarkedClassListener(listener: (persistentClass: PersistentClass) => void): void {
  markedClassListener = listener
}

/** Objects of the class may have marks. */
export function noteMarkedClass(persistentClass: PersistentClass): void {
  if (markedClasses.has(persistentClass)) return
  markedClasses.add(persistentClass)
  markedClassListener?.(persistentClass)
}

const markedClasses = new WeakSet<PersistentClass>()
let markedClassListener: ((persistentClass: PersistentClass) => void) | undefined

/** Behind the fields; among them in the layout of a state that has marks, and of a stand-in. */
function marksIndexOf(slots: Slots): number {
  if (slots.committed !== undefined) return slots.committed.layout.marksIndex
  const { names, isBroken, isPassing } = slots.layout
  const index = isBroken || isPassing ? names.indexOf(MARKS_FIELD_NAME) : -1
  return index === -1 ? names.length : index
}
