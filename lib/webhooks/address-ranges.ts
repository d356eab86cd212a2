import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** @internal */
export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6

/** Addresses that are not, or not only, those of a public receiver. @internal */
export interface AddressRange {
  /** `10.0.0.0/8` */
  readonly cidr: string
  /** What lives there, to be read after "this address is". */
  readonly what: string
  /** For ranges that carry an IPv4 address: reads it out of the 16 bytes. */
  readonly inner?: (bytes: readonly number[]) => number[]
}

const lastFour = (bytes: readonly number[]): number[] => bytes.slice(12)

/**
 * The union of the special-purpose registries of IANA (RFC 6890 and its successors) and of what
 * smokescreen, Svix and Hook0 refuse, with the metadata services of large clouds. More special
 * ranges stand before those that contain them; the first match gives the reason.
 * @internal
 */
export const refusedRanges: readonly AddressRange[] = [
  { cidr: '169.254.169.254/32', what: 'a cloud metadata service' },
  { cidr: '169.254.170.2/32', what: 'a cloud metadata service' }, // AWS ECS
  { cidr: '100.100.100.200/32', what: 'a cloud metadata service' }, // Alibaba
  { cidr: '192.0.0.192/32', what: 'a cloud metadata service' }, // Oracle
  { cidr: '168.63.129.16/32', what: 'a cloud metadata service' }, // Azure; else a public address
  { cidr: '0.0.0.0/8', what: 'unspecified' },
  { cidr: '10.0.0.0/8', what: 'private' },
  { cidr: '100.64.0.0/10', what: 'shared by a carrier' },
  { cidr: '127.0.0.0/8', what: 'loopback' },
  { cidr: '169.254.0.0/16', what: 'link-local' },
  { cidr: '172.16.0.0/12', what: 'private' },
  { cidr: '192.0.0.0/24', what: 'for protocol assignments' },
  { cidr: '192.0.2.0/24', what: 'for documentation' },
  { cidr: '192.31.196.0/24', what: 'for AS112' },
  { cidr: '192.52.193.0/24', what: 'for multicast tunnelling' },
  { cidr: '192.88.99.0/24', what: 'a 6to4 relay' },
  { cidr: '192.168.0.0/16', what: 'private' },
  { cidr: '192.175.48.0/24', what: 'for AS112' },
  { cidr: '198.18.0.0/15', what: 'for benchmarking' },
  { cidr: '198.51.100.0/24', what: 'for documentation' },
  { cidr: '203.0.113.0/24', what: 'for documentation' },
  { cidr: '224.0.0.0/4', what: 'multicast' },
  { cidr: '255.255.255.255/32', what: 'broadcast' },
  { cidr: '240.0.0.0/4', what: 'reserved' },

  { cidr: '::/128', what: 'unspecified' },
  { cidr: '::1/128', what: 'loopback' },
  { cidr: '::ffff:0:0/96', what: 'an IPv4 address in IPv6', inner: lastFour },
  { cidr: '::ffff:0:0:0/96', what: 'an IPv4 address in IPv6', inner: lastFour },
  { cidr: '::/96', what: 'an IPv4 address in IPv6', inner: lastFour },
  { cidr: '64:ff9b::/96', what: 'behind NAT64', inner: lastFour },
  { cidr: '64:ff9b:1::/48', what: 'behind local NAT64', inner: lastFour },
  { cidr: '100::/64', what: 'discarded' },
  { cidr: '100:0:0:1::/64', what: 'a dummy' },
  {
    cidr: '2001::/32',
    what: 'a Teredo tunnel',
    inner: (bytes) => lastFour(bytes).map((byte) => byte ^ 0xff),
  },
  { cidr: '2001:2::/48', what: 'for benchmarking' },
  { cidr: '2001::/23', what: 'for protocol assignments' },
  { cidr: '2001:db8::/32', what: 'for documentation' },
  { cidr: '2002::/16', what: 'a 6to4 tunnel', inner: (bytes) => bytes.slice(2, 6) },
  { cidr: '2620:4f:8000::/48', what: 'for AS112' },
  { cidr: '3fff::/20', what: 'for documentation' },
  { cidr: '5f00::/16', what: 'for segment routing' },
  { cidr: 'fd00:ec2::254/128', what: 'a cloud metadata service' }, // AWS
  { cidr: 'fd20:ce::254/128', what: 'a cloud metadata service' }, // Google
  { cidr: 'fc00::/7', what: 'private' },
  { cidr: 'fe80::/10', what: 'link-local' },
  { cidr: 'fec0::/10', what: 'site-local' },
  { cidr: 'ff00::/8', what: 'multicast' },
]

const parsedRanges = refusedRanges.map((range) => ({ range, net: ipaddr.parseCIDR(range.cidr) }))

/** The first range that holds the address; `undefined` for a public one. @internal */
export function refusedRangeOf(address: IpAddress): AddressRange | undefined {
  return parsedRanges.find(({ net }) => holds(net, address))?.range
}

/** The IPv4 address carried inside an address of this range. @internal */
export function innerAddressOf(range: AddressRange, address: IpAddress): IpAddress | undefined {
  return range.inner && ipaddr.fromByteArray(range.inner(address.toByteArray()))
}

/**
 * Reads an address as the operating system writes it; a zone (`%eth0`) is dropped. Short, octal and
 * hexadecimal forms are not addresses here: URLs have normalised theirs before.
 * @internal
 */
export function parseAddress(text: string): IpAddress | undefined {
  const bare = text.replace(/%.*$/, '')
  return isIP(bare) === 0 ? undefined : ipaddr.parse(bare)
}

/** A set of addresses given by ranges and single addresses. @internal */
export class AddressSet {
  readonly #nets: readonly (readonly [IpAddress, number])[]

  /**
   * @param entries - `10.0.0.0/8`, `::1`.
   * @param onInvalid - called with the first entry that is neither; must throw.
   */
  constructor(entries: readonly string[], onInvalid: (entry: string) => never) {
    this.#nets = entries.map((entry) => {
      if (ipaddr.isValidCIDR(entry)) return ipaddr.parseCIDR(entry)
      const address = parseAddress(entry) ?? onInvalid(entry)
      return [address, address.kind() === 'ipv4' ? 32 : 128]
    })
  }

  has(address: IpAddress): boolean {
    return this.#nets.some((net) => holds(net, address))
  }
}

function holds([base, bits]: readonly [IpAddress, number], address: IpAddress): boolean {
  return base.kind() === address.kind() && address.match(base, bits)
}
