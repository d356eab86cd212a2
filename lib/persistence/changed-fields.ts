import { MARKS_FIELD_NAME } from './class-layout.js'
import { isPersistent, type Persistent, slotsOf } from './persistent.js'
import { Reference } from './reference.js'

/**
 * The names of the fields that the running transaction has changed, as they stand in the class: those
 * assigned another value, and those whose array, object, map, set, Date or binary data was changed.
 * Items of a tree are no field. Empty for an object that was never stored, and outside transactions.
 * Loads nothing.
 * @public
 */
export function changedFieldsOf(object: Persistent): readonly string[] {
  const { committed, values, layout, nested, changed } = slotsOf(object)
  if (committed === undefined || (!changed && nested?.hasChangedCopies !== true)) return []
  const before = committed.values
  return layout.names.filter(
    (name, index) =>
      index !== layout.treeIndex &&
      name !== MARKS_FIELD_NAME &&
      (!isSame(before[index], values[index]) || nested?.isChanged(index) === true),
  )
}

function isSame(before: unknown, now: unknown): boolean {
  if (Object.is(before, now)) return true
  if (!(before instanceof Reference) || typeof now !== 'object' || now === null) return false
  if (now instanceof Reference) return now.oid === before.oid
  return isPersistent(now) && slotsOf(now).oid === before.oid
}
