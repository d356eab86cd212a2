import { type ComponentRegistry, IAny, IObjectEvent } from '../component/index.js'
import {
  IObjectAddedEvent,
  IObjectModifiedEvent,
  IObjectRemovedEvent,
  parentOf,
} from '../content/index.js'
import { type OptionRule, oneOf } from '../foundation/index.js'
import { WebhookDeliveryAttempt } from './attempt.js'
import { registerCopyHooks } from './copy-hooks.js'
import { DefaultDialect } from './dialect.js'
import { dispatchWebhookEvent } from './dispatch.js'
import { pruneHistory, suspendAfterFailures } from './history-limit.js'
import {
  IPossibleWebhookPayload,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDialect,
} from './interfaces.js'
import { PersistentSubscription } from './subscription.js'
import { deactivateWhenRemoved } from './subscription-manager.js'

/**
 * Which events are looked at. Nothing is by default: without a dispatcher nothing is ever sent.
 *
 * | set           | kinds of object           | kinds of event           |
 * | ------------- | ------------------------- | ------------------------ |
 * | `recommended` | `IPossibleWebhookPayload` | added, modified, removed |
 * | `promiscuous` | any                       | any object event         |
 * @public
 */
export type DispatchSet = 'none' | 'recommended' | 'promiscuous'

export const aDispatchSet: OptionRule = oneOf('none', 'recommended', 'promiscuous')

/** What this layer registers with a database: plays the part of `configure.zcml`. */
export function configureWebhooks(
  registry: ComponentRegistry,
  { dispatch }: { readonly dispatch: DispatchSet },
): void {
  registry.registerUtility(new DefaultDialect(), { provides: IWebhookDialect })
  registry.registerHandler(keepHistoryShort, {
    for: [WebhookDeliveryAttempt, IWebhookDeliveryAttemptResolvedEvent],
  })
  registry.registerHandler(deactivateWhenRemoved, {
    for: [PersistentSubscription, IObjectRemovedEvent],
  })
  registerCopyHooks(registry)
  if (dispatch === 'recommended') {
    for (const event of [IObjectAddedEvent, IObjectModifiedEvent, IObjectRemovedEvent]) {
      registry.registerHandler(dispatchHandler, { for: [IPossibleWebhookPayload, event] })
    }
  } else if (dispatch === 'promiscuous') {
    registry.registerHandler(dispatchHandler, { for: [IAny, IObjectEvent] })
  }
}

function dispatchHandler(object: unknown, event: unknown): void {
  dispatchWebhookEvent(object as object, event as object)
}

function keepHistoryShort(attempt: WebhookDeliveryAttempt): void {
  const subscription = parentOf(attempt)
  if (!(subscription instanceof PersistentSubscription)) return
  pruneHistory(subscription)
  suspendAfterFailures(subscription, attempt)
}
