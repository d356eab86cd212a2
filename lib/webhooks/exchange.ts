import type { TLSSocket } from 'node:tls'
import type { Dispatcher } from 'undici'
import type { DeliveryFailureKind } from './errors.js'

/** The connection that serves an exchange; told by the pool when it is chosen. @internal */
export interface Connection {
  /** `undefined` before it is connected; then one after another. */
  socket: TLSSocket | undefined
}

interface AnswerHead {
  readonly statusCode: number
  readonly reason: string
  readonly headers: Record<string, string>
  readonly remoteAddress: string
}

/** Status, headers and the body's first bytes as they came over the wire. @internal */
export interface RawAnswer extends AnswerHead {
  readonly body: Buffer
  /** The body is longer than was kept, or did not end in time. */
  readonly isCut: boolean
}

/** Why an exchange was given up by us. @internal */
export class GivenUp extends Error {
  readonly kind: DeliveryFailureKind

  constructor(kind: DeliveryFailureKind, reason: string) {
    super(reason)
    this.kind = kind
  }
}

/**
 * One request and its answer, as undici tells of them.
 *
 * Once the status and headers are in, they are the answer: a body that is too long, or that the
 * deadline cuts off, is cut and nothing else. A connection that breaks in the middle of the body is
 * a failure.
 * @internal
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<RawAnswer>
  connection: Connection | undefined
  readonly #maxBodyBytes: number
  readonly #chunks: Buffer[] = []
  #keptBytes = 0
  #head: AnswerHead | undefined
  #givenUp: GivenUp | undefined
  #hasStarted = false // it has its connection to itself
  #isOver = false
  #resolve!: (answer: RawAnswer) => void
  #reject!: (error: unknown) => void

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Ends the exchange now and destroys its connection, also while it waits for one. */
  giveUp(reason: GivenUp): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#givenUp = reason
    if (this.#head !== undefined) this.#settle({ isCut: true })
    else this.#reject(reason)
    // Not `controller.abort`: after that undici opens a new connection, for nothing.
    if (this.#hasStarted) this.connection?.socket?.destroy(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // undici knows no way to take a request back while its connection is being made.
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp)
    else this.#hasStarted = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Record<string, string | string[] | undefined>,
    reason = '',
  ): void {
    if (statusCode < 200) return
    const remoteAddress = this.connection?.socket?.remoteAddress ?? ''
    this.#head = { statusCode, reason, headers: joinRepeated(headers), remoteAddress }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isOver) return
    const room = this.#maxBodyBytes - this.#keptBytes
    this.#chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk)
    this.#keptBytes += Math.min(room, chunk.length)
    if (chunk.length > room) this.giveUp(new GivenUp('tooLarge', 'the body is too long'))
  }

  onResponseEnd(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#settle({ isCut: false })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true
    this.#reject(error)
  }

  #settle({ isCut }: { readonly isCut: boolean }): void {
    const [first] = this.#chunks
    const body =
      this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    const { statusCode, reason, headers, remoteAddress } = this.#head as AnswerHead
    this.#resolve({ statusCode, reason, headers, remoteAddress, body, isCut })
  }
}

function joinRepeated(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string> {
  const joined: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) joined[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return joined
}
