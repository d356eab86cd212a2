import { InvalidRegistrationError, UnknownComponentError } from './errors.js'
import { isObject } from './specification.js'

/**
 * Gives a component that is no persistent object its name in databases: an adapter's factory, a
 * handler, a service of the process. A site keeps such a component by its name, so name it when its
 * module is loaded:
 *
 * ```ts
 * const reportOf = nameComponent('shop.reportOf', (order: Order) => new Report(order))
 * ```
 *
 * @param name - prefixed by a package, without spaces; it is stored, so it outlives the program.
 * @returns the component.
 * @throws COMPONENT_INVALID_REGISTRATION when the name is taken or no name, or the component has
 *   another name.
 * @public
 */
export function nameComponent<C extends object>(name: string, component: C): C {
  const [holder, known] = [components.get(name), names.get(component)]
  if (holder === component) return component
  if (typeof name !== 'string' || !/^\S+$/.test(name)) {
    throw new InvalidRegistrationError(
      `${JSON.stringify(name)} cannot name a component. Use a name such as 'shop.reportOf'.`,
    )
  }
  if (holder !== undefined || known !== undefined) {
    throw new InvalidRegistrationError(
      holder === undefined
        ? `The component to be named ${name} has the name ${known} already. Give a component one name.`
        : `The name ${name} belongs to another component. Choose another name.`,
      { details: { name } },
    )
  }
  components.set(name, component)
  names.set(component, name)
  return component
}

/**
 * The component of a name.
 * @throws COMPONENT_UNKNOWN when this program names none so.
 * @public
 */
export function componentNamed(name: string): object {
  const component = components.get(name)
  if (component !== undefined) return component
  throw new UnknownComponentError(
    `The database names the component ${name}, which this program does not have. Import the module ` +
      `that calls nameComponent('${name}', …), or unregister the component.`,
    { details: { name } },
  )
}

/** The name of a component; `undefined` when it has none. @public */
export function nameOfComponent(component: unknown): string | undefined {
  return isObject(component) ? names.get(component) : undefined
}

const components = new Map<string, object>()
const names = new WeakMap<object, string>()
