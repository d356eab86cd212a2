import { InvalidRegistrationError } from './errors.js'
import type { Registration, Requirable } from './interfaces.js'
import { InterfaceSpecification, specificationOf } from './specification.js'

/**
 * A row, checked and frozen.
 * @throws COMPONENT_INVALID_REGISTRATION when the parts do not make a registration.
 * @internal
 */
export function newRow(options: RowOptions): Registration {
  const { kind, required, provided, name = '', component, info = '' } = options
  const invalid = (why: string): InvalidRegistrationError =>
    new InvalidRegistrationError(`The ${kind} cannot be registered: ${why}.`, {
      details: { kind, info },
    })
  if (kind !== 'handler' && !(provided instanceof InterfaceSpecification)) {
    throw invalid(`what it provides, ${String(provided)}, is no interface`)
  }
  if (typeof name !== 'string') throw invalid(`its name, ${String(name)}, is no text`)
  if (kind !== 'utility') {
    if (typeof component !== 'function') throw invalid(`${String(component)} is no function`)
    if (name !== '' && kind !== 'adapter')
      throw invalid('it has a name, and all that fit are called')
    if (!Array.isArray(required) || required.length === 0) {
      throw invalid('it must require at least one object, as a list')
    }
  }
  return Object.freeze({
    kind,
    required: Object.freeze(required.map(specificationOf)),
    provided,
    name,
    component,
    info,
  })
}

/** @internal */
export interface RowOptions extends Pick<Registration, 'kind' | 'provided' | 'component'> {
  readonly required: readonly Requirable[]
  readonly name?: string | undefined
  readonly info?: string | undefined
}
