import {
  type Class,
  type Interface,
  InvalidRegistrationError,
  implementedBy,
  interfaceNamed,
  type Specification,
  specificationWith,
} from '../component/index.js'
import { classNamed, type PersistentClass, storedNameOf } from '../persistence/index.js'

/**
 * A specification as the database keeps it: by names, so that what is read back is the live one and
 * in step with what the class declares now.
 *
 * | kind      | stored                                                 |
 * | --------- | ------------------------------------------------------ |
 * | interface | `{ interface: 'treehook.IFolder' }`                    |
 * | class     | `{ class: 'employees.Employee' }`                      |
 * | object    | `{ class: 'employees.Employee', provides: ['shop.IX'] }` |
 */
export type StoredSpecification =
  | { readonly interface: string }
  | { readonly class: string; readonly provides?: readonly string[] }

/** @throws COMPONENT_INVALID_REGISTRATION when it names a class without a stored name. */
export function toStoredSpecification(specification: Specification): StoredSpecification {
  if (specification.kind === 'interface') return { interface: (specification as Interface).name }
  const someClass = specification.inherit as Class
  const name = storedNameOf(someClass as unknown as PersistentClass)
  if (name === undefined) {
    throw new InvalidRegistrationError(
      `${specification.id} cannot be stored: give the class ${someClass.name} a stored name with @stored, or use an interface`,
    )
  }
  if (specification.kind === 'class') return { class: name }
  return { class: name, provides: specification.declared.map((one) => one.name) }
}

/** @throws COMPONENT_INVALID_REGISTRATION when this program lacks the class or interface. */
export function fromStoredSpecification(stored: StoredSpecification): Specification {
  if ('interface' in stored) return knownInterface(stored.interface)
  const someClass = classNamed(stored.class)
  if (someClass === undefined) throw unknown('class', stored.class)
  if (stored.provides === undefined) return implementedBy(someClass as unknown as Class)
  return specificationWith(someClass as unknown as Class, stored.provides.map(knownInterface))
}

/**
 * True when this program has all the classes and interfaces that it names. None of its objects fits a
 * specification that names others.
 */
export function isKnownSpecification(stored: StoredSpecification): boolean {
  if ('interface' in stored) return interfaceNamed(stored.interface) !== undefined
  return (
    classNamed(stored.class) !== undefined &&
    stored.provides?.every((name) => interfaceNamed(name) !== undefined) !== false
  )
}

/** Text that is equal for equal specifications; what rows are keyed by. */
export function specificationKey(specification: Specification): string {
  const stored = toStoredSpecification(specification)
  if ('interface' in stored) return `i:${stored.interface}`
  return `c:${stored.class}${stored.provides === undefined ? '' : `+${stored.provides.join('+')}`}`
}

/** The key, or `undefined` for a specification that cannot be stored: no row can name it. */
export function querySpecificationKey(specification: Specification): string | undefined {
  if (specification.kind !== 'interface') {
    const someClass = specification.inherit as unknown as PersistentClass
    if (storedNameOf(someClass) === undefined) return undefined
  }
  return specificationKey(specification)
}

function knownInterface(name: string): Interface {
  const known = interfaceNamed(name)
  if (known === undefined) throw unknown('interface', name)
  return known
}

function unknown(kind: string, name: string): InvalidRegistrationError {
  return new InvalidRegistrationError(
    `The database names the ${kind} ${name}, which this program does not have; import the module that declares it`,
    { details: { name } },
  )
}
