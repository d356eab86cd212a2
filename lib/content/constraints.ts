import {
  type Class,
  implementedBy,
  providedBy,
  type Requirable,
  type Specification,
  specificationOf,
} from '../component/index.js'
import { CycleError, InvalidContainerError, InvalidItemError } from './errors.js'
import { IContainer } from './interfaces.js'
import { describe, lineage } from './location.js'

/**
 * An interface, a class, or a function that gives one: for a class that is declared further down, or
 * in a module that imports this one.
 * @public
 */
export type Kind = Requirable | (() => Requirable)

/**
 * Looks at an item before it enters a container.
 * @returns why it may not, as the end of a sentence; `undefined` when it may.
 * @public
 */
export type Precondition = (container: object, name: string, item: object) => string | undefined

const CONTAINS: unique symbol = Symbol('treehook.contains')
const CONTAINERS: unique symbol = Symbol('treehook.containers')
const PRECONDITIONS: unique symbol = Symbol('treehook.preconditions')

/** What the three functions below leave on a class; classes that extend it inherit that. */
interface Constraints {
  readonly name: string
  readonly [CONTAINS]?: readonly Kind[]
  readonly [CONTAINERS]?: readonly Kind[]
  readonly [PRECONDITIONS]?: readonly Precondition[]
}

type Decorator = <C extends Class>(someClass: C, context?: ClassDecoratorContext) => C

/**
 * Declares what objects of a class of containers may contain: objects of any of the kinds, and
 * nothing else. A class that extends it inherits that, or declares its own in its place.
 *
 * ```ts
 * @contains(Employee, () => Department)
 * class Department extends Folder { … }
 * ```
 *
 * Every way of adding, copying and moving obeys. What is inside already stays.
 *
 * @throws COMPONENT_INVALID_REGISTRATION for what is no kind.
 * @see `zope.container.constraints.contains`, which only tools obey.
 * @public
 */
export function contains(...kinds: readonly Kind[]): Decorator {
  return declaring(CONTAINS, checked(kinds))
}

/**
 * Declares in what objects of a class may be: in containers of any of the kinds, and nowhere else.
 * Inherited as {@link contains}.
 *
 * @throws COMPONENT_INVALID_REGISTRATION for what is no kind.
 * @see `zope.container.constraints.containers`
 * @public
 */
export function containers(...kinds: readonly Kind[]): Decorator {
  return declaring(CONTAINERS, checked(kinds))
}

/**
 * Declares a rule that the kind alone does not decide, for a class of containers. Rules add up, those
 * of base classes first.
 *
 * ```ts
 * @precondition((office, _name, _employee) => (office as Office).isClosed ? 'it is closed' : undefined)
 * ```
 * @see `zope.container.interfaces`, preconditions of `__setitem__`.
 * @public
 */
export function precondition(rule: Precondition): Decorator {
  return (someClass) => {
    const inherited = (someClass as unknown as Constraints)[PRECONDITIONS] ?? []
    return declaring(PRECONDITIONS, [...inherited, rule])(someClass)
  }
}

/**
 * Whether `item` may be put into `container` under `name`, in this order: the container takes items of
 * its kind, and its preconditions hold; it is not the container, nor above it; it may be in such a
 * container. Whether the name is free is not looked at.
 *
 * @throws CONTENT_INVALID_ITEM, CONTENT_CYCLE, CONTENT_INVALID_CONTAINER
 * @see `zope.container.constraints.checkObject`
 * @public
 */
export function checkItem(container: object, name: string, item: object): void {
  refuseForContainer(container, name, item)
  refuseCycle(container, item)
  refuseForItem(container, item)
}

/** The same for a copy of `item`, which cannot be above anything. */
export function checkCopy(container: object, name: string, item: object): void {
  refuseForContainer(container, name, item)
  refuseForItem(container, item)
}

/**
 * Whether objects of a class may be in a container, as far as their kind decides.
 * @see `zope.container.constraints.checkFactory`
 * @public
 */
export function checkFactory(container: object, itemClass: Class): boolean {
  const allowed = constraintsOf(container)[CONTAINS]
  if (allowed !== undefined && !isOneOf(implementedBy(itemClass), allowed)) return false
  const places = (itemClass as unknown as Constraints)[CONTAINERS]
  return IContainer.providedBy(container) && isAllowedIn(container, places)
}

function refuseForContainer(container: object, name: string, item: object): void {
  const { [CONTAINS]: allowed, [PRECONDITIONS]: rules } = constraintsOf(container)
  if (allowed !== undefined && !isOneOf(providedBy(item), allowed)) {
    throw new InvalidItemError(
      `${describe(container)} cannot hold ${describe(item)} as ${JSON.stringify(name)}: it contains ${inWords(allowed)}`,
    )
  }
  for (const rule of rules ?? []) {
    const reason = rule(container, name, item)
    if (reason === undefined) continue
    throw new InvalidItemError(
      `${describe(container)} cannot hold ${describe(item)} as ${JSON.stringify(name)}: ${reason}`,
    )
  }
}

function refuseCycle(container: object, item: object): void {
  for (const above of lineage(container)) {
    if (above !== item) continue
    throw new CycleError(
      `${describe(item)} cannot be put into ${describe(container)}, which is ${above === container ? 'the same object' : 'inside it'}`,
    )
  }
}

function refuseForItem(container: object, item: object): void {
  if (!IContainer.providedBy(container)) {
    throw new InvalidContainerError(
      `${describe(container)} is no container, so ${describe(item)} cannot be in it`,
    )
  }
  const places = constraintsOf(item)[CONTAINERS]
  if (isAllowedIn(container, places)) return
  throw new InvalidContainerError(
    `${describe(item)} cannot be in ${describe(container)}: it is contained by ${inWords(places ?? [])}`,
  )
}

function isAllowedIn(container: object, places: readonly Kind[] | undefined): boolean {
  return places === undefined || isOneOf(providedBy(container), places)
}

function isOneOf(specification: Specification, kinds: readonly Kind[]): boolean {
  return kinds.some((kind) => specification.extendsOrIs(specificationOf(kindOf(kind))))
}

function inWords(kinds: readonly Kind[]): string {
  if (kinds.length === 0) return 'nothing'
  return kinds.map((kind) => nameOfKind(kindOf(kind))).join(' or ')
}

function nameOfKind(kind: Requirable): string {
  return typeof kind === 'function' ? kind.name : specificationOf(kind).id
}

/** Classes have a prototype, arrow functions have none. */
function kindOf(kind: Kind): Requirable {
  return isLate(kind) ? kind() : kind
}

function isLate(kind: Kind): kind is () => Requirable {
  return typeof kind === 'function' && kind.prototype === undefined
}

function checked(kinds: readonly Kind[]): readonly Kind[] {
  for (const kind of kinds) if (!isLate(kind)) specificationOf(kind)
  return Object.freeze([...kinds])
}

function constraintsOf(object: object): Constraints {
  return object.constructor as unknown as Constraints
}

function declaring(key: symbol, value: unknown): Decorator {
  return (someClass) => {
    Object.defineProperty(someClass, key, { value, configurable: true })
    return someClass
  }
}
