import type { PersistentClass } from './class-layout.js'
import { InvalidClassError } from './errors.js'

/** Which class a stored name means. One per process: classes are the program's. */
const classesByName = new Map<string, PersistentClass>()
const namesByClass = new WeakMap<PersistentClass, string>()

/** @public */
export interface StoredOptions {
  /**
   * Names that the class had before. Objects stored under them are of this class, and get the
   * present name when they are written again; nothing else has to be done for a new name.
   */
  readonly formerly?: readonly string[]
}

/**
 * Gives a class its name on disk, which may differ from its name in the program and outlives it.
 *
 * ```ts
 * @stored('employees.Employee')
 * class Employee extends Persistent { @field accessor title = '' }
 *
 * @stored('staff.Employee', { formerly: ['employees.Employee'] })
 * ```
 * @throws PERSISTENCE_INVALID_CLASS when a name is empty or taken by another class.
 * @public
 */
export function stored(name: string, options: StoredOptions = {}) {
  return <C extends PersistentClass>(persistentClass: C, _context?: unknown): void => {
    registerClass(persistentClass, name, options)
  }
}

/** @internal */
export function registerClass(
  persistentClass: PersistentClass,
  name: string,
  { formerly = [] }: StoredOptions = {},
): void {
  const names = [name, ...formerly]
  for (const one of names) refuseName(persistentClass, one)
  for (const one of names) classesByName.set(one, persistentClass)
  nameClass(persistentClass, name)
}

function refuseName(persistentClass: PersistentClass, name: string): void {
  if (name === '')
    throw new InvalidClassError(`${persistentClass.name} needs a stored name with text`)
  const holder = classesByName.get(name)
  if (holder !== undefined && holder !== persistentClass) {
    throw new InvalidClassError(
      `The stored name ${name} belongs to the class ${holder.name}; ${persistentClass.name} needs one of its own`,
    )
  }
}

/** Gives a class its stored name without making it the name's class: for stand-ins. @internal */
export function nameClass(persistentClass: PersistentClass, name: string): void {
  namesByClass.set(persistentClass, name)
}

/** The class of a stored name, present or former; `undefined` when this program has none. @public */
export function classNamed(name: string): PersistentClass | undefined {
  return classesByName.get(name)
}

/** The stored name of exactly this class, or `undefined`. @public */
export function storedNameOf(persistentClass: PersistentClass): string | undefined {
  return namesByClass.get(persistentClass)
}
