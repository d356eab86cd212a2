import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { implementer, notify } from '../component/index.js'
import { Contained, LEFT_OUT_OF_COPIES, ObjectModifiedEvent } from '../content/index.js'
import { describeObject, field, KEPT_BY_UNDO, plain, stored } from '../persistence/index.js'
import { AttemptResolvedError } from './errors.js'
import {
  type AttemptOrigin,
  type AttemptRequest,
  type AttemptResolution,
  type AttemptResponse,
  type AttemptStatus,
  type DeliveryTry,
  IWebhookDeliveryAttempt,
  IWebhookDeliveryAttemptFailedEvent,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDeliveryAttemptSucceededEvent,
} from './interfaces.js'
import { raiseStandingStamp } from './standing-stamp.js'

const HOST = hostname()

/**
 * One delivery to one subscription.
 *
 * | status       | true in it                        | leads out                    |
 * | ------------ | --------------------------------- | ---------------------------- |
 * | `pending`    | will be sent at `dueAtMs`         | `recordTry`, `resolve`       |
 * | `successful` | `resolution` is `delivered`       | nothing                      |
 * | `failed`     | `resolution` says why             | nothing                      |
 *
 * Source: `nti.webhooks.attempts`; the retries are ours.
 * @public
 */
@stored('treehook.WebhookDeliveryAttempt')
@implementer(IWebhookDeliveryAttempt)
export class WebhookDeliveryAttempt extends Contained implements IWebhookDeliveryAttempt {
  /** The request is out, or will be: that its cause was undone is another event. */
  static readonly [KEPT_BY_UNDO] = true
  /** What was sent was sent for the original, and a copy of what is pending nobody would send. */
  static readonly [LEFT_OUT_OF_COPIES] = true
  @field private accessor storedMessageId = ''
  @field private accessor storedPayload = ''
  @field private accessor storedOrigin: AttemptOrigin | undefined = undefined
  @field private accessor storedStatus: AttemptStatus = 'pending'
  @field private accessor storedResolution: AttemptResolution | undefined = undefined
  @field private accessor storedMessage = ''
  @field private accessor storedDueAtMs = 0
  @field private accessor storedTries: readonly DeliveryTry[] = []
  @field private accessor storedRequest: Omit<AttemptRequest, 'body'> | null = null
  @field private accessor storedResponse: AttemptResponse | null = null
  @field private accessor storedErrors: readonly string[] = []

  /** A pending attempt, due at once. */
  static pending({
    payload,
    nowMs,
    transactionNote,
  }: {
    readonly payload: string
    readonly nowMs: number
    readonly transactionNote: string
  }): WebhookDeliveryAttempt {
    const attempt = new WebhookDeliveryAttempt()
    attempt.storedMessageId = `msg_${randomUUID()}`
    attempt.storedPayload = payload
    attempt.storedOrigin = { host: HOST, pid: process.pid, createdAtMs: nowMs, transactionNote }
    attempt.storedDueAtMs = nowMs
    return attempt
  }

  get status(): AttemptStatus {
    return this.storedStatus
  }
  get resolution(): AttemptResolution | undefined {
    return this.storedResolution
  }
  get message(): string {
    return this.storedMessage
  }
  // Copies, since a record that could be changed in place would be no record.
  get tries(): readonly DeliveryTry[] {
    return plain(this.storedTries)
  }
  get dueAtMs(): number {
    return this.storedDueAtMs
  }
  get request(): AttemptRequest | null {
    const { storedRequest } = this
    return storedRequest && { ...plain(storedRequest), body: this.payload }
  }
  get response(): AttemptResponse | null {
    return plain(this.storedResponse)
  }
  get errorHistory(): readonly string[] {
    return plain(this.storedErrors)
  }
  get messageId(): string {
    return this.storedMessageId
  }
  get payload(): string {
    return this.storedPayload
  }
  get origin(): AttemptOrigin {
    return plain(this.storedOrigin as AttemptOrigin)
  }
  get createdAtMs(): number {
    return (this.storedOrigin as AttemptOrigin).createdAtMs
  }
  get isPending(): boolean {
    return this.status === 'pending'
  }
  get isResolved(): boolean {
    return this.status !== 'pending'
  }

  /**
   * Notes a try that leaves the attempt pending.
   * @throws WEBHOOK_ATTEMPT_RESOLVED
   */
  recordTry(ended: EndedAttemptTry, dueAtMs: number): void {
    this.assertPending()
    this.addTry(ended)
    this.storedDueAtMs = dueAtMs
  }

  /**
   * Ends the attempt, and tells the world.
   * @param ended - the try that decided it; absent when there was none.
   * @throws WEBHOOK_ATTEMPT_RESOLVED
   */
  resolve(resolution: AttemptResolution, message: string, ended?: EndedAttemptTry): void {
    this.resolveQuietly(resolution, message, ended)
    notify(new (this.status === 'successful' ? AttemptSucceededEvent : AttemptFailedEvent)(this))
  }

  /** The same without telling: for when a handler's error is the reason. @internal */
  resolveQuietly(resolution: AttemptResolution, message: string, ended?: EndedAttemptTry): void {
    this.assertPending()
    if (ended !== undefined) this.addTry(ended)
    else raiseStandingStamp()
    this.storedStatus = resolution === 'delivered' ? 'successful' : 'failed'
    this.storedResolution = resolution
    this.storedMessage = message
    const keeper = this.__parent__ as Partial<AttemptKeeper> | undefined
    keeper?.noteResolved?.()
  }

  // Private by word only: loaded objects have no #private members, since no constructor made them.

  private assertPending(): void {
    if (this.storedStatus === 'pending') return
    throw new AttemptResolvedError(
      `Cannot change status once set. ${describeObject(this)} is ${this.storedStatus}.`,
    )
  }

  private addTry({ startedAtMs, elapsedMs, request, response, error }: EndedAttemptTry): void {
    const statusCode = response?.statusCode ?? null
    const ended: DeliveryTry = { startedAtMs, elapsedMs, statusCode, error: error ?? null }
    this.storedTries = [...this.storedTries, ended]
    if (request !== undefined) this.storedRequest = request
    this.storedResponse = response ?? null
    if (error !== undefined) this.storedErrors = [...this.storedErrors, error]
  }
}

/** What contains attempts, as far as they tell it something. */
interface AttemptKeeper {
  /** One of its attempts is no longer pending. */
  noteResolved(): void
}

/** A try as an attempt records it. */
export interface EndedAttemptTry {
  readonly startedAtMs: number
  readonly elapsedMs: number
  readonly request?: Omit<AttemptRequest, 'body'>
  readonly response?: AttemptResponse
  readonly error?: string
}

/** @public */
@implementer(IWebhookDeliveryAttemptResolvedEvent)
export abstract class AttemptResolvedEvent extends ObjectModifiedEvent<WebhookDeliveryAttempt> {
  abstract readonly succeeded: boolean

  constructor(attempt: WebhookDeliveryAttempt) {
    super(attempt, [{ attributes: ['status'] }])
  }
}

/** @public */
@implementer(IWebhookDeliveryAttemptSucceededEvent)
export class AttemptSucceededEvent extends AttemptResolvedEvent {
  readonly succeeded = true
}

/** @public */
@implementer(IWebhookDeliveryAttemptFailedEvent)
export class AttemptFailedEvent extends AttemptResolvedEvent {
  readonly succeeded = false
}
