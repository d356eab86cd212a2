import { InvalidRegistrationError } from './errors.js'
import type { Class, Interface, Requirable, Specification } from './interfaces.js'
import { linearize } from './resolution-order.js'

/**
 * The specification behind a requirement: a class's, or itself.
 * @throws COMPONENT_INVALID_REGISTRATION for anything else.
 * @internal
 */
export function specificationOf(requirement: Requirable): Specification {
  if (typeof requirement === 'function') return implementedBy(requirement)
  if (requirement instanceof InterfaceSpecification || requirement instanceof OpenSpecification) {
    return requirement
  }
  throw new InvalidRegistrationError(
    `An interface, class or specification is required here, not ${String(requirement)}.`,
  )
}

/**
 * What `object` provides: its class's specification, or one of its own when it provides more
 * directly. Objects of one class with the same direct interfaces share it. Costs one lookup by the
 * prototype as long as no object of the class provides anything directly.
 *
 * Values that are no objects count as their wrappers do; `null` and `undefined` provide `IAny` alone.
 *
 * @see `zope.interface.declarations.providedBy`
 * @public
 */
export function providedBy(object: unknown): Specification {
  if (object === null || object === undefined) return IAny
  const prototype: object | null = Object.getPrototypeOf(object)
  const ofClass =
    (prototype === null ? undefined : classSpecifications.get(prototype)) ??
    classSpecificationOf(prototype)
  if (!ofClass.mayProvideDirectly) return ofClass
  return ofClass.with(
    ofClass.keepsDeclarations
      ? (object as DirectlyProviding)[DIRECTLY_PROVIDED]
      : declaredInMemory.get(object),
  )
}

/**
 * What instances of `someClass` provide. Always the same object for a class; its order grows when
 * `implementer` is called later.
 *
 * @throws COMPONENT_INVALID_REGISTRATION for a function without a prototype.
 * @see `zope.interface.declarations.implementedBy`
 * @public
 */
export function implementedBy(someClass: Class): Specification {
  return liveSpecification(someClass)
}

/**
 * What an instance of `someClass` provides that provides `direct` as well, without such an instance:
 * for `lookup`, or as a requirement. Always the same object for the same list. A union of interfaces
 * alone is that of `Object` with them.
 * @throws COMPONENT_INCONSISTENT_ORDER
 * @see `zope.interface.declarations.Declaration`
 * @public
 */
export function specificationWith(someClass: Class, direct: readonly Interface[]): Specification {
  return liveSpecification(someClass).with(direct)
}

/**
 * The getter and setter under this symbol, defined on a class, keep the direct declarations of its
 * instances, in place of the table in memory: `readonly Interface[] | undefined`. An array that was
 * given or taken is never changed afterwards; giving the same one again is fast. It is asked for
 * objects of classes for which {@link mayDeclareDirectly} was called.
 * @public
 */
export const DIRECTLY_PROVIDED: unique symbol = Symbol('treehook.directlyProvided')

/**
 * Says that instances of exactly this class may provide something directly: of others it is not asked.
 * `alsoProvides` and the like say so themselves; whoever loads instances from elsewhere calls it.
 * @public
 */
export function mayDeclareDirectly(someClass: Class): void {
  liveSpecification(someClass).mayProvideDirectly = true
}

/**
 * Rises when a specification that was in use changed its order: what was concluded from orders under
 * another stamp is void.
 * @public
 */
export function specificationStamp(): number {
  return stamp
}

let stamp = 0

/** Makes void what was concluded so far. @internal */
export function raiseSpecificationStamp(): void {
  stamp += 1
}

/** An interface as a token. Made by `defineInterface`. @internal */
export class InterfaceSpecification<T> implements Interface<T> {
  readonly kind = 'interface'
  readonly name: string
  readonly members: readonly string[]
  readonly declared: readonly Interface[]
  readonly resolutionOrder: readonly Specification[]
  readonly inherit = undefined
  readonly #extended: ReadonlySet<Specification>

  /** @throws COMPONENT_INCONSISTENT_ORDER */
  constructor(name: string, extended: readonly Interface[], members: readonly string[]) {
    this.name = name
    this.declared = Object.freeze([...extended])
    this.members = Object.freeze([...members])
    this.resolutionOrder = linearize<Specification>(this, this.declared)
    this.#extended = new Set(this.resolutionOrder)
    Object.freeze(this)
  }

  get id(): string {
    return this.name
  }

