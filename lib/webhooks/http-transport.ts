import { createSecureContext, rootCertificates } from 'node:tls'
import { Client, type Dispatcher, Pool } from 'undici'
import { asBuffer, type Clock, systemClock } from '../foundation/index.js'
import { Deadlines } from './deadlines.js'
import {
  DestinationJudge,
  type DestinationPolicy,
  publicDestinationsOnly,
} from './destination-judge.js'
import { secureUrl } from './destination-validator.js'
import {
  DeliveryFailedError,
  type DeliveryFailureKind,
  DestinationRefusedError,
  InvalidSettingError,
} from './errors.js'
import { type Connection, Exchange, GivenUp, type RawAnswer } from './exchange.js'
import { HostResolver, type ResolveHost, systemResolve } from './host-resolver.js'
import { type JudgedConnectorOptions, judgedConnector } from './judged-connector.js'
import { expandedContent, isCompressed, plainContent } from './response-content.js'
import type { OutgoingRequest, SendOptions, Transport, TransportResponse } from './transport.js'

/** @public */
export interface HttpTransportOptions {
  /** Default: public addresses only. */
  readonly policy?: DestinationPolicy
  /** Certificates (PEM) trusted beside the well-known ones. */
  readonly ca?: readonly string[]
  /** Default: the operating system's. */
  readonly resolve?: ResolveHost
  readonly clock?: Clock
  /** From name resolution to the last byte of the answer. Default 15,000. */
  readonly deadlineMs?: number
  /** For name resolution, connecting and the TLS handshake. Default 5,000; never above `deadlineMs`. */
  readonly connectDeadlineMs?: number
  /** How much of a body is kept, on the wire and after decompression. Default 65,536. */
  readonly maxContentBytes?: number
  /** Of the names and values of all headers of an answer. Default 16,384. */
  readonly maxHeaderBytes?: number
  /** Connections to one origin at once. Default 16. */
  readonly connectionsPerOrigin?: number
  /** Origins to which connections are kept; the longest unused goes first. Default 256. */
  readonly maxOrigins?: number
  /** How long an idle connection is kept. Default 4,000; a receiver may say less. */
  readonly keepAliveMs?: number
  /** After this time connections are made anew, so that a moved receiver is found. Default 60,000. */
  readonly maxConnectionAgeMs?: number
}

/**
 * Sends over HTTPS, HTTP/1.1, with connections kept per origin.
 *
 * - Every address is judged when a connection is made; see {@link DestinationPolicy}.
 * - Redirects are answers like any other: nothing follows them.
 * - No receiver can hold a request longer than the deadline, or make us keep more than the limits.
 * - No cookies, no proxy from the environment, no silent second request.
 *
 * @public
 */
export class HttpTransport implements Transport {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #connector: JudgedConnectorOptions
  readonly #deadlines: Deadlines
  readonly #origins = new Map<string, Origin>() // the longest unused first
  readonly #targets = new Map<string, Target>()
  readonly #retired = new Set<Pool>() // closed, finishing their requests
  readonly #underWay = new Set<Exchange>()
  #closed = false

