import { implementer } from '../component/index.js'
import { parentOf } from '../content/index.js'
import {
  aBoolean,
  aFunction,
  anIterable,
  anObjectWith,
  anything,
  aWholeNumber,
  checkOptions,
  type OptionRules,
  outsideAllScopes,
} from '../foundation/index.js'
import type { Connection, ObjectDatabase, Oid } from '../persistence/index.js'
import { WebhookDeliveryAttempt } from './attempt.js'
import { dialectOf } from './delivery-data-manager.js'
import { DeliveryQueue, type DeliveryQueueOptions } from './delivery-queue.js'
import type { DestinationPolicy } from './destination-judge.js'
import { InvalidSettingError } from './errors.js'
import { HttpTransport } from './http-transport.js'
import {
  IWebhookDeliveryManager,
  type IWebhookDialect,
  type Shipment,
  type TryResult,
} from './interfaces.js'
import { outboxOf } from './outbox.js'
import { ResultRecorder } from './result-recorder.js'
import { type RetryDecision, RetryPolicy, type RetryPolicyOptions } from './retry-policy.js'
import { reasonToCancel } from './standing.js'
import { standingStamp } from './standing-stamp.js'
import { endpointOf, type PersistentSubscription } from './subscription.js'
import type { OutgoingRequest, Transport } from './transport.js'

/** How a database delivers. @public */
export interface DeliveryOptions {
  /** The operator's word on where requests may go; default: public addresses only. */
  readonly destinations?: DestinationPolicy
  /** Certificates, as PEM, that are trusted beside the system's. */
  readonly ca?: readonly string[]
  /** From the look-up of the host to the last byte of the answer. Default 15,000. */
  readonly deadlineMs?: number
  readonly retry?: RetryPolicyOptions
  readonly concurrency?: Omit<DeliveryQueueOptions, 'clock'>
  /** In place of HTTPS: for tests. */
  readonly transport?: Transport
  /** For jitter. From 0 included to 1 excluded; default `Math.random`. */
  readonly random?: () => number
  /** A payload that cannot be built fails its transaction, and not only its attempt. */
  readonly strict?: boolean
  /** False: nothing is sent; what is pending stays so. Default true. */
  readonly deliver?: boolean
}

/** What they may be; parts of them are checked by those who work with them. */
export const deliveryOptionRules: OptionRules<DeliveryOptions> = {
  destinations: anything,
  ca: anIterable,
  deadlineMs: aWholeNumber(1),
  retry: anything,
  concurrency: anything,
  transport: anObjectWith('a transport', ['send', 'close']),
  random: aFunction,
  strict: aBoolean,
  deliver: aBoolean,
}

/** A stamp that is never current: found in the database, it is looked at before it is sent. */
const LOOK_AGAIN = -1
/** Tries whose results may wait to be written before sending waits for them. */
const MAX_UNRECORDED = 1000
/** Rows of the outbox read in one transaction at resumption. */
const RESUME_PAGE = 500

/**
 * Sends the attempts of one database and records how that went. Knows no transaction of the
 * application: it is given shipments after a commit, and finds pending attempts when the database is
 * opened.
 *
 * Source: `nti.webhooks.delivery_manager.DefaultDeliveryManager`; what it promises beyond a process's
 * life is ours.
 * @public
 */
