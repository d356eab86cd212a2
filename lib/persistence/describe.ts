import { formatOid } from '../storage/index.js'
import { storedNameOf } from './class-registry.js'
import { type Persistent, slotsOf } from './persistent.js'
import { NO_OID } from './slots.js'

/** How messages name an object. The content layer adds its path. */
let pathOf: (object: Persistent) => string | undefined = () => undefined

/** Tells how to find an object's path for messages. It must not throw. @internal */
export function setPathDescriber(describer: (object: Persistent) => string | undefined): void {
  pathOf = describer
}

/** `Employee at /NOAA/NWS/OUN/employees/Bob (oid 000…2a)`, as far as known. Reads no storage. */
export function describeObject(object: Persistent): string {
  const slots = slotsOf(object)
  const name = storedNameOf(slots.layout.constructor) ?? slots.layout.constructor.name
  const path = slots.generation === slots.owner.generation ? pathOf(object) : undefined
  const oid = slots.oid === NO_OID ? 'not added yet' : `oid ${formatOid(slots.oid)}`
  return `${name}${path === undefined ? '' : ` at ${path}`} (${oid})`
}
