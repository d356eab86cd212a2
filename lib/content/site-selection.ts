import {
  ComponentRegistry,
  defineInterface,
  implementer,
  queryUtility,
} from '../component/index.js'
import { currentSite } from './current-site.js'
import { queryHostSite } from './host-sites.js'
import { IComponents, type ILocation, ISite, ISiteManager } from './interfaces.js'
import type { Site } from './site.js'

/**
 * Says which host site serves for a name: register one as a utility with that name.
 * Source: `nti.site.interfaces.ISiteMapping`.
 * @public
 */
export interface ISiteMapping {
  readonly targetSiteName: string
}
export const ISiteMapping = defineInterface<ISiteMapping>('treehook.ISiteMapping', {
  members: ['targetSiteName'],
})

/**
 * The site for the first of the names for which there is one: the host site that an `ISiteMapping` of
 * that name says; the host site of that name; or, when the program has an `IComponents` of that name
 * and no host site was made for it, one that stands for it in memory. For none of them the current
 * site, or the main application.
 *
 * @see `nti.site.site.get_site_for_site_names`
 * @public
 */
export function siteForNames(application: Site, names: readonly string[]): ISite {
  for (const name of names) {
    const site = siteForName(application, name)
    if (site !== undefined) return site
  }
  return currentSite() ?? application
}

function siteForName(application: Site, name: string): ISite | undefined {
  const options = { name, context: application }
  const mapping = queryUtility(ISiteMapping, options)
  const target = mapping && queryHostSite(application, mapping.targetSiteName)
  const found = target ?? queryHostSite(application, name)
  if (found !== undefined) return found
  const components = name === '' ? undefined : queryUtility(IComponents, options)
  return components && transientSite(application, name, components)
}

/** In memory only: nothing can be stored in it, and no object can refer to it. */
@implementer(ISite)
class TransientSite implements ISite {
  readonly __parent__: Site
  readonly __name__: string
  readonly siteManager: TransientSiteManager

  constructor(application: Site, name: string, components: ComponentRegistry) {
    this.__parent__ = application
    this.__name__ = name
    this.siteManager = new TransientSiteManager(this, components)
  }

  get(_name: string): undefined {
    return undefined
  }

  has(_name: string): boolean {
    return false
  }
}

@implementer(ISiteManager)
class TransientSiteManager implements ISiteManager {
  readonly __parent__: ILocation
  readonly __name__ = '++etc++site'
  readonly registry: ComponentRegistry

  constructor(site: TransientSite, components: ComponentRegistry) {
    this.__parent__ = site
    const application = site.__parent__
    this.registry = new ComponentRegistry({
      name: `the site ${site.__name__} in memory`,
      bases: [components, application.siteManager.registry],
    })
  }

  get(_name: string): undefined {
    return undefined
  }

  has(_name: string): boolean {
    return false
  }
}

/** One for each registry and application: making one costs every look-up its remembered answers. */
const transientSites = new WeakMap<Site, Map<ComponentRegistry, TransientSite>>()

function transientSite(application: Site, name: string, components: ComponentRegistry): ISite {
  let known = transientSites.get(application)
  if (known === undefined) {
    known = new Map()
    transientSites.set(application, known)
  }
  let site = known.get(components)
  if (site === undefined) {
    site = new TransientSite(application, name, components)
    known.set(components, site)
  }
  // In step with where the application is now.
  const { registry } = site.siteManager
  const next = application.siteManager.registry
  if (registry.bases[1] !== next) registry.bases = [components, next]
  return site
}
