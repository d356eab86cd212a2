import { type Clock, systemClock } from '../foundation/index.js'
import type {
  OutgoingRequest,
  SendOptions,
  Transport,
  TransportResponse,
} from '../webhooks/transport.js'

/** @public */
export interface RecordedRequest extends OutgoingRequest {
  /** Ms since the epoch. */
  readonly atMs: number
}

/**
 * What a {@link RecordingTransport} answers: a status, some fields of a response, an error to fail
 * with, or a function that gives one of these, at once or later.
 * @public
 */
export type RecordedAnswer =
  | number
  | Partial<TransportResponse>
  | Error
  | ((request: RecordedRequest) => RecordedAnswer | Promise<RecordedAnswer>)

/** @public */
export interface RecordingTransportOptions {
  /** One for each request in turn; the last one for all that follow. Default 200. */
  readonly answers?: readonly RecordedAnswer[]
  readonly clock?: Clock
}

/**
 * A transport that sends nothing: it remembers the requests and answers as told.
 * @public
 */
export class RecordingTransport implements Transport {
  readonly #clock: Clock
  #answers: readonly RecordedAnswer[]
  #answered = 0
  #requests: RecordedRequest[] = []
  #isClosed = false

  constructor({ answers = [200], clock = systemClock }: RecordingTransportOptions = {}) {
    this.#answers = answers
    this.#clock = clock
  }

  /** In the order in which they were sent. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** From now on these are the answers. */
  answer(...answers: readonly RecordedAnswer[]): void {
    this.#answers = answers
    this.#answered = 0
  }

  /** Forgets the requests; the answers stay. */
  clear(): void {
    this.#requests = []
  }

  async send(request: OutgoingRequest, { signal }: SendOptions = {}): Promise<TransportResponse> {
    signal?.throwIfAborted()
    const recorded = { ...request, headers: { ...request.headers }, atMs: this.#clock.nowMs() }
    this.#requests.push(recorded)
    const answer = await untilAborted(settle(this.#nextAnswer(), recorded), signal)
    const given = typeof answer === 'number' ? { statusCode: answer } : answer
    return { ...PLAIN_RESPONSE, ...given }
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #nextAnswer(): RecordedAnswer {
    const last = this.#answers.length - 1
    return this.#answers[Math.min(this.#answered++, last)] ?? 200
  }
}

const PLAIN_RESPONSE: TransportResponse = {
  statusCode: 200,
  reason: '',
  headers: {},
  content: '',
  contentTruncated: false,
  elapsedMs: 0,
  remoteAddress: '192.0.2.1',
}

async function settle(
  answer: RecordedAnswer,
  request: RecordedRequest,
): Promise<number | Partial<TransportResponse>> {
  if (typeof answer === 'function') return settle(await answer(request), request)
  if (answer instanceof Error) throw answer
  return answer
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let abort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
