import { lineage } from '../content/index.js'
import { type Connection, connectionOf, isPersistent } from '../persistence/index.js'

/** A new object has no connection yet, but what it was put into has. */
export function connectionAbove(object: object): Connection | undefined {
  for (const at of lineage(object)) {
    const connection = isPersistent(at) ? connectionOf(at) : undefined
    if (connection !== undefined) return connection
  }
  return undefined
}
