import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import type { Deadlines } from './deadlines.js'
import type { DestinationJudge } from './destination-judge.js'
import { DeliveryFailedError, type DeliveryFailureKind } from './errors.js'
import type { Connection } from './exchange.js'
import type { HostResolver } from './host-resolver.js'

/** @internal */
export interface JudgedConnectorOptions {
  readonly judge: DestinationJudge
  readonly resolver: HostResolver
  readonly secureContext: SecureContext
  /** Cover name resolution, connecting and the TLS handshake together. */
  readonly deadlines: Deadlines
  /** TLS sessions to resume, by host and port. */
  readonly sessions: Map<string, Buffer>
  /** Connections being made; whoever closes calls them all. */
  readonly underWay: Set<() => void>
}

/**
 * Makes connections for undici, and judges every address three times: what the name resolves to,
 * or the literal in the URL; what the socket is given to choose from; and what the socket is
 * connected to, before the first byte of the TLS handshake.
 * @internal
 */
export function judgedConnector(
  options: JudgedConnectorOptions,
  connection: Connection,
): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    new Attempt(options, hostname, Number(port || 443)).connect().then(
      (socket) => {
        connection.socket = socket
        callback(null, socket)
      },
      (error: Error) => callback(error, null),
    )
  }
}

/** One connection being made. */
class Attempt {
  readonly #options: JudgedConnectorOptions
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #isOver = false
  #fail!: (error: Error) => void

  constructor(options: JudgedConnectorOptions, host: string, port: number) {
    this.#options = options
    this.#host = host
    this.#port = port
  }

  async connect(): Promise<TLSSocket> {
    const { deadlines, underWay } = this.#options
    const failed = new Promise<never>((_resolve, reject) => {
      this.#fail = (error) => {
        this.#isOver = true
        reject(error)
        this.#socket?.destroy()
      }
    })
    const abort = (): void => this.#fail(this.#failure('aborted', 'the transport was closed'))
    const deadline = deadlines.begin(() =>
      this.#fail(this.#failure('timeout', 'no connection within the deadline')),
    )
    underWay.add(abort)
    try {
      return await Promise.race([this.#steps(), failed])
    } catch (error) {
      this.#fail(error as Error)
      throw error
    } finally {
      failed.catch(() => {})
      underWay.delete(abort)
      deadlines.end(deadline)
    }
  }

  async #steps(): Promise<TLSSocket> {
    const addresses = await this.#permittedAddresses()
    if (this.#isOver) throw this.#failure('aborted', 'it was given up before it was connected')
    const socket = await this.#dial(addresses)
    this.#options.judge.check(this.#host, [socket.remoteAddress ?? ''])
    return this.#secure(socket)
  }

  async #permittedAddresses(): Promise<readonly string[]> {
    const { judge, resolver } = this.#options
    const addresses = isIP(this.#host) === 0 ? await resolver.resolve(this.#host) : [this.#host]
    judge.check(this.#host, addresses)
    return addresses
  }

  #dial(addresses: readonly string[]): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({
        host: this.#host,
        port: this.#port,
        lookup: this.#lookup(addresses),
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: 500,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 60_000,
      })
      this.#socket = socket
      socket.once('connect', () => resolve(socket))
      socket.on('error', (error) => reject(this.#failure('connection', error.message, error)))
    })
  }

  /** Node calls it for names only; a literal address was judged already. */
  #lookup(addresses: readonly string[]): LookupFunction {
    return (_name, { all }, callback) => {
      try {
        this.#options.judge.check(this.#host, addresses)
      } catch (error) {
        callback(error as Error, '')
        return
      }
      const found = addresses.map((address) => ({ address, family: isIP(address) }))
      const [first] = found
      if (all) callback(null, found)
      else callback(null, first?.address ?? '', first?.family)
    }
  }

  #secure(plain: Socket): Promise<TLSSocket> {
    const { secureContext, sessions } = this.#options
    const sessionKey = `${this.#host}:${this.#port}`
    const name = this.#host.replace(/\.$/, '')
    const session = sessions.get(sessionKey)
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        socket: plain,
        secureContext,
        host: name,
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(session === undefined ? {} : { session }),
        ALPNProtocols: ['http/1.1'],
      })
      this.#socket = socket
      socket.on('session', (fresh) => remember(sessions, sessionKey, fresh))
      socket.once('secureConnect', () => resolve(socket))
      socket.on('error', (error) => reject(this.#handshakeFailure(error)))
    })
  }

  #handshakeFailure(error: NodeJS.ErrnoException): DeliveryFailedError {
    const kind = error.code === 'ECONNRESET' ? 'connection' : 'tls'
    return this.#failure(kind, error.message, error)
  }

  #failure(kind: DeliveryFailureKind, reason: string, cause?: unknown): DeliveryFailedError {
    const host = isIP(this.#host) === 6 ? `[${this.#host}]` : this.#host
    return DeliveryFailedError.because({ kind, host: `${host}:${this.#port}`, reason, cause })
  }
}

const MAX_SESSIONS = 1000

function remember(sessions: Map<string, Buffer>, key: string, session: Buffer): void {
  sessions.delete(key)
  if (sessions.size >= MAX_SESSIONS) {
    const [oldest] = sessions.keys()
    if (oldest !== undefined) sessions.delete(oldest)
  }
  sessions.set(key, session)
}
