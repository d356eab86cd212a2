import { queryUtility } from '../component/index.js'
import { databaseRegistry, IObjectRemovedEvent } from '../content/index.js'
import { type Connection, describeObject, type Oid } from '../persistence/index.js'
import type {
  DataManagerSavepoint,
  SavepointDataManager,
  Transaction,
} from '../transaction/index.js'
import { WebhookDeliveryAttempt } from './attempt.js'
import { UnknownDialectError } from './errors.js'
import { inSiteOf } from './in-site-of.js'
import { IWebhookDeliveryManager, IWebhookDialect, type Shipment } from './interfaces.js'
import { schedule } from './outbox.js'
import { isInTree, reasonToCancel } from './standing.js'
import { standingStamp } from './standing-stamp.js'
import { endpointOf, type PersistentSubscription } from './subscription.js'

/** One dispatched event, and to whom it goes. */
interface Dispatched {
  readonly object: object
  readonly event: object
  readonly subscriptions: Set<PersistentSubscription>
  /** By dialect: made once, when the object lost its place or at commit. */
  readonly payloads: Map<IWebhookDialect, Built>
}

/** A payload, or why there is none. */
type Built =
  | { readonly payload: string; readonly dialect: IWebhookDialect }
  | { readonly error: unknown }

/** Message of an attempt that could not be built. */
const NOT_BUILT = 'Building the request failed.'

/**
 * The webhooks of one transaction. It joins at the first event that concerns a subscription, and
 * takes the connection in with it: joining later, during the commit, is not allowed.
 *
 * | phase      | what happens                                                                     |
 * | ---------- | -------------------------------------------------------------------------------- |
 * | event      | the subscriptions are noted; of a removed object the payloads are made now, while it has its place |
 * | tpcBegin   | payloads are made from the objects as they will be committed; attempts and their rows in the outbox are created, in time to go into the same batch |
 * | commit … tpcFinish | nothing: the connection writes it all                                    |
 * | after the commit | the shipments are handed to the delivery manager                           |
 *
 * What was noted since a savepoint goes when it is rolled back to.
 *
 * Sending starts from an after-commit hook and not in `tpcFinish`: there another manager may still
 * fail, and upstream has then sent what was never committed.
 *
 * Source: `nti.webhooks.datamanager.WebhookDataManager`.
 */
export class DeliveryDataManager implements SavepointDataManager {
  readonly sortKey = 'treehook.webhooks'
  readonly #connection: Connection
  #dispatched: Dispatched[] = [] // in the order of their first events
  #ofObject = new Map<object, Dispatched[]>() // the same, by object
  #shipments: Shipment[] = []
  #journal: (() => void)[] | undefined // how each step since the first savepoint is taken back

