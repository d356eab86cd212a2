import type { UtilityOptions } from '../component/index.js'
import type { Contained } from './contained.js'
import { LocationError } from './errors.js'
import { describe } from './location.js'
import type { SiteManager } from './site-manager.js'

/** @public */
export interface InstallOptions<T> extends UtilityOptions<T> {
  /** Its name in the `default` folder, under which it can be traversed to. */
  readonly at: string
}

/**
 * Puts a utility into a site and registers it there: it has a place, `…/++etc++site/default/at`, and
 * serves the site and what is below it.
 *
 * @returns the utility.
 * @throws CONTENT_DUPLICATE_NAME, CONTENT_INVALID_NAME, CONTENT_INVALID_ITEM,
 *   COMPONENT_INVALID_REGISTRATION; then nothing is there.
 * @see `nti.site.localutility.install_utility`
 * @public
 */
export function installUtility<T, C extends Contained & T>(
  manager: SiteManager,
  utility: C,
  { at, ...registration }: InstallOptions<T>,
): C {
  manager.default.set(at, utility)
  try {
    manager.registry.registerUtility<T>(utility, registration as UtilityOptions<T>)
  } catch (error) {
    manager.default.delete(at)
    throw error
  }
  return utility
}

/**
 * Takes back what {@link installUtility} did.
 * @returns whether it was registered.
 * @throws CONTENT_LOCATION when nothing stands there.
 * @see `nti.site.localutility.uninstall_utility_on_unregistration`
 * @public
 */
export function uninstallUtility<T>(
  manager: SiteManager,
  { at, provides, name }: InstallOptions<T>,
): boolean {
  const utility = manager.default.get(at)
  if (utility === undefined) {
    throw new LocationError(
      `${describe(manager.default)} has no utility named ${JSON.stringify(at)} to uninstall`,
    )
  }
  const where = name === undefined ? { provides } : { provides, name }
  const wasRegistered = manager.registry.unregisterUtility(utility, where)
  manager.default.delete(at)
  return wasRegistered
}
