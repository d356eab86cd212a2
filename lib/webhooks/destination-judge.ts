import { AddressSet, innerAddressOf, parseAddress, refusedRangeOf } from './address-ranges.js'
import { DestinationRefusedError, InvalidSettingError } from './errors.js'

/**
 * Where webhooks may go. Set by the operator of the database, never by whoever subscribes.
 * @public
 */
export interface DestinationPolicy {
  /** Ranges (`10.1.0.0/16`) and addresses (`127.0.0.1`, `::1`) permitted although not public. */
  readonly allow: readonly string[]
  /** Ranges and addresses refused although public; stronger than `allow`. */
  readonly deny?: readonly string[]
}

/** Public addresses only. @public */
export const publicDestinationsOnly: DestinationPolicy = { allow: [] }

/**
 * Applies a policy to addresses. An address that carries an IPv4 address inside (NAT64, 6to4, …)
 * and is allowed must also pass with the inner one, so that allowing `64:ff9b::/96` on an
 * IPv6-only host does not open the private networks behind the translator.
 * @internal
 */
export class DestinationJudge {
  readonly #allow: AddressSet
  readonly #deny: AddressSet

  /** @throws WEBHOOK_INVALID_SETTING for an entry that is neither range nor address. */
  constructor(policy: DestinationPolicy) {
    this.#allow = new AddressSet(policy.allow, refuseEntry)
    this.#deny = new AddressSet(policy.deny ?? [], refuseEntry)
  }

  /** Why the address is refused, in words; `undefined` when it is permitted. */
  reasonAgainst(address: string): string | undefined {
    const parsed = parseAddress(address)
    if (parsed === undefined) return 'not an IP address'
    if (this.#deny.has(parsed)) return 'denied by the operator'
    const range = refusedRangeOf(parsed)
    if (range === undefined) return undefined
    if (!this.#allow.has(parsed)) return `${range.what} (${range.cidr})`
    const inner = innerAddressOf(range, parsed)
    return inner && this.reasonAgainst(inner.toString())
  }

  /**
   * One refused address refuses the host: whoever controls its names chooses among them.
   * @throws WEBHOOK_DESTINATION_REFUSED
   */
  check(host: string, addresses: readonly string[]): void {
    for (const address of addresses) {
      const reason = this.reasonAgainst(address)
      if (reason !== undefined) throw DestinationRefusedError.forbidden({ host, address, reason })
    }
  }
}

function refuseEntry(entry: string): never {
  throw new InvalidSettingError(
    `${JSON.stringify(entry)} in the destination policy is neither an address nor a range. ` +
      'Write 10.1.2.3, 10.1.0.0/16, ::1 or fd00::/8.',
  )
}
