import { parentOf } from '../content/index.js'
import { codeOf, outsideAllScopes } from '../foundation/index.js'
import type { Connection, ObjectDatabase, Oid } from '../persistence/index.js'
import { warnOfError } from '../transaction/index.js'
import { type EndedAttemptTry, WebhookDeliveryAttempt } from './attempt.js'
import { DeliveryFailedError, DestinationRefusedError } from './errors.js'
import { inSiteOf } from './in-site-of.js'
import type { AttemptResolution, TryResult } from './interfaces.js'
import { schedule, unschedule } from './outbox.js'
import { redactHeaders, redactUrl } from './redact.js'
import type { RetryDecision } from './retry-policy.js'
import { secretsOf, withoutSecrets } from './secrets.js'
import { RECEIVER_GONE, reasonToCancel, SUBSCRIPTION_REMOVED } from './standing.js'
import { raiseStandingStamp } from './standing-stamp.js'
import { PersistentSubscription } from './subscription.js'
import { WebhookSubscriptionManager } from './subscription-manager.js'

/** A try that ended, and what follows from it. */
export interface DecidedResult {
  readonly result: TryResult
  readonly decision: RetryDecision
}

/** Verbatim: upstream's texts. */
const REFUSED_DESTINATION = 'Verification of the destination URL failed. Please check the domain.'
const NO_ANSWER = 'Contacting the remote server experienced an unexpected error.'
const NOT_RECORDED = 'Unexpected error handling the response from the server.'

/** What is to be written about one attempt. */
interface Entry {
  readonly attempt: Oid
  /** @returns whether it is still pending, to be tried again. */
  readonly apply: (connection: Connection) => boolean
  /** What to record when `apply` cannot be. */
  readonly ended: EndedAttemptTry | undefined
  readonly recorded: (isPending: boolean) => void
  isPending: boolean
}

/** Results written in one transaction, at most. */
const MAX_BATCH = 200

/**
 * Writes results back: all that have gathered in one transaction, while the next gather. When that
 * fails, each is written on its own, so that one that cannot be does not take its siblings along. A
 * conflict repeats the write, never the request.
 */
export class ResultRecorder {
  readonly #database: ObjectDatabase
  #waiting: Entry[] = []
  #running: Promise<void> | undefined

  constructor(database: ObjectDatabase) {
    this.#database = database
  }

  /** Results not written yet. */
  get size(): number {
    return this.#waiting.length
  }

  /** True when nothing is waiting and nothing is being written. */
  get isSettled(): boolean {
    return this.#running === undefined
  }

  /**
   * Resolves when the result is written, or was found not to be writable.
   * @returns whether the attempt is to be tried again.
   */
  record(decided: DecidedResult): Promise<boolean> {
    const ended = endedTry(decided.result)
    return this.#add({
      attempt: decided.result.shipment.attempt as Oid,
      apply: (connection) => apply(connection, decided, ended),
      ended,
    })
  }

  /** Ends an attempt that is not to be sent any more: it, or its subscription, was removed. */
  cancel(attempt: Oid): Promise<boolean> {
    return this.#add({
      attempt,
      apply: (connection) => cancel(connection, attempt),
      ended: undefined,
    })
  }

  /** Resolves when nothing is waiting. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  #add(entry: Omit<Entry, 'recorded' | 'isPending'>): Promise<boolean> {
    return new Promise((recorded) => {
      this.#waiting.push({ ...entry, recorded, isPending: false })
      this.#running ??= outsideAllScopes(() => this.#run())
    })
  }

  async #run(): Promise<void> {
    // What ends in the same turn goes into the same transaction.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      await this.#write(batch)
      for (const { recorded, isPending } of batch) recorded(isPending)
    }
    this.#running = undefined
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    const isAlone = entries.length === 1
    try {
      await this.#database.transaction(
        ({ connection }) => {
          for (const entry of entries) entry.isPending = entry.apply(connection)
        },
        { tries: isAlone ? TRIES_ALONE : TRIES_TOGETHER, note: 'webhook results' },
      )
    } catch (error) {
      for (const entry of entries) entry.isPending = false
      if (!this.#database.isOpen) return
      if (!isAlone) for (const entry of entries) await this.#write([entry])
      else await this.#giveUp(entries[0] as Entry, error)
    }
  }

  /** A handler, or the attempt itself, keeps the result from being recorded: say so in its place. */
  async #giveUp({ attempt: oid, ended }: Entry, error: unknown): Promise<void> {
    this.#report(error)
    // The fault is not the attempt's. It stays pending, and is sent again when the database is opened.
    if (ended === undefined || isOfStorage(error)) return
    try {
      await this.#database.transaction(({ connection }) => {
        const attempt = connection.query(oid)
        if (!(attempt instanceof WebhookDeliveryAttempt) || attempt.isResolved) return
        unschedule(connection, oid)
        attempt.resolveQuietly('exhausted', NOT_RECORDED, { ...ended, error: textOf(error) })
      })
    } catch (again) {
      this.#report(again)
    }
  }

  #report(error: unknown): void {
    try {
      this.#database.onError(error, 'webhook results')
    } catch (failure) {
      // Recording goes on, whatever the reporter thinks of it.
      warnOfError(failure, 'webhook results')
    }
  }
}

