import type { ComponentRegistry } from '../component/index.js'
import { ICopyHook, parentOf } from '../content/index.js'
import { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/**
 * What a copy of a site, a manager or a subscription has of its webhooks: the subscriptions, with their
 * terms and whether they are active, and none of their attempts, which are left out of copies.
 *
 * A subscription that is copied without its manager is inactive; its new manager activates it.
 */
export function registerCopyHooks(registry: ComponentRegistry): void {
  registry.registerAdapter((_subscription: PersistentSubscription): ICopyHook => ANEW, {
    adapts: [PersistentSubscription],
    provides: ICopyHook,
  })
}

const ANEW: ICopyHook = {
  standIn: () => undefined,
  onCopied(copy) {
    if (copy instanceof PersistentSubscription) copy.beginAnew({ isFound: isFound(copy) })
  },
}

/** Whether the manager that the copy is in has it in its index: the original's has not. */
function isFound(copy: PersistentSubscription): boolean {
  const manager = parentOf(copy)
  if (!(manager instanceof WebhookSubscriptionManager) || copy.indexKey === undefined) return false
  return manager.index.get(copy.indexKey) === copy
}
