import { Pool } from 'undici'
import type { OutgoingRequest } from '../lib/index.js'
import { inParallel, verify } from './harness.js'

/** undici without us: the same request again and again, to the same receiver. */
export class RawUndici {
  readonly #pool: Pool
  readonly #connections: number

  constructor(origin: string, { ca, connections }: { ca: string; connections: number }) {
    this.#pool = new Pool(origin, { connections, connect: { ca } })
    this.#connections = connections
  }

  /** Sends so many, one at a time on each connection. @returns how many a second. */
  async send(count: number, request: OutgoingRequest): Promise<number> {
    const { pathname } = new URL(request.url)
    let left = count
    const startMs = performance.now()
    await inParallel(this.#connections, async () => {
      while (left-- > 0) await this.#sendOne(pathname, request)
    })
    return (count * 1000) / (performance.now() - startMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close()
  }

  async #sendOne(path: string, { method, headers, body }: OutgoingRequest): Promise<void> {
    const response = await this.#pool.request({
      path,
      method: method as 'POST',
      headers,
      body,
    })
    verify('the status of a raw request', response.statusCode, 200)
    await response.body.dump()
  }
}
