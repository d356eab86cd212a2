import { IRoot, lineage, parentOf } from '../content/index.js'
import type { WebhookDeliveryAttempt } from './attempt.js'
import { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/** Status message of a subscription whose receiver answered 410. */
export const RECEIVER_GONE = 'The receiver is gone (410).'
/** Message of an attempt whose subscription, or a site above it, was removed. */
export const SUBSCRIPTION_REMOVED = 'The subscription was removed.'
/** Message of an attempt that was itself removed while it was pending. */
export const ATTEMPT_REMOVED = 'The attempt was removed.'

/**
 * Why a pending attempt is not to be sent any more; `undefined` while it is. One of a suspended or
 * deactivated subscription is: its change was committed while that was active.
 *
 * Upstream sends what was pending whatever became of its subscription, and its result is then written
 * where nobody looks. Here it is cancelled, and says why.
 */
export function reasonToCancel(attempt: WebhookDeliveryAttempt): string | undefined {
  const subscription = parentOf(attempt)
  if (!(subscription instanceof PersistentSubscription)) return ATTEMPT_REMOVED
  if (!isSubscribed(subscription)) return SUBSCRIPTION_REMOVED
  const hasEnded = !subscription.active && subscription.statusMessage === RECEIVER_GONE
  return hasEnded ? RECEIVER_GONE : undefined
}

/** True while it is in its manager, and that in the tree. */
export function isSubscribed(subscription: PersistentSubscription): boolean {
  return parentOf(subscription) instanceof WebhookSubscriptionManager && isInTree(subscription)
}

/** True while there is a root above the object. */
export function isInTree(object: object): boolean {
  let top = object
  for (top of lineage(object));
  return IRoot.providedBy(top)
}