  /** The one of this transaction. */
  static of(connection: Connection, transaction: Transaction): DeliveryDataManager {
    const known = DeliveryDataManager.query(transaction)
    if (known !== undefined) return known
    const manager = new DeliveryDataManager(connection)
    connection.join()
    transaction.join(manager)
    transaction.setData(DeliveryDataManager, manager)
    transaction.addAfterCommitHook((succeeded) => manager.#handOver(succeeded))
    return manager
  }

  /** The one of this transaction, when an event has made it join. */
  static query(transaction: Transaction): DeliveryDataManager | undefined {
    return transaction.data<DeliveryDataManager>(DeliveryDataManager)
  }

  private constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Notes an event. The same event and object again add subscriptions, never a second delivery to
   * one.
   */
  collect(object: object, event: object, subscriptions: readonly PersistentSubscription[]): void {
    const known = this.#ofObject.get(object)?.find((one) => one.event === event)
    const dispatched = known ?? this.#note(object, event)
    for (const subscription of subscriptions) {
      if (!dispatched.subscriptions.has(subscription)) {
        dispatched.subscriptions.add(subscription)
        this.#journal?.push(() => dispatched.subscriptions.delete(subscription))
      }
      if (IObjectRemovedEvent.providedBy(event)) this.#buildNow(dispatched, subscription)
    }
  }

  #note(object: object, event: object): Dispatched {
    const dispatched = { object, event, subscriptions: new Set<never>(), payloads: new Map() }
    const ofObject = this.#ofObject.get(object) ?? []
    this.#ofObject.set(object, ofObject)
    ofObject.push(dispatched)
    this.#dispatched.push(dispatched)
    this.#journal?.push(() => {
      this.#dispatched.pop()
      ofObject.pop()
    })
    return dispatched
  }

  /** Makes the payloads of what happened to the object before, while it still has its place. */
  losesItsPlace(object: object): void {
    for (const dispatched of this.#ofObject.get(object) ?? []) {
      for (const subscription of dispatched.subscriptions) this.#buildNow(dispatched, subscription)
    }
  }

  #buildNow(dispatched: Dispatched, subscription: PersistentSubscription): void {
    const { payloads } = dispatched
    const before = payloads.size
    const { dialect } = build(dispatched, subscription) as { readonly dialect?: IWebhookDialect }
    if (dialect !== undefined && payloads.size > before) {
      this.#journal?.push(() => payloads.delete(dialect))
    }
  }

  savepoint(): DataManagerSavepoint {
    this.#journal ??= []
    const journal = this.#journal
    const steps = journal.length
    return {
      rollback() {
        for (const takeBack of journal.splice(steps).reverse()) takeBack()
      },
    }
  }

  abort(transaction: Transaction): void {
    this.#forget()
    // A savepoint's rollback may have let it leave: the next event lets another one join.
    transaction.setData(DeliveryDataManager, undefined)
  }

  /** @throws in a strict database, what a dialect threw. */
  tpcBegin(transaction: Transaction): void {
    const nowMs = this.#connection.database.clock.nowMs()
    for (const dispatched of this.#dispatched) {
      forgetIfBack(dispatched)
      for (const subscription of dispatched.subscriptions) {
        this.#createAttempt(dispatched, subscription, nowMs, transaction)
      }
    }
  }

  commit(): void {}
  tpcVote(): void {}
  tpcFinish(): void {}

  tpcAbort(): void {
    this.#forget()
  }

  #createAttempt(
    dispatched: Dispatched,
    subscription: PersistentSubscription,
    nowMs: number,
    transaction: Transaction,
  ): void {
    const built = build(dispatched, subscription)
    const isBuilt = 'payload' in built
    if (!isBuilt && this.#deliveryManager?.strict) throw built.error
    const attempt = WebhookDeliveryAttempt.pending({
      payload: isBuilt ? built.payload : '',
      nowMs,
      transactionNote: transaction.description,
    })
    const oid = this.#connection.add(attempt)
    // A subscription made in this transaction gets its oid now.
    this.#connection.add(subscription)
    subscription.set(attemptName(nowMs, oid), attempt)
    if (!isBuilt) {
      const error = built.error instanceof Error ? built.error.message : String(built.error)
      inSiteOf(attempt, () => {
        attempt.resolve('notBuilt', NOT_BUILT, { startedAtMs: nowMs, elapsedMs: 0, error })
      })
      return
    }
    const reason = reasonToCancel(attempt)
    if (reason !== undefined) {
      inSiteOf(attempt, () => attempt.resolve('cancelled', reason))
      return
    }
    schedule(this.#connection, oid, nowMs)
    this.#shipments.push({
      attempt: oid,
      endpoint: endpointOf(subscription),
      to: subscription.to,
      payload: built.payload,
      messageId: attempt.messageId,
      dialect: built.dialect,
      tries: 0,
      dueAtMs: nowMs,
      standing: standingStamp(),
    })
  }

  get #deliveryManager(): IWebhookDeliveryManager | undefined {
    const context = databaseRegistry(this.#connection.database)
    return queryUtility(IWebhookDeliveryManager, { context })
  }

  #handOver(succeeded: boolean): void {
    const shipments = this.#shipments
    this.#forget()
    if (!succeeded || shipments.length === 0) return
    this.#deliveryManager?.acceptForDelivery(shipments)
  }

  #forget(): void {
    this.#dispatched = []
    this.#ofObject = new Map()
    this.#shipments = []
    this.#journal = undefined
  }
}

/** The dialect of a subscription, looked up where it is. @throws WEBHOOK_UNKNOWN_DIALECT */
export function dialectOf(subscription: PersistentSubscription): IWebhookDialect {
  const name = subscription.dialectId
  const dialect = queryUtility(IWebhookDialect, { name, context: subscription })
  if (dialect === undefined) {
    throw new UnknownDialectError(
      `${describeObject(subscription)} names the dialect ${JSON.stringify(name)}, which is not registered ` +
        'where the subscription is; register it as a utility for IWebhookDialect',
    )
  }
  return dialect
}

/** An object that cannot be built is recorded as such, and does not fail its transaction. */
function build(dispatched: Dispatched, subscription: PersistentSubscription): Built {
  try {
    const dialect = dialectOf(subscription)
    let built = dispatched.payloads.get(dialect)
    if (built === undefined) {
      const payload = dialect.externalizeData(dispatched.object, dispatched.event)
      built = { payload, dialect }
      dispatched.payloads.set(dialect, built)
    }
    return built
  } catch (error) {
    return { error }
  }
}

/** Put back after it was removed, an object is sent as it is committed; its removal as it was then. */
function forgetIfBack({ object, event, payloads }: Dispatched): void {
  if (payloads.size === 0 || IObjectRemovedEvent.providedBy(event)) return
  if (isInTree(object)) payloads.clear()
}

/** Text order is order of time, and at one time of oids; two attempts never have the same. */
export function attemptName(nowMs: number, oid: Oid): string {
  return `${String(nowMs).padStart(13, '0')}-${String(oid).padStart(OID_DIGITS, '0')}`
}

/** Of 2⁵³. */
const OID_DIGITS = 16