const TRIES_TOGETHER = 10
/** Each comes after a pause of up to 100 ms: whoever else writes there will have had their turn. */
const TRIES_ALONE = 100

function isOfStorage(error: unknown): boolean {
  const code = codeOf(error)
  return code?.startsWith('STORAGE_') === true
}

function cancel(connection: Connection, oid: Oid): boolean {
  unschedule(connection, oid)
  const attempt = connection.query(oid)
  if (attempt instanceof WebhookDeliveryAttempt && attempt.isPending) {
    const reason = reasonToCancel(attempt) ?? SUBSCRIPTION_REMOVED
    inSiteOf(attempt, () => attempt.resolve('cancelled', reason))
  }
  return false
}

function apply(
  connection: Connection,
  { result, decision }: DecidedResult,
  ended: EndedAttemptTry,
): boolean {
  const oid = result.shipment.attempt as Oid
  const attempt = connection.query(oid)
  if (!(attempt instanceof WebhookDeliveryAttempt) || attempt.isResolved) {
    unschedule(connection, oid)
    return false
  }
  if (decision.outcome === 'retry' && !(result.error instanceof DestinationRefusedError)) {
    attempt.recordTry(ended, decision.dueAtMs)
    schedule(connection, oid, decision.dueAtMs)
    return true
  }
  unschedule(connection, oid)
  inSiteOf(attempt, () => {
    if (decision.outcome === 'refused' && decision.gone) endSubscription(attempt)
    attempt.resolve(resolutionOf(result, decision), messageOf(result, ended), ended)
  })
  return false
}

/** The receiver wants no further events. What else is pending for it is cancelled. */
function endSubscription(attempt: WebhookDeliveryAttempt): void {
  const subscription = parentOf(attempt)
  const manager = subscription && parentOf(subscription)
  if (!(subscription instanceof PersistentSubscription)) return
  if (!(manager instanceof WebhookSubscriptionManager)) return
  manager.deactivateSubscription(subscription)
  subscription.statusMessage = RECEIVER_GONE
  raiseStandingStamp()
}

function resolutionOf({ error }: TryResult, { outcome }: RetryDecision): AttemptResolution {
  if (error instanceof DestinationRefusedError) return 'invalidDestination'
  return outcome === 'retry' ? 'exhausted' : outcome
}

function messageOf({ error }: TryResult, { response }: EndedAttemptTry): string {
  if (response !== undefined) return `${response.statusCode} ${response.reason}`.trim()
  return error instanceof DestinationRefusedError ? REFUSED_DESTINATION : NO_ANSWER
}

function endedTry({
  shipment,
  startedAtMs,
  elapsedMs,
  request,
  response,
  error,
}: TryResult): EndedAttemptTry {
  const ended = { startedAtMs, elapsedMs }
  const secrets = secretsOf(request ?? { url: shipment.to, headers: {} })
  return {
    ...ended,
    ...(request && {
      request: {
        url: redactUrl(request.url),
        method: request.method,
        headers: redactHeaders(request.headers),
        createdAtMs: startedAtMs,
      },
    }),
    ...(response && {
      response: {
        statusCode: response.statusCode,
        reason: withoutSecrets(response.reason, secrets),
        headers: headersWithout(response.headers, secrets),
        content: withoutSecrets(response.content, secrets),
        elapsedMs: response.elapsedMs,
        createdAtMs: startedAtMs + elapsedMs,
      },
    }),
    ...(error !== undefined && { error: withoutSecrets(textOf(error), secrets) }),
  }
}

/** Receivers echo what they were sent. */
function headersWithout(
  headers: Readonly<Record<string, string>>,
  secrets: readonly string[],
): Record<string, string> {
  const safe = redactHeaders(headers)
  if (secrets.length === 0) return safe
  return Object.fromEntries(
    Object.entries(safe).map(([name, value]) => [name, withoutSecrets(value, secrets)]),
  )
}

/** For people. */
function textOf(error: unknown): string {
  if (error instanceof DeliveryFailedError || error instanceof DestinationRefusedError) {
    return `${error.code}: ${error.message}`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
