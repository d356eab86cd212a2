import { Contained, currentSite, IObjectRemovedEvent } from '../content/index.js'
import type { Connection } from '../persistence/index.js'
import { activeSubscriptionsFor } from './active-subscriptions.js'
import { WebhookDeliveryAttempt } from './attempt.js'
import { connectionAbove } from './connection-above.js'
import { DeliveryDataManager } from './delivery-data-manager.js'
import { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/**
 * Notes an event with the transaction, when a subscription is applicable. Registered as a handler of
 * (object, event); see configure.ts.
 *
 * Events of webhooks' own objects are not dispatched: a delivery's result would cause a delivery,
 * and so on for ever.
 *
 * @see `nti.webhooks.subscribers.dispatch_webhook_event`
 * @public
 */
export function dispatchWebhookEvent(object: object, event: object): void {
  if (isOurOwn(object)) return
  const connection = connectionAbove(object) ?? connectionAbove(currentSite() ?? object)
  const transaction = connection?.transaction
  if (connection === undefined || transaction === undefined) return
  if (IObjectRemovedEvent.providedBy(event)) {
    DeliveryDataManager.query(transaction)?.losesItsPlace(object)
  }
  const applicable = subscriptionsToDeliver(object, event, connection)
  if (applicable.length === 0) return
  DeliveryDataManager.of(connection, transaction).collect(object, event, applicable)
}

/** The active subscriptions that apply to the object with the rights of this instant. */
export function subscriptionsToDeliver(
  object: object,
  event: object,
  connection: Connection,
): readonly PersistentSubscription[] {
  const active = activeSubscriptionsFor(object, event, connection)
  return active.every((one) => one.ownerId === undefined)
    ? active
    : active.filter((one) => one.isApplicable(object))
}

function isOurOwn(object: object): boolean {
  return (
    object instanceof Contained &&
    (object instanceof WebhookDeliveryAttempt ||
      object instanceof PersistentSubscription ||
      object instanceof WebhookSubscriptionManager)
  )
}
