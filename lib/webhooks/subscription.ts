import { type Interface, implementer, providedBy, type Specification } from '../component/index.js'
import {
  Container,
  fromStoredSpecification,
  type StoredSpecification,
  toStoredSpecification,
} from '../content/index.js'
import { field, KEPT_BY_UNDO, type Key, oidOf, stored } from '../persistence/index.js'
import type { WebhookDeliveryAttempt } from './attempt.js'
import { IWebhookSubscription } from './interfaces.js'
import { raiseStandingStamp } from './standing-stamp.js'
import type { CheckedSubscription } from './subscription-check.js'

/** @public */
export const ACTIVE_MESSAGE = 'Active'

/**
 * A subscription in the tree, and the container of its attempts.
 *
 * Source: `nti.webhooks.subscriptions.PersistentSubscription`. What it is about cannot be changed:
 * upstream lets it be, and then no longer finds it.
 * @public
 */
@stored('treehook.PersistentSubscription')
@implementer(IWebhookSubscription)
export class PersistentSubscription
  extends Container<WebhookDeliveryAttempt>
  implements IWebhookSubscription
{
  /** It counts attempts, and these are kept. */
  static readonly [KEPT_BY_UNDO] = ['resolved']
  @field private accessor storedTo = ''
  @field private accessor storedFor: StoredSpecification | undefined = undefined
  @field private accessor storedWhen: StoredSpecification | undefined = undefined
  @field private accessor storedOwnerId: string | undefined = undefined
  @field private accessor storedPermissionId: string | undefined = undefined
  @field accessor dialectId = ''
  @field accessor statusMessage = ACTIVE_MESSAGE
  @field accessor createdAtMs = 0
  /** Resolved attempts kept; as many failures in a row suspend it. */
  @field accessor attemptLimit = 50
  /** How many of its attempts are resolved: so that pruning need not look at those that are not. */
  @field private accessor resolved = 0
  /** Its row in the manager's index; `undefined` while inactive. Kept by the manager. @internal */
  @field accessor indexKey: Key | undefined = undefined

  static of(checked: CheckedSubscription, nowMs: number): PersistentSubscription {
    const subscription = new PersistentSubscription()
    const { to, ownerId, permissionId } = checked
    subscription.storedTo = to
    subscription.storedFor = toStoredSpecification(checked.for)
    subscription.storedWhen = toStoredSpecification(checked.when)
    subscription.storedOwnerId = ownerId
    subscription.storedPermissionId = permissionId
    subscription.dialectId = checked.dialectId
    subscription.createdAtMs = nowMs
    return subscription
  }

  get to(): string {
    return this.storedTo
  }
  /** The live specification: of a class, in step with what it declares now. */
  get for(): Specification {
    return fromStoredSpecification(this.storedFor as StoredSpecification)
  }
  get when(): Interface {
    return fromStoredSpecification(this.storedWhen as StoredSpecification) as Interface
  }
  get ownerId(): string | undefined {
    return this.storedOwnerId
  }
  get permissionId(): string | undefined {
    return this.storedPermissionId
  }
  get active(): boolean {
    return this.indexKey !== undefined
  }

  isApplicable(object: object): boolean {
    return providedBy(object).extendsOrIs(this.for) && this.ownerId === undefined
  }

  /** How many of its attempts are no longer pending. */
  get resolvedCount(): number {
    // After an import, which has no attempts, the count is the original's.
    return Math.min(this.resolved, this.size)
  }

  /** Told by an attempt. @internal */
  noteResolved(): void {
    this.resolved++
  }

  /** It was copied, without its attempts. @internal */
  beginAnew({ isFound }: { readonly isFound: boolean }): void {
    this.resolved = 0
    if (!isFound) this.indexKey = undefined
  }

  override set<A extends WebhookDeliveryAttempt>(name: string, attempt: A): A {
    const before = this.size
    super.set(name, attempt)
    if (attempt.isResolved && this.size > before) this.resolved++
    return attempt
  }

  override delete(name: string): boolean {
    const attempt = this.get(name)
    if (!super.delete(name)) return false
    if (attempt?.isResolved) this.resolved--
    else raiseStandingStamp()
    return true
  }

  /** Removes and returns the oldest attempt; for tests. */
  pop(): WebhookDeliveryAttempt | undefined {
    for (const [name, attempt] of this.entries()) {
      this.delete(name)
      return attempt
    }
    return undefined
  }

  /** Removes all resolved attempts. */
  clear(): void {
    for (const [name, attempt] of [...this.entries()]) if (attempt.isResolved) this.delete(name)
  }
}

/** The endpoint's name: its own share of the deliveries, and its own order. */
export function endpointOf(subscription: PersistentSubscription): string {
  return String(oidOf(subscription))
}