  extendsOrIs(other: Specification): boolean {
    return this.#extended.has(other)
  }

  flattened(): readonly Interface[] {
    return interfacesOf(this.resolutionOrder)
  }

  providedBy(object: unknown): object is T {
    return providedBy(object).extendsOrIs(this)
  }

  implementedBy(someClass: Class): boolean {
    return implementedBy(someClass).extendsOrIs(this)
  }

  toString(): string {
    return this.name
  }
}

function interfacesOf(order: readonly Specification[]): readonly Interface[] {
  return order.filter((item): item is Interface => item.kind === 'interface')
}

/**
 * The most general interface: everything provides it. zope's `Interface`.
 * @public
 */
export const IAny: Interface = new InterfaceSpecification('treehook.IAny', [], [])

/** A specification whose order can grow: it is computed when read under a newer stamp. */
abstract class OpenSpecification implements Specification {
  abstract readonly kind: 'class' | 'object'
  readonly id: string
  readonly inherit: Class
  readonly #base: OpenSpecification | undefined
  readonly #dependents = new Set<WeakRef<OpenSpecification>>() // those based on this one
  #declared: readonly Interface[]
  #order: readonly Specification[] = []
  #extended: ReadonlySet<Specification> = new Set()
  #computedAt = -1 // the stamp under which the order was last computed

  /** @throws COMPONENT_INCONSISTENT_ORDER */
  protected constructor({ id, inherit, base, declared }: Ingredients) {
    this.id = id
    this.inherit = inherit
    this.#base = base
    this.#declared = declared
    // At once, so that an order that cannot be is found by whoever declares, not by some lookup.
    if (declared.length > 0) this.#compute()
    if (base !== undefined) base.#dependents.add(new WeakRef(this))
  }

  get declared(): readonly Interface[] {
    return this.#declared
  }

  get resolutionOrder(): readonly Specification[] {
    if (this.#computedAt !== stamp) this.#compute()
    return this.#order
  }

  extendsOrIs(other: Specification): boolean {
    if (this.#computedAt !== stamp) this.#compute()
    return this.#extended.has(other)
  }

  flattened(): readonly Interface[] {
    return interfacesOf(this.resolutionOrder)
  }

  toString(): string {
    return this.id
  }

  /**
   * Declares `interfaces` in place of what was, or changes nothing.
   * @throws COMPONENT_INCONSISTENT_ORDER when this one, or one based on it, cannot be ordered then.
   */
  protected redeclare(interfaces: readonly Interface[]): void {
    const before = this.#declared
    this.#declare(interfaces)
    try {
      this.#computeAll()
    } catch (error) {
      this.#declare(before)
      throw error
    }
  }

  #declare(interfaces: readonly Interface[]): void {
    this.#declared = interfaces
    // An order that nobody has read yet is in nobody's conclusions.
    if (this.#computedAt !== -1) stamp += 1
  }

  #computeAll(): void {
    this.#compute()
    for (const reference of this.#dependents) {
      const dependent = reference.deref()
      if (dependent === undefined) this.#dependents.delete(reference)
      else dependent.#computeAll()
    }
  }

  #compute(): void {
    const base = this.#base
    this.#order = linearize<Specification>(this, [...this.#effective(base), base ?? IAny])
    this.#extended = new Set(this.#order)
    this.#computedAt = stamp
  }

  /**
   * Without what the base or another declaration already says: it would demand a second place for
   * it. As `zope.interface.declarations._classImplements_ordered` and `Provides` do.
   */
  #effective(base: OpenSpecification | undefined): readonly Interface[] {
    return this.#declared.filter(
      (one) =>
        one !== IAny &&
        base?.extendsOrIs(one) !== true &&
        !this.#declared.some((other) => other !== one && other.extendsOrIs(one)),
    )
  }
}

interface Ingredients {
  readonly id: string
  readonly inherit: Class
  readonly base: OpenSpecification | undefined
  readonly declared: readonly Interface[]
}

/** What a class's instances provide, and the family of specifications of its instances. @internal */
export class ClassSpecification extends OpenSpecification {
  readonly kind = 'class'
  /** True: instances themselves keep what they provide directly. */
  readonly keepsDeclarations: boolean
  /** False: no instance provides anything directly, as far as this process knows. */
  mayProvideDirectly = false
  readonly #byLists = new Map<string, ObjectSpecification[]>() // by names of the list
  readonly #byList = new WeakMap<readonly Interface[], ObjectSpecification>()

