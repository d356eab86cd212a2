import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '../foundation/index.js'
import { type Certificate, makeCertificate } from './certificate.js'
import type { ReceivedRequest, ReceiverAnswer } from './received-request.js'

/**
 * How a {@link LocalReceiver} answers: with a status, with a described answer, or by a function
 * that gives one of these, or writes to `response` itself and gives nothing.
 * @public
 */
export type LocalAnswer =
  | number
  | ReceiverAnswer
  | ((
      request: ReceivedRequest,
      response: ServerResponse,
    ) => number | ReceiverAnswer | undefined | Promise<number | ReceiverAnswer | undefined>)

/** @public */
export interface LocalReceiverOptions {
  /** Default 200. */
  readonly answer?: LocalAnswer
  /** Default: one made for this receiver, for `localhost`, `127.0.0.1`, `::1` and `names`. */
  readonly certificate?: Certificate
  /** Further host names in the certificate, for tests that inject name resolution. */
  readonly names?: readonly string[]
  /** `127.0.0.1` (default) or `::1`. */
  readonly host?: string
}

/** A webhook receiver in this process. @public */
export interface LocalReceiver {
  /** `https://127.0.0.1:40123/` */
  readonly url: string
  readonly port: number
  /** The certificate to trust, PEM. */
  readonly ca: string
  /** In the order in which they were complete. */
  readonly requests: readonly ReceivedRequest[]
  /** Connections made to it so far, also those that sent nothing. */
  readonly connections: number
  /** Connections open at present. */
  readonly openConnections: number
  /** Resolves when so many requests have come. */
  waitForRequests(count: number): Promise<void>
  /** Breaks all connections. May be called again. */
  close(): Promise<void>
}

/**
 * Starts a real HTTPS server on loopback, at a free port.
 * @throws Error when a certificate is to be made and the package `selfsigned` is not installed.
 * @public
 */
export async function startLocalReceiver({
  answer = 200,
  certificate,
  names = [],
  host = '127.0.0.1',
}: LocalReceiverOptions = {}): Promise<LocalReceiver> {
  const shown =
    certificate ?? (await makeCertificate({ names: ['localhost', '127.0.0.1', '::1', ...names] }))
  const receiver = new HttpsReceiver(shown, answer)
  await receiver.listen(host)
  return receiver
}

class HttpsReceiver implements LocalReceiver {
  readonly ca: string
  readonly requests: ReceivedRequest[] = []
  url = ''
  port = 0
  connections = 0
  readonly #server: Server
  readonly #answer: LocalAnswer
  readonly #sockets = new Map<number | undefined, Socket>() // by remote port, below TLS
  #waiters: { readonly count: number; readonly resolve: () => void }[] = []

  constructor({ key, cert }: Certificate, answer: LocalAnswer) {
    this.ca = cert
    this.#answer = answer
    this.#server = createServer({ key, cert }, (request, response) => {
      void this.#receive(request, response)
    })
    this.#server.on('connection', (socket: Socket) => {
      this.connections++
      const { remotePort } = socket
      this.#sockets.set(remotePort, socket)
      socket.on('close', () => this.#sockets.delete(remotePort))
    })
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  async listen(host: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, host, resolve)
    })
    this.port = (this.#server.address() as AddressInfo).port
    this.url = `https://${host.includes(':') ? `[${host}]` : host}:${this.port}/`
  }

  async waitForRequests(count: number): Promise<void> {
    if (this.requests.length >= count) return
    await new Promise<void>((resolve) => this.#waiters.push({ count, resolve }))
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets.values()) socket.destroy()
    await closed
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {})
    const received = await readRequest(request).catch(() => undefined)
    if (received === undefined) return
    this.requests.push(received)
    this.#tellWaiters()
    const given =
      typeof this.#answer === 'function' ? await this.#answer(received, response) : this.#answer
    const described = typeof given === 'number' ? { statusCode: given } : given
    if (described === undefined) return
    if (described.delayMs) await systemClock.sleep(described.delayMs)
    if (described.fault === 'reset') this.#sockets.get(request.socket.remotePort)?.resetAndDestroy()
    else if (described.fault !== 'silent') writeAnswer(response, described)
  }

  #tellWaiters(): void {
    const count = this.requests.length
    for (const waiter of this.#waiters) if (waiter.count <= count) waiter.resolve()
    this.#waiters = this.#waiters.filter((waiter) => waiter.count > count)
  }
}

async function readRequest(request: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)])
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).toString('utf8'),
    atMs: systemClock.nowMs(),
  }
}

function writeAnswer(response: ServerResponse, answer: ReceiverAnswer): void {
  const { statusCode = 200, headers = {}, body = '', fault } = answer
  response.writeHead(statusCode, headers)
  if (fault === 'drip') drip(response)
  else response.end(body)
}

function drip(response: ServerResponse): void {
  response.flushHeaders()
  const timer = setInterval(() => response.write('.'), 50)
  response.on('close', () => clearInterval(timer))
}