  /** @throws WEBHOOK_INVALID_SETTING for a limit below 1, or a policy that cannot be read. */
  constructor({
    policy = publicDestinationsOnly,
    ca = [],
    resolve = systemResolve,
    clock = systemClock,
    ...limits
  }: HttpTransportOptions = {}) {
    this.#clock = clock
    this.#limits = checkedLimits(limits)
    const { deadlineMs, connectDeadlineMs } = this.#limits
    this.#deadlines = new Deadlines(clock, deadlineMs)
    this.#connector = {
      judge: new DestinationJudge(policy),
      resolver: new HostResolver({ resolve, clock, ttlMs: SHARED_LOOKUP_MS, deadlineMs }),
      secureContext: createSecureContext({
        minVersion: 'TLSv1.2',
        ...(ca.length > 0 ? { ca: [...rootCertificates, ...ca] } : {}),
      }),
      deadlines: new Deadlines(clock, Math.min(connectDeadlineMs, deadlineMs)),
      sessions: new Map(),
      underWay: new Set(),
    }
  }

  async send(request: OutgoingRequest, { signal }: SendOptions = {}): Promise<TransportResponse> {
    const startedMs = this.#clock.monotonicMs()
    const target = this.#targetOf(request.url)
    if (this.#closed) throw failure(target, 'aborted', 'the transport is closed')
    if (signal?.aborted) throw failure(target, 'aborted', 'it was given up before it began')
    const answer = await this.#exchange(request, target, signal)
    const { content, isCut } = isCompressed(answer)
      ? await expandedContent(answer, this.#limits.maxContentBytes)
      : plainContent(answer)
    return {
      statusCode: answer.statusCode,
      reason: answer.reason,
      headers: answer.headers,
      content,
      contentTruncated: isCut,
      elapsedMs: this.#clock.monotonicMs() - startedMs,
      remoteAddress: answer.remoteAddress,
    }
  }

  /** Ends what is under way (kind `aborted`), then every connection. May be called again. */
  async close(): Promise<void> {
    this.#closed = true
    for (const exchange of this.#underWay) {
      exchange.giveUp(new GivenUp('aborted', 'the transport was closed'))
    }
    for (const abort of this.#connector.underWay) abort()
    const pools = [...this.#retired, ...[...this.#origins.values()].map(({ pool }) => pool)]
    this.#origins.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  async #exchange(
    request: OutgoingRequest,
    target: Target,
    signal: AbortSignal | undefined,
  ): Promise<RawAnswer> {
    const exchange = new Exchange(this.#limits.maxContentBytes)
    const late = (): void =>
      exchange.giveUp(new GivenUp('timeout', `no answer within ${this.#limits.deadlineMs} ms`))
    const abort = (): void => exchange.giveUp(new GivenUp('aborted', 'it was given up'))
    const origin = this.#originOf(target.origin)
    origin.underWay++
    this.#underWay.add(exchange)
    const deadline = this.#deadlines.begin(late)
    signal?.addEventListener('abort', abort)
    try {
      origin.pool.dispatch(dispatchOptions(request, target, exchange), exchange)
      return await exchange.answer
    } catch (error) {
      throw translate(error, target)
    } finally {
      signal?.removeEventListener('abort', abort)
      this.#deadlines.end(deadline)
      this.#underWay.delete(exchange)
      origin.underWay--
    }
  }

  /** Parsing costs more than all the rest of what is done here for a request. */
  #targetOf(url: string): Target {
    const known = this.#targets.get(url)
    if (known !== undefined) return known
    const target = targetAt(secureUrl(url))
    if (this.#targets.size >= MAX_TARGETS) this.#targets.clear()
    this.#targets.set(url, target)
    return target
  }

  #originOf(name: string): Origin {
    const nowMs = this.#clock.monotonicMs()
    let origin = this.#origins.get(name)
    if (origin !== undefined) this.#origins.delete(name)
    if (origin !== undefined && nowMs - origin.bornMs >= this.#limits.maxConnectionAgeMs) {
      this.#retire(origin)
      origin = undefined
    }
    origin ??= { pool: this.#newPool(name), bornMs: nowMs, usedMs: nowMs, underWay: 0 }
    origin.usedMs = nowMs
    this.#origins.set(name, origin)
    this.#dropUnused(nowMs)
    return origin
  }

  /** One in use is never dropped: while all are, there are as many as requests under way. */
  #dropUnused(nowMs: number): void {
    const { maxOrigins, maxConnectionAgeMs } = this.#limits
    for (const [name, origin] of this.#origins) {
      const isOld = nowMs - origin.usedMs >= maxConnectionAgeMs
      if (!isOld && this.#origins.size <= maxOrigins) return
      if (origin.underWay > 0) continue
      this.#origins.delete(name)
      this.#retire(origin)
    }
  }

  /** Requests under way end on the old connections, in time for the deadline. */
  #retire({ pool }: Origin): void {
    this.#retired.add(pool)
    void pool.close().then(() => this.#retired.delete(pool))
  }

  #newPool(origin: string): Pool {
    const { connectionsPerOrigin, keepAliveMs, maxHeaderBytes } = this.#limits
    return new Pool(origin, {
      connections: connectionsPerOrigin,
      factory: (url, options) => new ToldClient(url, options, this.#connector),
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 0, // the deadline is the only one
      bodyTimeout: 0,
    })
  }
}

/** Requests that begin together share one name resolution; later ones ask again. */
const SHARED_LOOKUP_MS = 1000

const MAX_TARGETS = 1000

/** What a request needs of its URL. */
interface Target {
  readonly origin: string
  /** Path and query. */
  readonly path: string
  /** With the port, without credentials; for messages. */
  readonly host: string
  /** From the credentials in the URL. */
  readonly authorization: string | undefined
}

function targetAt(url: URL): Target {
  const hasCredentials = url.username !== '' || url.password !== ''
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    host: `${url.hostname}:${url.port || '443'}`,
    authorization: hasCredentials ? basicAuthorization(url) : undefined,
  }
}

interface Origin {
  readonly pool: Pool
  readonly bornMs: number
  usedMs: number
  underWay: number
}

type Limits = Required<Omit<HttpTransportOptions, 'policy' | 'ca' | 'resolve' | 'clock'>>

const DEFAULT_LIMITS: Limits = {
  deadlineMs: 15_000,
  connectDeadlineMs: 5000,
  maxContentBytes: 65_536,
  maxHeaderBytes: 16_384,
  connectionsPerOrigin: 16,
  maxOrigins: 256,
  keepAliveMs: 4000,
  maxConnectionAgeMs: 60_000,
}

function checkedLimits(given: Partial<Limits>): Limits {
  const limits = { ...DEFAULT_LIMITS, ...given }
  for (const [name, limit] of Object.entries(limits)) {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new InvalidSettingError(`${name} must be a whole number of 1 or more.`)
    }
  }
  return limits
}

/** A client that tells each exchange which connection serves it. */
class ToldClient extends Client {
  readonly #connection: Connection

  constructor(origin: URL, options: Client.Options, connector: JudgedConnectorOptions) {
    const connection: Connection = { socket: undefined }
    super(origin, { ...options, connect: judgedConnector(connector, connection) })
    this.#connection = connection
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const { exchange } = options as DispatchOptions
    exchange.connection = this.#connection
    return super.dispatch(options, handler)
  }
}

interface DispatchOptions extends Dispatcher.DispatchOptions {
  readonly exchange: Exchange
}

function dispatchOptions(
  { method, headers, body }: OutgoingRequest,
  { path, authorization }: Target,
  exchange: Exchange,
): DispatchOptions {
  return {
    path,
    method: method as Dispatcher.HttpMethod,
    headers: headersToSend(headers, authorization),
    body: typeof body === 'string' ? body : asBuffer(body),
    exchange,
  }
}

/** They say how the message is framed or to whom it goes; the URL and the body decide that. */
const FRAMING_HEADERS = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-connection',
  'accept-encoding',
])

