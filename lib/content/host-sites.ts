import { type ComponentRegistry, getUtilitiesFor } from '../component/index.js'
import { SiteNotFoundError } from './errors.js'
import { IComponents } from './interfaces.js'
import { describe } from './location.js'
import { HOST_SITES_NAME, HostSite, HostSites } from './main-application.js'
import type { Site } from './site.js'
import type { SiteBase } from './site-manager.js'

/** What {@link synchronizeHostPolicies} did; names of host sites, parents first. @public */
export interface HostPolicyReport {
  readonly created: readonly string[]
  /** Were there; those whose bases were not as the program has them have these now. */
  readonly kept: readonly string[]
  /** Are there, and the program registers no components of that name any more. Nothing happens to them. */
  readonly orphaned: readonly string[]
}

/**
 * Makes a host site for each named registry of the program that is registered as an `IComponents`.
 * Its look-ups go to the site, then to that registry, then so for the registries that this one is
 * based on, then to the main application. Called again, it does what is left to do.
 *
 * ```ts
 * db.registry.registerUtility(norman, { provides: IComponents, name: 'norman.example.com' })
 * await db.transaction(({ connection }) => synchronizeHostPolicies(mainApplicationOf(connection)))
 * ```
 *
 * @throws CONTENT_SITE_NOT_FOUND when `application` was not made by `installMainApplication`.
 * @see `nti.site.hostpolicy.synchronize_host_policies`, which leaves out names with `base` in them
 * @public
 */
export function synchronizeHostPolicies(application: Site): HostPolicyReport {
  const hostSites = hostSitesOf(application)
  const named = new Map(
    getUtilitiesFor(IComponents, { context: application }).filter(([name]) => name !== ''),
  )
  const names = new Map([...named].map(([name, registry]) => [registry, name]))
  const created: string[] = []
  const kept: string[] = []
  for (const [registry, name] of parentsFirst(names)) {
    let site = hostSites.get(name)
    ;(site === undefined ? created : kept).push(name)
    site ??= hostSites.set(name, new HostSite())
    const above = nearestNamed(registry, names)
    const bases = [name, ...above.map((one) => hostSites.getItem(one).siteManager)]
    const { siteManager } = site
    if (!isSame(siteManager.ownBases, bases)) siteManager.setBases(bases)
  }
  const orphaned = [...hostSites.keys()].filter((name) => !named.has(name))
  return { created, kept, orphaned }
}

/**
 * The host site of that name.
 * @throws CONTENT_SITE_NOT_FOUND
 * @see `nti.site.hostpolicy.get_host_site`
 * @public
 */
export function getHostSite(application: Site, name: string): HostSite {
  const site = queryHostSite(application, name)
  if (site !== undefined) return site
  throw new SiteNotFoundError(
    `${describe(application)} has no host site named ${JSON.stringify(name)}; ` +
      'register its components as IComponents and call synchronizeHostPolicies',
  )
}

/** As {@link getHostSite}, with `undefined` when there is none. @public */
export function queryHostSite(application: Site, name: string): HostSite | undefined {
  const hostSites = application.get(HOST_SITES_NAME)
  return hostSites instanceof HostSites ? hostSites.get(name) : undefined
}

/** The host sites: those that others are based on come before these, else in the order of names. */
export function hostSitesTopDown(application: Site): readonly HostSite[] {
  const hostSites = hostSitesOf(application)
  const managers = new Map([...hostSites.values()].map((site) => [site.siteManager, site]))
  const found = new Set<HostSite>()
  const visit = (site: HostSite): void => {
    for (const base of site.siteManager.ownBases) {
      const above = typeof base === 'string' ? undefined : managers.get(base)
      if (above !== undefined && !found.has(above)) visit(above)
    }
    found.add(site)
  }
  for (const site of hostSites.values()) visit(site)
  return [...found]
}

function hostSitesOf(application: Site): HostSites {
  const hostSites = application.get(HOST_SITES_NAME)
  if (hostSites instanceof HostSites) return hostSites
  throw new SiteNotFoundError(
    `${describe(application)} keeps no host sites; make the application with installMainApplication`,
  )
}

/** Registries with their names, each after those it is based on. */
function parentsFirst(
  names: ReadonlyMap<ComponentRegistry, string>,
): readonly (readonly [ComponentRegistry, string])[] {
  const found = new Map<ComponentRegistry, string>()
  for (const registry of names.keys()) {
    for (const one of registry.chain.toReversed()) {
      const name = names.get(one)
      if (name !== undefined) found.set(one, name)
    }
  }
  return [...found]
}

/** Names of the nearest registries with one that a registry is based on. */
function nearestNamed(
  registry: ComponentRegistry,
  names: ReadonlyMap<ComponentRegistry, string>,
): readonly string[] {
  const found = registry.bases.flatMap((base) => {
    const name = names.get(base)
    return name === undefined ? nearestNamed(base, names) : [name]
  })
  return [...new Set(found)]
}

function isSame(one: readonly SiteBase[], other: readonly SiteBase[]): boolean {
  return one.length === other.length && one.every((base, index) => base === other[index])
}
