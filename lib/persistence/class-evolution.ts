import { type ClassRow, formatOid, type Oid } from '../storage/index.js'
import { isTreeField, MARKS_FIELD_NAME, type PersistentClass } from './class-layout.js'
import { EvolutionError } from './errors.js'
import { freezeDecoded, importValue, type Referrer, toCommitted } from './stored-value.js'

/**
 * What a class may have beside its fields, as a static method. It is called for each object that was
 * stored by a version of the class with other fields, when the object is loaded, and makes the
 * present values of the earlier ones:
 *
 * ```ts
 * static evolve({ name }: { name: string }) {
 *   const [first, last] = name.split(' ')
 *   return { first, last }
 * }
 * ```
 *
 * Fields that it does not return are matched by name as they are without it. Fields that the class
 * has no more are gone with the next write of the object; without `evolve` they would be kept.
 * Nothing is written until the object is changed. The method is pure: it is called once for each
 * object and cache, and all connections share what it returns. Objects referred to are stubs, that
 * may be put elsewhere and tell nothing.
 * @public
 */
export interface EvolvingClass {
  /** @param stored - values by the names that they were stored under. Frozen. */
  evolve(stored: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>
}

/** Puts the values that the class makes of `stored` into `values`. */
export type Evolver = (values: unknown[], stored: readonly unknown[], oid: Oid) => void

/** How objects of `row` become objects of the class; `undefined` when it has no say in it. */
export function evolverOf(
  persistentClass: PersistentClass,
  row: ClassRow,
  names: readonly string[],
): Evolver | undefined {
  const { evolve } = persistentClass as unknown as Partial<EvolvingClass>
  if (typeof evolve !== 'function') return undefined
  return (values, stored, oid) => {
    try {
      const old = storedByName(row, stored)
      putValues(values, names, evolve.call(persistentClass as unknown as EvolvingClass, old))
    } catch (cause) {
      throw new EvolutionError(
        `The object with oid ${formatOid(oid)} was stored as ${row.name} with the fields ${row.fields.join(', ')}, ` +
          `and ${persistentClass.name}.evolve failed: ${(cause as Error).message}`,
        { cause, details: { oid: formatOid(oid), storedName: row.name } },
      )
    }
  }
}

function storedByName(
  { fields }: ClassRow,
  stored: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const entries = fields.map((name, index) => [name, stored[index]] as const)
  const old = Object.fromEntries(entries.filter(([name]) => isOfClass(name)))
  freezeDecoded(old)
  return old
}

function isOfClass(name: string): boolean {
  return !isTreeField(name) && name !== MARKS_FIELD_NAME
}

function putValues(
  values: unknown[],
  names: readonly string[],
  evolved: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(evolved)) {
    const index = names.indexOf(name)
    if (index === -1) throw new TypeError(`it returned ${name}, which is no field of the class`)
    values[index] = toCommitted(importValue(value, name), STUBS_ONLY)
  }
}

const STUBS_ONLY: Referrer = {
  refer: () => {
    throw new TypeError('it returned an object; a state that all connections share has none')
  },
  referWeakly: (weak) => weak,
}
