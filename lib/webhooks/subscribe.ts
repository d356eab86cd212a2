import { type Class, type Interface, providedBy, queryAdapter, type Specification, specificationOf } from '../component/index.js'
import { describe, Site, siteOf } from '../content/index.js'
import { NotContainedError } from './errors.js'
import {
  IWebhookResourceDiscriminator,
  IWebhookSubscriptionManager,
  type SubscriptionOptions,
} from './interfaces.js'
import type { PersistentSubscription } from './subscription.js'
import { checkSubscription } from './subscription-check.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/** The name of a site's own manager: part of the paths that users see. @public */
export const DEFAULT_UTILITY_NAME = 'WebhookSubscriptionManager'

/** @public */
export interface ResourceSubscriptionOptions extends Omit<SubscriptionOptions, 'for'> {
  /** A kind of object: an interface, or a class. Default: what the resource itself provides. */
  readonly for?: Specification | Class
  readonly when?: Interface
}

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
 * @throws WEBHOOK_NOT_CONTAINED when the resource is in no site.
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
  const wanted = { ...options, for: kind === undefined ? kindOf(resource) : specificationOf(kind) }
  checkSubscription(wanted, site)
  return installManager(site).createSubscription(wanted)
}

/** The site's manager; made, kept in its `default` folder and registered when there is none. */
export function installManager(site: Site): WebhookSubscriptionManager {
  const { siteManager } = site
  const folder = siteManager.default
  const known = folder.get(DEFAULT_UTILITY_NAME)
  if (known instanceof WebhookSubscriptionManager) return known
  const manager = folder.set(DEFAULT_UTILITY_NAME, new WebhookSubscriptionManager())
  siteManager.registry.registerUtility(manager, { provides: IWebhookSubscriptionManager })
  return manager
}

function kindOf(resource: object): Specification {
  const discriminator = queryAdapter(resource, IWebhookResourceDiscriminator, { context: resource })
  return discriminator?.forWhat() ?? providedBy(resource)
}