function headersToSend(
  headers: Readonly<Record<string, string>>,
  authorization: string | undefined,
): string[] {
  const sent = ['accept-encoding', 'identity']
  let isAuthorized = authorization === undefined
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase()
    if (FRAMING_HEADERS.has(lower)) continue
    if (lower === 'authorization') isAuthorized = true
    sent.push(name, headers[name] as string)
  }
  if (!isAuthorized) sent.push('authorization', authorization as string)
  return sent
}

function basicAuthorization({ username, password }: URL): string {
  const pair = `${unescapeAll(username)}:${unescapeAll(password)}`
  return `Basic ${Buffer.from(pair).toString('base64')}`
}

function unescapeAll(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a lone percent sign is meant as it stands
  }
}

function translate(error: unknown, target: Target): unknown {
  if (error instanceof DestinationRefusedError || error instanceof DeliveryFailedError) return error
  if (error instanceof GivenUp) return failure(target, error.kind, error.message)
  const kind = kindOf(error as NodeJS.ErrnoException)
  return kind === undefined ? error : failure(target, kind, (error as Error).message, error)
}

/** By code and name; `undefined` for what is no failure of the world but a mistake in the code. */
function kindOf({ code, name, message }: NodeJS.ErrnoException): DeliveryFailureKind | undefined {
  if (name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return 'protocol'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'tooLarge'
  if (code === 'UND_ERR_SOCKET' && message.startsWith('bad ')) return 'protocol'
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'request'
  return code === undefined ? undefined : 'connection'
}

function failure(
  { host }: Target,
  kind: DeliveryFailureKind,
  reason: string,
  cause?: unknown,
): DeliveryFailedError {
  return DeliveryFailedError.because({ kind, host, reason, cause })
}
