import {
  providedBy,
  queryAdapter,
  type Specification,
  specificationOf,
} from '../component/index.js'
import { describe, Site, siteOf } from '../content/index.js'
import { NotContainedError } from './errors.js'
import {
  IWebhookResourceDiscriminator,
  IWebhookSubscriptionManager,
  type SubscriptionOptions,
} from './interfaces.js'
import { isInTree } from './standing.js'
import type { PersistentSubscription } from './subscription.js'
import { checkSubscription } from './subscription-check.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/** The name of a site's own manager: part of the paths that users see. @public */
export const DEFAULT_UTILITY_NAME = 'WebhookSubscriptionManager'

/** As for any subscription; `for` is by default what the resource itself provides. @public */
export type ResourceSubscriptionOptions = SubscriptionOptions

/**
 * Subscribes to events of objects like `resource`, at the site that the resource is in: the nearest
 * one, the resource itself if it is a site. Not to that one object: to all of its kind below the
 * site.
 *
 * ```ts
 * subscribeToResource(oun, { to: 'https://example.com/hook', for: Employee, when: IObjectModifiedEvent })
 * ```
 *
 * @param options.for - left out, the resource's `IWebhookResourceDiscriminator` is asked, and without
 *   one it is what the resource provides.
 * @throws WEBHOOK_NOT_CONTAINED when the resource is in no site, or that not in the tree.
 * @throws WEBHOOK_INVALID_TARGET, WEBHOOK_INVALID_TRIGGER, WEBHOOK_INVALID_OWNER,
 *   WEBHOOK_UNKNOWN_DIALECT: nothing was made.
 * @see `nti.webhooks.api.subscribe_to_resource`
 * @public
 */
export function subscribeToResource(
  resource: object,
  { for: kind, ...options }: ResourceSubscriptionOptions,
): PersistentSubscription {
  const site = siteOf(resource)
  if (!(site instanceof Site)) {
    throw new NotContainedError(
      `${describe(resource)} is in no site, so there is no place for its subscriptions. Put it below a Site.`,
    )
  }
  // Of a site that is stored nowhere, subscriptions would be stored nowhere.
  if (!isInTree(site)) {
    throw new NotContainedError(
      `${describe(site)} is not in the tree. Put it below the root, and subscribe then.`,
    )
  }
  const wanted = { ...options, for: kind === undefined ? kindOf(resource) : specificationOf(kind) }
  checkSubscription(wanted, site)
  return installManager(site).createSubscription(wanted)
}

/**
 * The site's manager; made and registered when there is none. It is kept in the `default` folder, or
 * in the site manager itself when that has been deleted.
 */
export function installManager(site: Site): WebhookSubscriptionManager {
  const { siteManager } = site
  const folder = siteManager.has('default') ? siteManager.default : siteManager
  const known = folder.get(DEFAULT_UTILITY_NAME)
  if (known instanceof WebhookSubscriptionManager) return known
  const manager = folder.set(DEFAULT_UTILITY_NAME, new WebhookSubscriptionManager())
  siteManager.registry.registerUtility(manager, { provides: IWebhookSubscriptionManager })
  return manager
}

function kindOf(resource: object): Specification {
  const discriminator = queryAdapter(resource, IWebhookResourceDiscriminator, { context: resource })
  return discriminator === undefined
    ? providedBy(resource)
    : specificationOf(discriminator.forWhat())
}
