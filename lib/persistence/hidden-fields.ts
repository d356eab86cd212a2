import { describeObject } from './describe.js'
import { InvalidClassError } from './errors.js'
import { type Persistent, slotsOf } from './persistent.js'

/**
 * @throws PERSISTENCE_INVALID_CLASS when an own property hides a declared field: what is written to
 * it would be lost.
 */
export function refuseHiddenFields(object: Persistent): void {
  for (const name of slotsOf(object).layout.guardedNames) {
    if (Object.hasOwn(object, name)) {
      throw new InvalidClassError(
        `${describeObject(object)} has an own property ${name} that hides the declared field of that name, ` +
          'so it would not be stored. Write `@field accessor` in the class, or remove the class field.',
      )
    }
  }
}
