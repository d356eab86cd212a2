import { ComponentRegistry, globalRegistry } from '../component/index.js'
import type { ObjectDatabase } from '../persistence/index.js'

const registries = new WeakMap<ObjectDatabase, ComponentRegistry>()

/**
 * The components of one database, in memory: below every site of it, above those of the process. So
 * two databases of one process can be configured differently.
 * @public
 */
export function databaseRegistry(database: ObjectDatabase): ComponentRegistry {
  let registry = registries.get(database)
  if (registry === undefined) {
    registry = new ComponentRegistry({ name: database.location, bases: [globalRegistry] })
    registries.set(database, registry)
  }
  return registry
}
