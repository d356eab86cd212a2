import { registryScope } from '../component/index.js'
import { AsyncScope } from '../foundation/index.js'
import { LocationError } from './errors.js'
import type { ISite } from './interfaces.js'
import { describe } from './location.js'
import { registryAt } from './site-manager.js'

const scope = new AsyncScope<ISite>()

/** The site of this call; `undefined` outside `runInSite`. @public */
export function currentSite(): ISite | undefined {
  return scope.current()
}

/**
 * Calls `fn` with `site` as the current one, until its promise settles: look-ups without a context
 * and events go to its registry.
 * @throws CONTENT_LOCATION when the site has no registry, being in no database.
 * @see `zope.component.hooks.site`
 * @public
 */
export function runInSite<R>(site: ISite, fn: () => R): R {
  const registry = registryAt(site)
  if (registry === undefined) {
    throw new LocationError(`${describe(site)} is in no database, so it has no registry yet`)
  }
  return scope.run(site, () => registryScope.run(registry, fn))
}
