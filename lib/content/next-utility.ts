import {
  ComponentLookupError,
  ComponentRegistry,
  globalRegistry,
  type Interface,
  type NameOption,
} from '../component/index.js'
import { registryAt } from './site-manager.js'

/**
 * The utility behind the context's own: of the nearest registry that has one among those that the
 * context's registry is based on. For a utility of a site that does its part and leaves the rest to
 * the one it hides.
 *
 * @param context - a registry, or an object: that of its place. For a utility, give the utility,
 *   when it stands in its site manager.
 * @see `zope.component.queryNextUtility`, in the order of `nti.site`
 * @public
 */
export function queryNextUtility<T>(
  context: object,
  provided: Interface<T>,
  { name = '' }: NameOption = {},
): T | undefined {
  for (const registry of registryFor(context).chain.slice(1)) {
    if (hasOwn(registry, provided, name)) return registry.queryUtility(provided, { name })
  }
  return undefined
}

/**
 * The same, and it must be there.
 * @throws COMPONENT_LOOKUP
 * @public
 */
export function getNextUtility<T>(
  context: object,
  provided: Interface<T>,
  { name = '' }: NameOption = {},
): T {
  const utility = queryNextUtility(context, provided, { name })
  if (utility !== undefined) return utility
  const registry = registryFor(context)
  throw new ComponentLookupError(
    `No utility for ${provided.name}${name === '' ? '' : ` named ${JSON.stringify(name)}`} stands behind ` +
      `that of ${registry.name}: none of the registries it is based on has one. Ask with queryNextUtility.`,
    { details: { provided: provided.name, name, registry: registry.name } },
  )
}

function registryFor(context: object): ComponentRegistry {
  if (context instanceof ComponentRegistry) return context
  return registryAt(context) ?? globalRegistry
}

function hasOwn({ table }: ComponentRegistry, provided: Interface, name: string): boolean {
  for (const row of table.candidates({ kind: 'utility', required: [], provided, name })) {
    if (row.name === name && row.provided?.extendsOrIs(provided) === true) return true
  }
  return false
}
