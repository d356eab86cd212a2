import { InvalidRegistrationError } from './errors.js'
import type { Class, Interface, Specification } from './interfaces.js'
import {
  classSpecificationOf,
  declareDirectly,
  directDeclarations,
  InterfaceSpecification,
  isObject,
  liveSpecification,
  providedBy,
} from './specification.js'

/**
 * Declares that instances of a class, and of classes that extend it, provide `interfaces`. As a
 * decorator, or as a call that gives the class back; TypeScript checks that instances fit. May be
 * repeated: what is declared adds up.
 *
 * ```ts
 * @implementer(IMailer)
 * class Mailer implements IMailer { … }
 *
 * implementer(IMailer)(LegacyMailer)
 * ```
 *
 * The returned function throws COMPONENT_INCONSISTENT_ORDER when the class, one that extends it, or
 * what an object of theirs ever provided directly could not be ordered; nothing is declared then.
 *
 * @throws COMPONENT_INVALID_REGISTRATION for anything that is no interface.
 * @see `zope.interface.implementer`
 * @public
 */
export function implementer<const I extends readonly Interface[]>(
  ...interfaces: I
): <C extends Class<AllOf<I>>>(someClass: C, context?: ClassDecoratorContext) => C {
  assertInterfaces(interfaces)
  return (someClass) => {
    liveSpecification(someClass).declare(interfaces)
    return someClass
  }
}

/** What provides all of the interfaces. */
type AllOf<I extends readonly Interface[]> = I extends readonly [
  Interface<infer T>,
  ...infer Rest extends readonly Interface[],
]
  ? T & AllOf<Rest>
  : unknown

/**
 * True when `object`, or its class, declares `specification` or what extends it.
 * @public
 */
export function provides(object: unknown, specification: Specification): boolean {
  return providedBy(object).extendsOrIs(specification)
}

/**
 * Declares that this one object provides `interfaces` as well.
 * @throws COMPONENT_INCONSISTENT_ORDER, COMPONENT_INVALID_REGISTRATION; nothing changes then.
 * @public
 */
export function alsoProvides(object: object, ...interfaces: readonly Interface[]): void {
  directlyProvides(object, ...directlyProvidedBy(object), ...interfaces)
}

/**
 * Declares that this one object provides `interfaces`, and nothing else beside what its class does.
 * What the class provides already is not kept.
 *
 * @throws COMPONENT_INCONSISTENT_ORDER, COMPONENT_INVALID_REGISTRATION; nothing changes then.
 * @see `zope.interface.directlyProvides`
 * @public
 */
export function directlyProvides(object: object, ...interfaces: readonly Interface[]): void {
  assertObject(object)
  assertInterfaces(interfaces)
  const ofClass = classSpecificationOf(Object.getPrototypeOf(object))
  declareDirectly(
    object,
    interfaces.filter((one) => !ofClass.extendsOrIs(one)),
  )
}

/**
 * Takes back that this one object provides `someInterface`, and what extends it.
 * @throws COMPONENT_INVALID_REGISTRATION when its class provides it: nothing changes then.
 * @see `zope.interface.noLongerProvides`
 * @public
 */
export function noLongerProvides(object: object, someInterface: Interface): void {
  assertObject(object)
  assertInterfaces([someInterface])
  const ofClass = classSpecificationOf(Object.getPrototypeOf(object))
  if (ofClass.extendsOrIs(someInterface)) {
    throw new InvalidRegistrationError(
      `${ofClass.id} provides ${someInterface.name}, so one object cannot stop providing it. ` +
        'Only what was declared of the object itself can be taken back.',
    )
  }
  directlyProvides(
    object,
    ...directlyProvidedBy(object).filter((one) => !one.extendsOrIs(someInterface)),
  )
}

/** What was declared of this one object, in that order. @public */
export function directlyProvidedBy(object: object): readonly Interface[] {
  return directDeclarations(object) ?? []
}

function assertObject(object: unknown): void {
  if (isObject(object)) return
  throw new InvalidRegistrationError(
    `${String(object)} is no object, so nothing can be declared of it.`,
  )
}

function assertInterfaces(interfaces: readonly unknown[]): void {
  for (const one of interfaces) {
    if (one instanceof InterfaceSpecification) continue
    throw new InvalidRegistrationError(
      `${String(one)} is no interface. Declare what defineInterface made.`,
    )
  }
}
