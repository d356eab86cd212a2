import { runInSite, siteOf } from '../content/index.js'
import type { Connection, ObjectDatabase, Oid } from '../persistence/index.js'
import { runOutsideTransactionScope } from '../transaction/index.js'
import { type EndedAttemptTry, WebhookDeliveryAttempt } from './attempt.js'
import { DeliveryFailedError, DestinationRefusedError } from './errors.js'
import type { AttemptResolution, TryResult } from './interfaces.js'
import { schedule, unschedule } from './outbox.js'
import { redactHeaders, redactUrl } from './redact.js'
import type { RetryDecision } from './retry-policy.js'

/** A try that ended, and what follows from it. */
export interface DecidedResult {
  readonly result: TryResult
  readonly decision: RetryDecision
}

/** Verbatim: upstream's texts. */
const REFUSED_DESTINATION =
  'Verification of the destination URL failed. Please check the domain.'
const NO_ANSWER = 'Contacting the remote server experienced an unexpected error.'
const NOT_RECORDED = 'Unexpected error handling the response from the server.'

/** Results written in one transaction, at most. */
const MAX_BATCH = 200

/**
 * Writes results back: all that have gathered in one transaction, while the next gather. When that
 * fails, each is written on its own, so that one that cannot be does not take its siblings along. A
 * conflict repeats the write, never the request.
 */
export class ResultRecorder {
  readonly #database: ObjectDatabase
  #waiting: { readonly decided: DecidedResult; readonly recorded: () => void }[] = []
  #running: Promise<void> | undefined

  constructor(database: ObjectDatabase) {
    this.#database = database
  }

  /** Results not written yet. */
  get size(): number {
    return this.#waiting.length
  }

  /** Resolves when the result is written, or was found not to be writable. */
  record(decided: DecidedResult): Promise<void> {
    return new Promise((recorded) => {
      this.#waiting.push({ decided, recorded })
      this.#running ??= runOutsideTransactionScope(() => this.#run())
    })
  }

  /** Resolves when nothing is waiting. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  async #run(): Promise<void> {
    // What ends in the same turn goes into the same transaction.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH)
      await this.#write(batch.map(({ decided }) => decided))
      for (const { recorded } of batch) recorded()
    }
    this.#running = undefined
  }

  async #write(results: readonly DecidedResult[]): Promise<void> {
    try {
      await this.#database.transaction(
        ({ connection }) => {
          for (const decided of results) apply(connection, decided)
        },
        { tries: WRITE_TRIES, note: 'webhook results' },
      )
    } catch (error) {
      if (!this.#database.isOpen) return
      if (results.length > 1) {
        for (const decided of results) await this.#write([decided])
      } else await this.#giveUp(results[0] as DecidedResult, error)
    }
  }

  /** A handler, or the attempt itself, keeps the result from being recorded: say so in its place. */
  async #giveUp({ result }: DecidedResult, error: unknown): Promise<void> {
    this.#database.onError(error, 'webhook results')
    try {
      await this.#database.transaction(({ connection }) => {
        const attempt = connection.query(result.shipment.attempt as Oid)
        if (!(attempt instanceof WebhookDeliveryAttempt) || attempt.isResolved) return
        unschedule(connection, result.shipment.attempt as Oid)
        attempt.resolveQuietly('exhausted', NOT_RECORDED, {
          ...endedTry(result),
          error: textOf(error),
        })
      })
    } catch (again) {
      // It stays pending, and is sent again when the database is opened.
      this.#database.onError(again, 'webhook results')
    }
  }
}

const WRITE_TRIES = 10

function apply(connection: Connection, { result, decision }: DecidedResult): void {
  const oid = result.shipment.attempt as Oid
  const attempt = connection.query(oid)
  if (!(attempt instanceof WebhookDeliveryAttempt) || attempt.isResolved) {
    unschedule(connection, oid)
    return
  }
  const ended = endedTry(result)
  if (decision.outcome === 'retry' && !(result.error instanceof DestinationRefusedError)) {
    attempt.recordTry(ended, decision.dueAtMs)
    schedule(connection, oid, decision.dueAtMs)
    return
  }
  unschedule(connection, oid)
  const resolve = (): void => {
    attempt.resolve(resolutionOf(result, decision), messageOf(result), ended)
  }
  // Handlers of the attempt's own site hear of it.
  const site = siteOf(attempt)
  if (site === undefined) resolve()
  else runInSite(site, resolve)
}

function resolutionOf({ error }: TryResult, { outcome }: RetryDecision): AttemptResolution {
  if (error instanceof DestinationRefusedError) return 'invalidDestination'
  return outcome === 'retry' ? 'exhausted' : outcome
}

function messageOf({ response, error }: TryResult): string {
  if (response !== undefined) return `${response.statusCode} ${response.reason}`.trim()
  return error instanceof DestinationRefusedError ? REFUSED_DESTINATION : NO_ANSWER
}

function endedTry({ startedAtMs, elapsedMs, request, response, error }: TryResult): EndedAttemptTry {
  const ended = { startedAtMs, elapsedMs }
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
        reason: response.reason,
        headers: redactHeaders(response.headers),
        content: response.content,
        elapsedMs: response.elapsedMs,
        createdAtMs: startedAtMs + elapsedMs,
      },
    }),
    ...(error !== undefined && { error: textOf(error) }),
  }
}

/** For people; the errors of the transport name no secrets. */
function textOf(error: unknown): string {
  if (error instanceof DeliveryFailedError || error instanceof DestinationRefusedError) {
    return `${error.code}: ${error.message}`
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

