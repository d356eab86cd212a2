import { BrokenPromiseError } from './errors.js'
import type { Interface } from './interfaces.js'
import { providedBy } from './specification.js'

/**
 * Checks that `object` keeps the promise of `someInterface`: it is declared, and every member of it
 * and of what it extends is there, own or inherited.
 *
 * @returns the object, as what it is now known to be.
 * @throws COMPONENT_BROKEN_PROMISE naming all that is missing; `details.missing` lists it.
 * @see `zope.interface.verify.verifyObject`, which compares signatures too
 * @public
 */
export function verifyObject<T>(someInterface: Interface<T>, object: unknown): T {
  const missing = missingMembers(someInterface, object)
  const isDeclared = someInterface.providedBy(object)
  if (isDeclared && missing.length === 0) return object
  const complaints = [
    ...(isDeclared ? [] : ['it does not declare it']),
    ...missing.map((member) => `${member} is missing`),
  ]
  throw new BrokenPromiseError(
    `What provides ${providedBy(object).id} does not keep the promise of ${someInterface.name}: ` +
      `${complaints.join(', ')}.`,
    { details: { interface: someInterface.name, declared: isDeclared, missing } },
  )
}

/** As `IName.member`, in the order of definition, most specific interface first. */
function missingMembers(someInterface: Interface, object: unknown): readonly string[] {
  const present: object = object === null || object === undefined ? {} : Object(object)
  return someInterface
    .flattened()
    .flatMap(({ name, members }) =>
      members.filter((member) => !(member in present)).map((member) => `${name}.${member}`),
    )
}
