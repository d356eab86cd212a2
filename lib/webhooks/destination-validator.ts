import { isIP } from 'node:net'
import { type Clock, systemClock } from '../foundation/index.js'
import {
  DestinationJudge,
  type DestinationPolicy,
  publicDestinationsOnly,
} from './destination-judge.js'
import { DestinationRefusedError, InvalidTargetError } from './errors.js'
import { HostResolver, type ResolveHost, systemResolve } from './host-resolver.js'

/** @public */
export interface DestinationValidatorOptions {
  /** Default: public addresses only. */
  readonly policy?: DestinationPolicy
  /** Default: the operating system's. */
  readonly resolve?: ResolveHost
  readonly clock?: Clock
  /** How long the addresses of a host are used again. Default 60,000. */
  readonly ttlMs?: number
  /** How long name resolution may take. Default 5,000. */
  readonly deadlineMs?: number
}

/**
 * Says before anything is sent whether a target may be sent to: https, a name that resolves, and
 * only addresses that the policy permits. The transport judges once more when it connects, because
 * names change their addresses.
 *
 * Only the host is resolved, whatever else the URL has (nti.webhooks's
 * `DefaultDestinationValidator` resolves the whole authority, and so refuses every port).
 * @public
 */
export class DestinationValidator {
  readonly #judge: DestinationJudge
  readonly #resolver: HostResolver

  /** @throws WEBHOOK_INVALID_SETTING when the policy cannot be read. */
  constructor({
    policy = publicDestinationsOnly,
    resolve = systemResolve,
    clock = systemClock,
    ttlMs = 60_000,
    deadlineMs = 5000,
  }: DestinationValidatorOptions = {}) {
    this.#judge = new DestinationJudge(policy)
    this.#resolver = new HostResolver({ resolve, clock, ttlMs, deadlineMs })
  }

  /**
   * @param target - an absolute URL.
   * @returns the addresses found, all of them permitted.
   * @throws WEBHOOK_INVALID_TARGET when it is no URL with a host.
   * @throws WEBHOOK_DESTINATION_REFUSED when it is not https, or an address is not permitted.
   * @throws WEBHOOK_DELIVERY_FAILED of kind `dns` when the host has no address.
   */
  async validateTarget(target: string): Promise<readonly string[]> {
    const host = hostOf(secureUrl(target))
    const addresses = isIP(host) === 0 ? await this.#resolver.resolve(host) : [host]
    this.#judge.check(host, addresses)
    return addresses
  }
}

/**
 * Parses a target.
 * @throws WEBHOOK_INVALID_TARGET when it is no absolute URL.
 * @throws WEBHOOK_DESTINATION_REFUSED when it is not https.
 * @internal
 */
export function secureUrl(target: string): URL {
  if (!URL.canParse(target)) {
    throw new InvalidTargetError(
      'The target of a webhook must be an absolute URL, such as https://example.com/hook.',
    )
  }
  const url = new URL(target)
  if (url.protocol !== 'https:') throw DestinationRefusedError.insecure(hostOf(url))
  return url
}

/** The host alone: no port, no credentials, no brackets around IPv6. @internal */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
