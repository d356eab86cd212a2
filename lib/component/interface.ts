import { InvalidRegistrationError } from './errors.js'
import type { Interface, Specification } from './interfaces.js'
import { IAny, InterfaceSpecification, raiseSpecificationStamp } from './specification.js'

/**
 * Makes the token of an interface. Give it the name of its type:
 *
 * ```ts
 * export interface IFolder extends IContainer { … }
 * export const IFolder = defineInterface<IFolder>('treehook.IFolder', { extends: [IContainer] })
 * ```
 *
 * Every interface extends `IAny`; without `extends` it extends nothing else.
 *
 * @param name - prefixed by a package, without spaces; it is stored, so it outlives the program.
 * @throws COMPONENT_INVALID_REGISTRATION when the name is taken or no name.
 * @throws COMPONENT_INCONSISTENT_ORDER when the extended ones contradict each other's order.
 * @see `zope.interface.Interface`
 * @public
 */
export function defineInterface<T = unknown>(
  name: string,
  { extends: extended = [], members = [] }: InterfaceOptions<T> = {},
): Interface<T> {
  if (typeof name !== 'string' || !/^\S+$/.test(name)) {
    throw new InvalidRegistrationError(
      `${JSON.stringify(name)} cannot name an interface. Use a name such as 'shop.IOrder'.`,
    )
  }
  if (interfaces.has(name)) {
    throw new InvalidRegistrationError(
      `The interface ${name} is defined already. Import that one, or choose another name.`,
      { details: { name } },
    )
  }
  const bases = extended.filter((one) => one !== IAny)
  const made = new InterfaceSpecification<T>(name, bases.length === 0 ? [IAny] : bases, members)
  interfaces.set(name, made)
  for (const one of made.resolutionOrder) extenders.get(one)?.push(made)
  extenders.set(made, [made])
  standIns.delete(name)
  // A database may have registrations for it, which nobody could find before.
  raiseSpecificationStamp()
  return made
}

/** @public */
export interface InterfaceOptions<T = unknown> {
  /** What it extends; first the one whose registrations win. */
  readonly extends?: readonly Interface[]
  /** Names that an object must have to keep the promise; `verifyObject` looks for them. */
  readonly members?: readonly MemberOf<T>[]
}

/** The names of an interface's members; any text when its type is not known. */
type MemberOf<T> = unknown extends T ? string : keyof T & string

/** The interface of that name, or `undefined`: what stored names are read with. @public */
export function interfaceNamed(name: string): Interface | undefined {
  return interfaces.get(name)
}

/**
 * The interface of a name with which something was declared once. In place of one that this program
 * lacks another one stands in, which extends `IAny` alone: so what was declared stays declared.
 * @internal
 */
export function declaredInterface(name: string): Interface {
  const known = interfaces.get(name) ?? standIns.get(name)
  if (known !== undefined) return known
  const standIn = new InterfaceSpecification(name, [IAny], [])
  standIns.set(name, standIn)
  return standIn
}

/** The interface, and all that extend it, in the order of their definition. @internal */
export function extendersOf(someInterface: Interface): readonly Interface[] {
  return extenders.get(someInterface) ?? [someInterface]
}

const standIns = new Map<string, Interface>() // by name
const extenders = new Map<Specification, Interface[]>([[IAny, [IAny]]])
const interfaces = new Map<string, Interface>([[IAny.name, IAny]])
