import type { Oid, Tid } from '../storage/index.js'
import { formatOid, NO_TID } from '../storage/index.js'
import { layoutOf, type PersistentClass } from './class-layout.js'
import { storedNameOf } from './class-registry.js'
import { BrokenObjectError } from './errors.js'
import { GHOST, NO_OID, Slots } from './slots.js'

// Given by the class below, the only place that sees its private field.

/** The record behind a persistent object. @internal */
export let slotsOf: (object: Persistent) => Slots

/** True for persistent objects of any class. @public */
export let isPersistent: (value: object) => value is Persistent

/**
 * Base class of everything that is stored on its own. Declare what is stored with
 * `@field accessor`, and the name on disk with `@stored(name)`; any other property is volatile: it
 * lives with this object in memory, and is gone when the object is evicted or reloaded.
 *
 * Loading an object runs no constructor but this one. So a class of persistent objects has no
 * `#private` members: they exist only where a constructor made them. Use TypeScript's `private`.
 *
 * Source: `persistent.Persistent`; there is no `_p_changed`, because every write is noticed.
 * @public
 */
export class Persistent {
  readonly #slots: Slots

  constructor() {
    const slots = given ?? Slots.ofNew(layoutOf(new.target))
    given = undefined
    this.#slots = slots
  }

  static {
    slotsOf = (object) => object.#slots
    isPersistent = (value): value is Persistent => #slots in value
  }
}

/** What the constructor above takes for an object that is made without its class's own constructor. */
let given: Slots | undefined

/** Makes the object behind `slots`, without running its class's own constructor. */
export function makeObject(slots: Slots): Persistent {
  const { layout } = slots
  given = slots
  const object = Reflect.construct(Persistent, NO_ARGUMENTS, layout.constructor) as Persistent
  if (layout.isBroken) Object.preventExtensions(object)
  return object
}

const NO_ARGUMENTS: readonly never[] = []

/** Where an object stands between memory and disk. @public */
export type ObjectState = 'unsaved' | 'ghost' | 'upToDate' | 'changed'

/** @see ZODB's `_p_state`. @public */
export function stateOf(object: Persistent): ObjectState {
  const slots = slotsOf(object)
  if (slots.oid === NO_OID) return 'unsaved'
  if (slots.changed) return 'changed'
  return slots.generation === GHOST ? 'ghost' : 'upToDate'
}

/** The object's identity in its database; `undefined` until it is added. @public */
export function oidOf(object: Persistent): Oid | undefined {
  const { oid } = slotsOf(object)
  return oid === NO_OID ? undefined : oid
}

/** The commit that last wrote this object, as far as this connection knows. ZODB's serial. @public */
export function serialOf(object: Persistent): Tid {
  const slots = slotsOf(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  return slots.committed?.serial ?? NO_TID
}

/**
 * About how many bytes the object's stored state takes in memory, without the objects it refers to;
 * 0 for one that was never stored. Loads the state. ZODB's `_p_estimated_size`. @public
 */
export function estimatedSizeOf(object: Persistent): number {
  const slots = slotsOf(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  return slots.committed?.bytes ?? 0
}

/** The object's working copy, made at its first write in a transaction or after a savepoint. */
export function workingValues(object: Persistent, slots: Slots): unknown[] {
  slots.owner.assertWritable(object)
  if (slots.generation !== slots.owner.generation) slots.owner.activate(object)
  if (slots.writtenIn !== slots.owner.stamp) {
    if (slots.layout.isBroken && slots.oid !== NO_OID) throw cannotChange(slots)
    if (slots.writtenIn === AWAITED) awaitedChanges.get(object)?.()
    else slots.owner.registerChanged(object)
  }
  return slots.values
}

/**
 * Calls `listener` before each write to an object as long as that is in no database: who made it
 * stores it then, or throws. An object that was added, and let go by a rollback, is awaited again.
 * @internal
 */
export function awaitChanges(object: Persistent, listener: () => void): void {
  awaitedChanges.set(object, listener)
  slotsOf(object).writtenIn = AWAITED
}

/** `slots.writtenIn` of an object that is nobody's: it was never written as far as a database goes. */
export function unwritten(object: Persistent): number {
  return awaitedChanges.has(object) ? AWAITED : 0
}

/** `slots.writtenIn` of a new object whose changes somebody waits for: no owner's stamp. */
const AWAITED = -2
const awaitedChanges = new WeakMap<Persistent, () => void>()

function cannotChange({ layout, oid }: Slots): BrokenObjectError {
  const storedName = storedNameOf(layout.constructor)
  return new BrokenObjectError(
    `The object with oid ${formatOid(oid)} cannot be changed: it is stored as ${storedName}, and no class ` +
      `of this program has that stored name. Import the module that declares @stored('${storedName}').`,
    { details: { oid: formatOid(oid), storedName } },
  )
}

export type { PersistentClass }
