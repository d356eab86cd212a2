import { type ComponentRegistry, currentRegistry } from '../component/index.js'
import { describe, lineage, registryAt } from '../content/index.js'
import { grantsOf, keepsGrants } from './grants.js'
import { type GrantRow, IGlobalGrants } from './interfaces.js'

/** The grants of one place, for people. @public */
export interface PlaceSettings {
  /** Names the object, or `the whole database`. */
  readonly place: string
  readonly rows: readonly GrantRow[]
  /** Roles that may do everything. */
  readonly almighty: readonly string[]
}

/**
 * All grants that count for an object, place by place: the object's, those above it, and those of the
 * whole database. Places without any are left out. Says why somebody may do something, or may not.
 *
 * Source: `zope.securitypolicy.zopepolicy.settingsForObject`.
 * @throws CONTENT_CYCLE
 * @public
 */
export function settingsFor(object: object): readonly PlaceSettings[] {
  const places: PlaceSettings[] = []
  for (const at of lineage(object)) {
    const rows = keepsGrants(at) ? [...grantsOf(at)] : []
    if (rows.length > 0) places.push({ place: describe(at), rows, almighty: [] })
  }
  const registry: ComponentRegistry = registryAt(object) ?? currentRegistry()
  const everywhere = registry.queryUtility(IGlobalGrants)
  if (everywhere === undefined) return places
  const rows = [...everywhere]
  const almighty = [...everywhere.almighty]
  return [...places, { place: 'the whole database', rows, almighty }]
}