  constructor(inherit: Class, base: ClassSpecification | undefined) {
    super({ id: freshId(inherit), inherit, base, declared: [] })
    this.keepsDeclarations = DIRECTLY_PROVIDED in (inherit.prototype as object)
  }

  /** @throws COMPONENT_INCONSISTENT_ORDER, and then nothing is declared. */
  declare(interfaces: readonly Interface[]): void {
    this.redeclare(Object.freeze([...new Set([...this.declared, ...interfaces])]))
  }

  /**
   * The specification of instances that provide `direct` as well.
   * @throws COMPONENT_INCONSISTENT_ORDER
   */
  with(direct: readonly Interface[] | undefined): Specification {
    if (direct === undefined || direct.length === 0) return this
    return this.#byList.get(direct) ?? this.#find(direct)
  }

  #find(direct: readonly Interface[]): ObjectSpecification {
    const id = [this.id, ...direct.map(({ name }) => name)].join(' & ')
    // Of one name there may be two: an interface, and what stood in for it before it was defined.
    const sameNames = this.#byLists.get(id) ?? []
    let found = sameNames.find(({ declared }) => declared.every((one, at) => one === direct[at]))
    if (found === undefined) {
      found = new ObjectSpecification(id, this, Object.freeze([...direct]))
      this.#byLists.set(id, [...sameNames, found])
    }
    this.#byList.set(direct, found)
    return found
  }
}

class ObjectSpecification extends OpenSpecification {
  readonly kind = 'object'

  constructor(id: string, base: ClassSpecification, declared: readonly Interface[]) {
    super({ id, inherit: base.inherit, base, declared })
  }
}

function freshId({ name }: Class): string {
  const plain = name === '' ? '(anonymous)' : name
  const count = (idCounts.get(plain) ?? 0) + 1
  idCounts.set(plain, count)
  return count === 1 ? `class ${plain}` : `class ${plain}#${count}`
}

const idCounts = new Map<string, number>() // class name → classes of that name so far

/** The class's specification with its inner side. @internal */
export function liveSpecification(someClass: Class): ClassSpecification {
  const { prototype } = someClass
  if (typeof someClass !== 'function' || typeof prototype !== 'object' || prototype === null) {
    throw new InvalidRegistrationError(
      `${String(someClass)} has no instances, so it cannot say what they provide. Use a class.`,
    )
  }
  return classSpecificationOf(prototype)
}

/** By the prototype, for that is what an instance has. `null` counts as `Object`'s. @internal */
export function classSpecificationOf(prototype: object | null): ClassSpecification {
  const key = prototype ?? Object.prototype
  const known = classSpecifications.get(key)
  if (known !== undefined) return known
  const above: object | null = Object.getPrototypeOf(key)
  const made = isClassPrototype(key)
    ? new ClassSpecification(
        key.constructor as Class,
        above === null ? undefined : classSpecificationOf(above),
      )
    : classSpecificationOf(above)
  classSpecifications.set(key, made)
  return made
}

const classSpecifications = new WeakMap<object, ClassSpecification>() // prototype → its class's

function isClassPrototype(prototype: object): boolean {
  return (
    Object.hasOwn(prototype, 'constructor') &&
    typeof prototype.constructor === 'function' &&
    prototype.constructor.prototype === prototype
  )
}

/** What was said of `object` itself, not of its class. @internal */
export function directDeclarations(object: unknown): readonly Interface[] | undefined {
  if (!isObject(object)) return undefined
  return DIRECTLY_PROVIDED in object
    ? (object as DirectlyProviding)[DIRECTLY_PROVIDED]
    : declaredInMemory.get(object)
}

/**
 * Says it, in place of what was said before.
 * @throws COMPONENT_INCONSISTENT_ORDER, and then nothing changes.
 * @internal
 */
export function declareDirectly(object: object, interfaces: readonly Interface[]): void {
  const ofClass = classSpecificationOf(Object.getPrototypeOf(object))
  const list = Object.freeze([...new Set(interfaces)])
  ofClass.with(list)
  if (DIRECTLY_PROVIDED in object) (object as DirectlyProviding)[DIRECTLY_PROVIDED] = list
  else declaredInMemory.set(object, list)
  ofClass.mayProvideDirectly = true
}

const declaredInMemory = new WeakMap<object, readonly Interface[]>()

interface DirectlyProviding {
  [DIRECTLY_PROVIDED]: readonly Interface[] | undefined
}

/** @internal */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
