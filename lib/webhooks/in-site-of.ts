import { runInSite, siteOf } from '../content/index.js'
import type { WebhookDeliveryAttempt } from './attempt.js'

/** Calls `fn` where handlers of the attempt's own site hear of it. */
export function inSiteOf<R>(attempt: WebhookDeliveryAttempt, fn: () => R): R {
  const site = siteOf(attempt)
  return site === undefined ? fn() : runInSite(site, fn)
}
