import { valuesToStore } from './custom-state.js'
import { isPersistent, type Persistent, slotsOf } from './persistent.js'
import { isPlainObject, isPure } from './stored-value.js'
import { givenTarget, WeakReference } from './weak-reference.js'

type Visit = (object: Persistent) => void

/**
 * Calls `visit` with each object that a changed or new object holds: in its fields, in nested values
 * as they are now, in what its `getState` gives, and in the part of its tree that was changed since
 * the last savepoint; weakly held ones, too. What it holds by reference was stored before, and is
 * left out. Loads nothing.
 */
export function visitHeldObjects(object: Persistent, visit: Visit): void {
  const slots = slotsOf(object)
  const values = slots.values.slice()
  slots.nested?.collect(values)
  for (const value of values) visitIn(value, visit)
  if (slots.layout.hasGetState) {
    for (const value of valuesToStore(object, slots)) visitIn(value, visit)
  }
  for (const value of slots.tree?.recentValues() ?? []) visitIn(value, visit)
}

function visitIn(value: unknown, visit: Visit): void {
  if (typeof value !== 'object' || value === null) return
  if (isPersistent(value)) visit(value)
  else if (value instanceof WeakReference) visitIn(givenTarget(value), visit)
  else if (Object.isFrozen(value) && isPure(value)) return
  else if (Array.isArray(value) || value instanceof Set || value instanceof Map) {
    value.forEach((item: unknown) => {
      visitIn(item, visit)
    })
  } else if (isPlainObject(value)) {
    for (const item of Object.values(value)) visitIn(item, visit)
  }
}
