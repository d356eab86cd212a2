import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { implementer, notify } from '../component/index.js'
import { Contained, ObjectModifiedEvent } from '../content/index.js'
import { describeObject, field, stored } from '../persistence/index.js'
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

/** What changes in an attempt, as one value: it is replaced as a whole. */
interface Outcome {
  readonly status: AttemptStatus
  readonly resolution: AttemptResolution | undefined
  readonly message: string
  readonly tries: readonly DeliveryTry[]
  readonly dueAtMs: number
  readonly request: Omit<AttemptRequest, 'body'> | null
  readonly response: AttemptResponse | null
  readonly errorHistory: readonly string[]
}

/** What never changes in it. */
interface Letter {
  readonly messageId: string
  readonly payload: string
  readonly origin: AttemptOrigin
}

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
  @field private accessor letter: Letter | undefined = undefined
  @field private accessor outcome: Outcome | undefined = undefined

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
    attempt.letter = {
      messageId: `msg_${randomUUID()}`,
      payload,
      origin: { host: hostname(), pid: process.pid, createdAtMs: nowMs, transactionNote },
    }
    attempt.outcome = {
      status: 'pending',
      resolution: undefined,
      message: '',
      tries: [],
      dueAtMs: nowMs,
      request: null,
      response: null,
      errorHistory: [],
    }
    return attempt
  }

  get status(): AttemptStatus {
    return this.current.status
  }
  get resolution(): AttemptResolution | undefined {
    return this.current.resolution
  }
  get message(): string {
    return this.current.message
  }
  get tries(): readonly DeliveryTry[] {
    return this.current.tries
  }
  get dueAtMs(): number {
    return this.current.dueAtMs
  }
  get request(): AttemptRequest | null {
    const { request } = this.current
    return request && { ...request, body: this.payload }
  }
  get response(): AttemptResponse | null {
    return this.current.response
  }
  get errorHistory(): readonly string[] {
    return this.current.errorHistory
  }
  get messageId(): string {
    return (this.letter as Letter).messageId
  }
  get payload(): string {
    return (this.letter as Letter).payload
  }
  get origin(): AttemptOrigin {
    return (this.letter as Letter).origin
  }
  get createdAtMs(): number {
    return this.origin.createdAtMs
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
    this.outcome = { ...this.afterTry(ended), dueAtMs }
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
    const succeeded = resolution === 'delivered'
    this.outcome = {
      ...(ended === undefined ? this.pendingOutcome() : this.afterTry(ended)),
      status: succeeded ? 'successful' : 'failed',
      resolution,
      message,
    }
  }

  // Private by word only: loaded objects have no #private members, since no constructor made them.

  private get current(): Outcome {
    return this.outcome as Outcome
  }

  private pendingOutcome(): Outcome {
    const outcome = this.current
    if (outcome.status !== 'pending') {
      throw new AttemptResolvedError(
        `Cannot change status once set. ${describeObject(this)} is ${outcome.status}.`,
      )
    }
    return outcome
  }

  private afterTry({ startedAtMs, elapsedMs, request, response, error }: EndedAttemptTry): Outcome {
    const outcome = this.pendingOutcome()
    const tryRecord: DeliveryTry = {
      startedAtMs,
      elapsedMs,
      statusCode: response?.statusCode ?? null,
      error: error ?? null,
    }
    return {
      ...outcome,
      tries: [...outcome.tries, tryRecord],
      request: request ?? outcome.request,
      response: response ?? null,
      errorHistory: error === undefined ? outcome.errorHistory : [...outcome.errorHistory, error],
    }
  }
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
