import { InvalidSettingError } from './errors.js'

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS

/** The waits after the first, second, … failed try: 13 tries in 75.7 hours. @public */
export const DEFAULT_LADDER_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
]

/** @public */
export interface RetryPolicyOptions {
  /** `'none'`: a single try. Default `'ladder'`. */
  readonly retry?: 'ladder' | 'none'
  /** The wait after each failed try; as many retries as entries. Default {@link DEFAULT_LADDER_MS}. */
  readonly ladderMs?: readonly number[]
  /** The share by which a wait is varied, both ways; 0 included to 1 excluded. Default 0.2. */
  readonly jitter?: number
  /** The longest a receiver may ask us to wait. Default 24 hours. */
  readonly maxRetryAfterMs?: number
}

/** One try, as it ended. @public */
export interface EndedTry {
  /** Tries made so far, this one included: 1 or more. */
  readonly tries: number
  /** Absent when no answer came. */
  readonly statusCode?: number
  /** The `Retry-After` header, as received. */
  readonly retryAfter?: string
  /** Ms since the epoch. */
  readonly failedAtMs: number
  /** 0 included to 1 excluded; from the injected source. */
  readonly random: number
}

/** What follows from a try. @public */
export type RetryDecision =
  | { readonly outcome: 'delivered' }
  /** Final; with `gone`, the receiver (410) wants no further events either. */
  | { readonly outcome: 'refused'; readonly gone: boolean }
  | {
      readonly outcome: 'retry'
      readonly dueAtMs: number
      /** Present when the receiver is overloaded (429, 503): send it nothing before. */
      readonly holdUntilMs?: number
    }
  | { readonly outcome: 'exhausted'; readonly holdUntilMs?: number }

/**
 * Decides, from how a try ended, whether and when there is another one. Pure: the same try gives the
 * same decision.
 *
 * | answer | outcome |
 * | --- | --- |
 * | 2xx | delivered |
 * | 3xx, 4xx but 408, 425, 429 | refused; 410 also `gone` |
 * | anything else, or none | retry along the ladder; exhausted at its end |
 *
 * `Retry-After` can lengthen a wait, never shorten it.
 * @public
 */
export class RetryPolicy {
  readonly #ladderMs: readonly number[]
  readonly #jitter: number
  readonly #maxRetryAfterMs: number

  /** @throws WEBHOOK_INVALID_SETTING for a negative wait or a jitter outside of 0…1. */
  constructor({
    retry = 'ladder',
    ladderMs = DEFAULT_LADDER_MS,
    jitter = 0.2,
    maxRetryAfterMs = 24 * HOUR_MS,
  }: RetryPolicyOptions = {}) {
    if (!ladderMs.every(isWait))
      throw new InvalidSettingError('Each wait in ladderMs must be 0 ms or more.')
    if (!(jitter >= 0 && jitter < 1))
      throw new InvalidSettingError('jitter must be 0 or more and below 1.')
    if (!isWait(maxRetryAfterMs))
      throw new InvalidSettingError('maxRetryAfterMs must be 0 ms or more.')
    this.#ladderMs = retry === 'none' ? [] : ladderMs
    this.#jitter = jitter
    this.#maxRetryAfterMs = maxRetryAfterMs
  }

  nextTry(ended: EndedTry): RetryDecision {
    const { tries, statusCode, failedAtMs, random } = ended
    if (isDelivered(statusCode)) return { outcome: 'delivered' }
    if (isFinal(statusCode)) return { outcome: 'refused', gone: statusCode === 410 }

    const askedMs = this.#askedWaitMs(ended)
    const hold = isOverloaded(statusCode)
      ? { holdUntilMs: failedAtMs + Math.max(askedMs, this.#ladderMs[0] ?? 0) }
      : {}
    const stepMs = this.#ladderMs[tries - 1]
    if (stepMs === undefined) return { outcome: 'exhausted', ...hold }

    const variedMs = Math.round(stepMs * (1 + this.#jitter * (2 * random - 1)))
    return { outcome: 'retry', dueAtMs: failedAtMs + Math.max(variedMs, askedMs), ...hold }
  }

  #askedWaitMs({ retryAfter, failedAtMs }: EndedTry): number {
    const askedMs = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, failedAtMs)
    return Math.min(askedMs ?? 0, this.#maxRetryAfterMs)
  }
}

/**
 * Reads a `Retry-After` header: whole seconds, or any of the three forms of an HTTP date.
 * @param nowMs - ms since the epoch.
 * @returns the wait in ms; 0 for a date that is past; `undefined` for anything else.
 * @see RFC 9110, 10.2.3 and 5.6.7.
 * @public
 */
export function parseRetryAfter(header: string, nowMs: number): number | undefined {
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  if (!HTTP_DATE.test(text)) return undefined
  const atMs = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs)
}

const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const TIME = '\\d{2}:\\d{2}:\\d{2}'

/** IMF-fixdate, RFC 850 and asctime, in this order. `Date.parse` alone takes `soon 1` for a date. */
const HTTP_DATE = new RegExp(
  `^(?:[A-Z][a-z]{2}, \\d{2} ${MONTH} \\d{4} ${TIME} GMT` +
    `|[A-Z][a-z]{5,8}, \\d{2}-${MONTH}-\\d{2} ${TIME} GMT` +
    `|[A-Z][a-z]{2} ${MONTH} [ \\d]\\d ${TIME} \\d{4})$`,
)

function isDelivered(statusCode: number | undefined): boolean {
  return statusCode !== undefined && statusCode >= 200 && statusCode < 300
}

function isFinal(statusCode: number | undefined): boolean {
  if (statusCode === undefined || statusCode < 300 || statusCode >= 500) return false
  return statusCode !== 408 && statusCode !== 425 && statusCode !== 429
}

function isOverloaded(statusCode: number | undefined): boolean {
  return statusCode === 429 || statusCode === 503
}

function isWait(ms: number): boolean {
  return ms >= 0 && Number.isFinite(ms)
}
