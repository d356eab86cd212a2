import { parentOf } from '../content/index.js'
import type { WebhookDeliveryAttempt } from './attempt.js'
import type { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/** Verbatim: upstream's text. */
export const TOO_MANY_FAILURES = 'Delivery suspended due to too many delivery failures.'

/**
 * Removes the oldest resolved attempts until the limit is kept. Pending ones stay, however many.
 * @returns how many went.
 * @see `nti.webhooks.subscriptions.prune_subscription_when_resolved`
 */
export function pruneHistory(subscription: PersistentSubscription): number {
  let left = Math.min(subscription.size - subscription.attemptLimit, subscription.resolvedCount)
  if (left <= 0) return 0
  const removed = left
  for (const [name, attempt] of subscription.entries()) {
    if (!attempt.isResolved) continue
    subscription.delete(name)
    if (--left === 0) break
  }
  return removed
}

/**
 * Suspends a subscription whose whole history is failures, when that is as long as its limit.
 * @returns whether it did.
 * @see `nti.webhooks.subscriptions.deactivate_subscription_when_all_failed`
 */
export function suspendAfterFailures(
  subscription: PersistentSubscription,
  failed: WebhookDeliveryAttempt,
): boolean {
  if (failed.status !== 'failed' || subscription.size < subscription.attemptLimit) return false
  for (const attempt of subscription.values()) if (attempt.status !== 'failed') return false
  const manager = parentOf(subscription)
  if (!(manager instanceof WebhookSubscriptionManager)) return false
  return manager.deactivateSubscription(subscription, { reason: TOO_MANY_FAILURES })
}
