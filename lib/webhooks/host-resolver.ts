import { lookup } from 'node:dns/promises'
import type { Clock } from '../foundation/index.js'
import { DeliveryFailedError } from './errors.js'

/** Gives all addresses of a host name. Throws, or gives none, when there are none. @public */
export type ResolveHost = (host: string) => Promise<readonly string[]>

/** Asks the operating system, hosts file included. @public */
export const systemResolve: ResolveHost = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address)

/** @internal */
export interface HostResolverOptions {
  readonly resolve: ResolveHost
  readonly clock: Clock
  /** How long an answer is used again. */
  readonly ttlMs: number
  /** How long an answer is waited for. */
  readonly deadlineMs: number
  /** Answers kept; the oldest go first. */
  readonly maxHosts?: number
}

/** Name resolution with a deadline, shared while under way, and remembered for a while. @internal */
export class HostResolver {
  readonly #options: Required<HostResolverOptions>
  readonly #answers = new Map<string, { expiresAtMs: number; addresses: readonly string[] }>()
  readonly #underWay = new Map<string, Promise<readonly string[]>>()

  constructor(options: HostResolverOptions) {
    this.#options = { maxHosts: 1000, ...options }
  }

  /**
   * @returns at least one address. Failures are not remembered.
   * @throws WEBHOOK_DELIVERY_FAILED of kind `dns`.
   */
  resolve(host: string): Promise<readonly string[]> {
    const known = this.#answers.get(host)
    if (known !== undefined && known.expiresAtMs > this.#options.clock.monotonicMs()) {
      return Promise.resolve(known.addresses)
    }
    const shared = this.#underWay.get(host)
    if (shared !== undefined) return shared
    const asked = this.#ask(host).finally(() => this.#underWay.delete(host))
    this.#underWay.set(host, asked)
    return asked
  }

  async #ask(host: string): Promise<readonly string[]> {
    const addresses = await this.#withinDeadline(host)
    if (addresses.length === 0) throw failed(host, 'the name has no address')
    this.#remember(host, addresses)
    return addresses
  }

  async #withinDeadline(host: string): Promise<readonly string[]> {
    const { resolve, clock, deadlineMs } = this.#options
    const answered = new AbortController()
    const late = clock.sleep(deadlineMs, answered.signal).then((): never => {
      throw failed(host, `its name was not resolved within ${deadlineMs} ms`)
    })
    try {
      return await Promise.race([askSafely(resolve, host), late])
    } finally {
      late.catch(() => {})
      answered.abort()
    }
  }

  #remember(host: string, addresses: readonly string[]): void {
    const { clock, ttlMs, maxHosts } = this.#options
    this.#answers.delete(host)
    if (this.#answers.size >= maxHosts) {
      const [oldest] = this.#answers.keys()
      if (oldest !== undefined) this.#answers.delete(oldest)
    }
    this.#answers.set(host, { expiresAtMs: clock.monotonicMs() + ttlMs, addresses })
  }
}

async function askSafely(resolve: ResolveHost, host: string): Promise<readonly string[]> {
  try {
    return await resolve(host)
  } catch (cause) {
    throw failed(host, `its name could not be resolved (${messageOf(cause)})`, cause)
  }
}

function failed(host: string, reason: string, cause?: unknown): DeliveryFailedError {
  return DeliveryFailedError.because({ kind: 'dns', host, reason, cause })
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