@implementer(IWebhookDeliveryManager)
export class DeliveryManager implements IWebhookDeliveryManager {
  readonly strict: boolean
  readonly #database: ObjectDatabase
  readonly #transport: Transport
  readonly #queue: DeliveryQueue
  readonly #policy: RetryPolicy
  readonly #recorder: ResultRecorder
  readonly #random: () => number
  #resuming: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(database: ObjectDatabase, options: DeliveryOptions = {}) {
    checkOptions(options, deliveryOptionRules, InvalidSettingError)
    const { clock } = database
    this.#database = database
    this.strict = options.strict ?? false
    this.#random = options.random ?? Math.random
    this.#policy = new RetryPolicy(options.retry)
    this.#recorder = new ResultRecorder(database)
    this.#queue = new DeliveryQueue({ ...options.concurrency, clock })
    this.#transport =
      options.transport ??
      new HttpTransport({
        clock,
        ...(options.destinations && { policy: options.destinations }),
        ...(options.ca && { ca: options.ca }),
        ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
      })
    if (options.deliver === false) this.#queue.pause()
  }

  /** Takes up what was pending when the database was last open. Returns when that is queued. */
  start(): Promise<void> {
    this.#resuming ??= outsideAllScopes(() => this.#resume())
    return this.#resuming
  }

  acceptForDelivery(shipments: readonly Shipment[]): void {
    outsideAllScopes(() => {
      for (const shipment of shipments) this.#enqueue(shipment)
    })
  }

  /** Attempts queued or under way, those for later included. */
  get pending(): number {
    return this.#queue.size
  }

  /** Starts no request until {@link resume}. */
  pause(): void {
    this.#queue.pause()
  }

  resume(): void {
    this.#queue.resume()
  }

  /**
   * Resolves when everything that is due has been sent and recorded. Attempts that wait for a retry
   * are not waited for.
   */
  async waitForPendingDeliveries(): Promise<void> {
    await this.#resuming
    await this.#queue.waitForIdle()
    // What was recorded may be due again at once.
    while (!this.#recorder.isSettled) {
      await this.#recorder.settled()
      await this.#queue.waitForIdle()
    }
  }

  /** Ends requests under way: they are made again at the next opening. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#queue.close()
    await this.#recorder.settled()
    await this.#transport.close()
  }

  #enqueue(shipment: Shipment): void {
    this.#queue.add({
      key: shipment.endpoint,
      host: hostOf(shipment.to),
      dueAtMs: shipment.dueAtMs,
      run: (signal) => this.#deliver(shipment, signal),
    })
  }

  async #deliver(queued: Shipment, signal: AbortSignal): Promise<void> {
    let shipment: Shipment | undefined
    try {
      shipment = queued.standing === standingStamp() ? queued : await this.#lookAgain(queued)
    } catch (error) {
      // It cannot be read. It stays pending, and is looked at again when the database is opened.
      this.#database.onError(error, 'webhook delivery')
      return
    }
    if (signal.aborted) return
    if (shipment === undefined) {
      void this.#recorder.cancel(queued.attempt as Oid)
      return
    }
    const result = await this.#try(shipment, signal)
    // Closing ended it, not the receiver: it stays pending.
    if (signal.aborted && result.response === undefined) return
    const decision = this.#decide(result)
    const recorded = this.#recorder.record({ result, decision })
    if ('holdUntilMs' in decision && decision.holdUntilMs !== undefined) {
      this.#queue.holdEndpoint(shipment.endpoint, decision.holdUntilMs)
    }
    if (decision.outcome === 'retry') {
      const next = { ...shipment, tries: shipment.tries + 1, dueAtMs: decision.dueAtMs }
      void recorded.then((isPending) => isPending && this.#enqueue(next))
    }
    if (this.#recorder.size > MAX_UNRECORDED) await recorded
  }

  /**
   * The shipment when it is to be sent now; `undefined` when its attempt was resolved or its
   * subscription removed while it was queued.
   */
  #lookAgain(queued: Shipment): Promise<Shipment | undefined> {
    const oid = queued.attempt as Oid
    return this.#database.view(({ connection }) => shipmentOf(connection, oid, queued.dueAtMs))
  }

  async #try(shipment: Shipment, signal: AbortSignal): Promise<TryResult> {
    const { clock } = this.#database
    const startedAtMs = clock.nowMs()
    const startMs = clock.monotonicMs()
    const elapsed = (): number => Math.round((clock.monotonicMs() - startMs) * 1000) / 1000
    let request: OutgoingRequest | undefined
    try {
      request = shipment.dialect.prepareRequest({
        to: shipment.to,
        payload: shipment.payload,
        messageId: shipment.messageId,
        atMs: startedAtMs,
      })
      const response = await this.#transport.send(request, { signal })
      return { shipment, request, startedAtMs, elapsedMs: elapsed(), response }
    } catch (error) {
      return {
        shipment,
        ...(request && { request }),
        startedAtMs,
        elapsedMs: elapsed(),
        error,
      }
    }
  }

  #decide({ shipment, response }: TryResult): RetryDecision {
    const retryAfter = response?.headers['retry-after']
    return this.#policy.nextTry({
      tries: shipment.tries + 1,
      failedAtMs: this.#database.clock.nowMs(),
      random: this.#random(),
      ...(response && { statusCode: response.statusCode }),
      ...(retryAfter !== undefined && { retryAfter }),
    })
  }

  /** The storage's lock proves that whoever sent before is dead: everything is ours, at once. */
  async #resume(): Promise<void> {
    let after = -1
    for (;;) {
      const page = await this.#readOutbox(after)
      if (page.length === 0 || this.#closing !== undefined) return
      for (const { oid, shipment } of page) {
        if (shipment === undefined) void this.#recorder.cancel(oid)
        else this.#enqueue(shipment)
        after = oid
      }
    }
  }

  #readOutbox(after: number): Promise<{ oid: Oid; shipment: Shipment | undefined }[]> {
    return this.#database.view(({ connection }) => {
      const page: { oid: Oid; shipment: Shipment | undefined }[] = []
      for (const [oid, dueAtMs] of outboxOf(connection).entries({ min: after, excludeMin: true })) {
        page.push({ oid: oid as Oid, shipment: shipmentOf(connection, oid as Oid, dueAtMs) })
        if (page.length === RESUME_PAGE) break
      }
      return page
    })
  }
}

/** What is needed to send a stored attempt; `undefined` when it is not to be sent. */
function shipmentOf(connection: Connection, oid: Oid, dueAtMs: number): Shipment | undefined {
  const attempt = connection.query(oid)
  if (!(attempt instanceof WebhookDeliveryAttempt) || attempt.isResolved) return undefined
  if (reasonToCancel(attempt) !== undefined) return undefined
  const subscription = parentOf(attempt) as PersistentSubscription
  return {
    attempt: oid,
    endpoint: endpointOf(subscription),
    to: subscription.to,
    payload: attempt.payload,
    messageId: attempt.messageId,
    dialect: knownDialectOf(subscription),
    tries: attempt.tries.length,
    dueAtMs,
    standing: LOOK_AGAIN,
  }
}

/** In the place of a dialect that is not registered: a try that fails, since it may be later. */
function knownDialectOf(subscription: PersistentSubscription): IWebhookDialect {
  try {
    return dialectOf(subscription)
  } catch (error) {
    const fail = (): never => {
      throw error
    }
    return { externalizeData: fail, prepareRequest: fail }
  }
}

function hostOf(url: string): string {
  return new URL(url).hostname
}
