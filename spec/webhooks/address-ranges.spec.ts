import { describe, expect, test } from '@jest/globals'
import ipaddr from 'ipaddr.js'
import { parseAddress, refusedRangeOf, refusedRanges } from '../../lib/webhooks/address-ranges.js'

describe('Refused ranges', () => {
  test('both ends of each range are refused', () => {
    for (const { cidr } of refusedRanges) {
      const [base, bits] = ipaddr.parseCIDR(cidr)
      const last = base.toByteArray().map((byte, i) => {
        const hostBits = Math.min(8, Math.max(0, 8 * (i + 1) - bits))
        return byte | (2 ** hostBits - 1)
      })
      expect([cidr, refusedRangeOf(base)]).toEqual([cidr, expect.anything()])
      expect([cidr, refusedRangeOf(ipaddr.fromByteArray(last))]).toEqual([cidr, expect.anything()])
    }
  })

  test('each base is the first address of its range', () => {
    for (const { cidr } of refusedRanges) {
      const [base] = ipaddr.parseCIDR(cidr)
      const network = (base.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6).networkAddressFromCIDR(
        cidr,
      )
      expect(base.toString()).toBe(network.toString())
    }
  })

  // ipaddr.js keeps a list of its own; ours leaves nothing of it out.
  test('what ipaddr.js calls special is refused', () => {
    for (const ranges of [ipaddr.IPv4, ipaddr.IPv6]) {
      const special = (ranges.prototype as unknown as { SpecialRanges: SpecialRanges })
        .SpecialRanges
      for (const [name, nets] of Object.entries(special)) {
        const list = Array.isArray(nets[0]) ? nets : [nets]
        for (const [base] of list as [ipaddr.IPv4 | ipaddr.IPv6][]) {
          expect([name, refusedRangeOf(base)]).toEqual([name, expect.anything()])
        }
      }
    }
  })

  test('an address with a zone is read without it', () => {
    expect(parseAddress('fe80::1%eth0')?.toString()).toBe('fe80::1')
    expect(parseAddress('fe80::1')?.toString()).toBe('fe80::1')
  })
})

type SpecialRanges = Record<string, [unknown, unknown]>
