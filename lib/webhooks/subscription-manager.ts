import { implementer, providedBy } from '../component/index.js'
import {
  Container,
  nameOf,
  parentOf,
  querySpecificationKey,
  specificationKey,
} from '../content/index.js'
import { systemClock } from '../foundation/index.js'
import { BTree, describeObject, field, type Key, stored } from '../persistence/index.js'
import { connectionAbove } from './connection-above.js'
import { NotContainedError } from './errors.js'
import { IWebhookSubscriptionManager, type SubscriptionOptions } from './interfaces.js'
import { ACTIVE_MESSAGE, PersistentSubscription } from './subscription.js'
import { checkSubscription } from './subscription-check.js'

/**
 * The subscriptions of one site. Active ones stand in an index, so that finding those for an event
 * takes the same time beside any number of others.
 *
 * Index key: `[kind of object, kind of event, ordinal]`.
 *
 * Source: `nti.webhooks.subscriptions.PersistentWebhookSubscriptionManager`.
 * @public
 */
@stored('treehook.WebhookSubscriptionManager')
@implementer(IWebhookSubscriptionManager)
export class WebhookSubscriptionManager
  extends Container<PersistentSubscription>
  implements IWebhookSubscriptionManager
{
  @field accessor index = new BTree<Key, PersistentSubscription>()

  /**
   * Makes, stores and activates a subscription.
   * @throws WEBHOOK_INVALID_TARGET, WEBHOOK_INVALID_TRIGGER, WEBHOOK_INVALID_OWNER,
   *   WEBHOOK_UNKNOWN_DIALECT: nothing was made.
   */
  createSubscription(options: SubscriptionOptions): PersistentSubscription {
    const { clock } = connectionAbove(this)?.database ?? { clock: systemClock }
    const checked = checkSubscription(options, this)
    const subscription = PersistentSubscription.of(checked, clock.nowMs())
    this.set(freeName(this), subscription)
    this.activateSubscription(subscription)
    return subscription
  }

  /** @throws WEBHOOK_NOT_CONTAINED when it is another manager's. */
  activateSubscription(subscription: PersistentSubscription): void {
    assertIn(this, subscription)
    if (subscription.active) return
    const pair: Key[] = [specificationKey(subscription.for), subscription.when.name]
    const last = this.index.maxKey([...pair, Number.POSITIVE_INFINITY]) as
      | readonly Key[]
      | undefined
    const isSamePair = last !== undefined && pair.every((part, at) => last[at] === part)
    const key: Key = [...pair, isSamePair ? (last[2] as number) + 1 : 0]
    this.index.set(key, subscription)
    subscription.indexKey = key
    subscription.statusMessage = ACTIVE_MESSAGE
  }

  /**
   * @param options.reason - becomes the status message; without it the message stays.
   * @throws WEBHOOK_NOT_CONTAINED when it is another manager's.
   */
  deactivateSubscription(
    subscription: PersistentSubscription,
    { reason }: { readonly reason?: string } = {},
  ): boolean {
    assertIn(this, subscription)
    const { indexKey } = subscription
    if (indexKey === undefined) return false
    this.index.delete(indexKey)
    subscription.indexKey = undefined
    if (reason !== undefined) subscription.statusMessage = reason
    return true
  }

  /** The least specific kind of object first, then of event, then the order of activation. */
  activeSubscriptions(object: object, event: object): readonly PersistentSubscription[] {
    const found: PersistentSubscription[] = []
    const kinds = providedBy(object).resolutionOrder.map(querySpecificationKey).reverse()
    const triggers = providedBy(event)
      .flattened()
      .map(({ name }) => name)
      .reverse()
    for (const kind of kinds) {
      if (kind === undefined) continue
      for (const trigger of triggers) {
        const range = { min: [kind, trigger], max: [kind, trigger, Number.POSITIVE_INFINITY] }
        found.push(...this.index.values(range))
      }
    }
    return found
  }

  override delete(name: string): boolean {
    const subscription = this.get(name)
    if (subscription !== undefined) dropFromIndex(this, subscription)
    return super.delete(name)
  }
}

/**
 * Handler: a subscription that is removed, or is in something that is, is found no more.
 * @see `nti.webhooks.subscriptions.deactivate_subscription_when_removed`, which fails when it is not
 *   the subscription itself that is removed.
 */
export function deactivateWhenRemoved(subscription: PersistentSubscription): void {
  const manager = parentOf(subscription)
  if (manager instanceof WebhookSubscriptionManager) manager.deactivateSubscription(subscription)
}

/** Also of one that was moved to another manager meanwhile. */
function dropFromIndex(
  { index }: WebhookSubscriptionManager,
  subscription: PersistentSubscription,
): void {
  const { indexKey } = subscription
  if (indexKey === undefined || index.get(indexKey) !== subscription) return
  index.delete(indexKey)
  subscription.indexKey = undefined
}

/** `PersistentSubscription`, `PersistentSubscription-2`, … */
function freeName(manager: WebhookSubscriptionManager): string {
  const base = 'PersistentSubscription'
  if (!manager.has(base)) return base
  let number = manager.size + 1
  while (manager.has(`${base}-${number}`)) number++
  return `${base}-${number}`
}

function assertIn(manager: WebhookSubscriptionManager, subscription: PersistentSubscription): void {
  if (parentOf(subscription) === manager && nameOf(subscription) !== undefined) return
  throw new NotContainedError(
    `${describeObject(subscription)} is not in ${describeObject(manager)}; ask the manager that it is in`,
  )
}
