import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { DestinationJudge } from '../../lib/webhooks/destination-judge.js'

const publicOnly = new DestinationJudge({ allow: [] })

describe('Destination judge', () => {
  // The union of the test tables of smokescreen, Svix and Hook0, and metadata services.
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '100.127.255.254',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '169.254.169.254',
    '169.254.170.2',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.0.192',
    '192.0.2.1',
    '192.31.196.1',
    '192.52.193.1',
    '192.88.99.1',
    '192.168.0.1',
    '192.175.48.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:0:127.0.0.1',
    '::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::2',
    '64:ff9b::a00:1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2002:a00:1::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '2001:2::1',
    '2001:10::1',
    '2001:20::1',
    '2001:db8::1',
    '2620:4f:8000::1',
    '3fff::1',
    '5f00::1',
    '100::1',
  ])('%s is refused', (address) => {
    expect(publicOnly.reasonAgainst(address)).toEqual(expect.any(String))
  })

  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '100.63.255.254',
    '100.128.0.1',
    '172.15.255.255',
    '172.32.0.1',
    '192.0.1.1',
    '198.20.0.1',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2606:4700:4700::1111',
    '64:ff9c::1',
  ])('%s is permitted', (address) => {
    expect(publicOnly.reasonAgainst(address)).toBeUndefined()
  })

  test.each(['', 'localhost', '127.1', '0x7f000001', '0177.0.0.1', '2130706433', '1.2.3.4.5'])(
    '%j is not an address, and refused',
    (address) => {
      expect(publicOnly.reasonAgainst(address)).toBe('not an IP address')
    },
  )

  test('the reason names the range', () => {
    expect(publicOnly.reasonAgainst('10.1.2.3')).toBe('private (10.0.0.0/8)')
    expect(publicOnly.reasonAgainst('169.254.169.254')).toMatch(/^a cloud metadata service/)
  })

  test('the operator permits ranges and single addresses', () => {
    const judge = new DestinationJudge({ allow: ['10.1.0.0/16', '127.0.0.1', 'fd00::/8', '::1'] })
    expect(judge.reasonAgainst('10.1.255.1')).toBeUndefined()
    expect(judge.reasonAgainst('127.0.0.1')).toBeUndefined()
    expect(judge.reasonAgainst('fd12::1')).toBeUndefined()
    expect(judge.reasonAgainst('::1')).toBeUndefined()
    expect(judge.reasonAgainst('10.2.0.1')).toBeDefined()
    expect(judge.reasonAgainst('127.0.0.2')).toBeDefined()
    expect(judge.reasonAgainst('fc00::1')).toBeDefined()
  })

  test('a denied address stays refused when it is public or allowed', () => {
    const judge = new DestinationJudge({ allow: ['10.0.0.0/8'], deny: ['8.8.8.0/24', '10.0.0.1'] })
    expect(judge.reasonAgainst('8.8.8.8')).toBe('denied by the operator')
    expect(judge.reasonAgainst('10.0.0.1')).toBe('denied by the operator')
    expect(judge.reasonAgainst('10.0.0.2')).toBeUndefined()
  })

  test('an allowed address that carries another one is judged by that one too', () => {
    const judge = new DestinationJudge({
      allow: ['64:ff9b::/96', '::ffff:0:0/96'],
      deny: ['9.9.9.9'],
    })
    expect(judge.reasonAgainst('64:ff9b::8.8.8.8')).toBeUndefined()
    expect(judge.reasonAgainst('64:ff9b::10.0.0.1')).toBe('private (10.0.0.0/8)')
    expect(judge.reasonAgainst('::ffff:127.0.0.1')).toBe('loopback (127.0.0.0/8)')
    expect(judge.reasonAgainst('64:ff9b::9.9.9.9')).toBe('denied by the operator')
  })

  test('every IPv4 address is refused in all its IPv6 forms, and gets its own verdict where they are allowed', () => {
    const judge = new DestinationJudge({
      allow: ['::ffff:0:0/96', '::/96', '64:ff9b::/96', '2002::/16'],
    })
    fc.assert(
      fc.property(fc.ipV4(), (ipv4) => {
        const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number)
        const high = ((a << 8) | b).toString(16)
        const low = ((c << 8) | d).toString(16)
        const forms = [`::ffff:${ipv4}`, `64:ff9b::${high}:${low}`, `2002:${high}:${low}::1`]
        if (a > 0) forms.push(`::${high}:${low}`)
        for (const form of forms) {
          expect(publicOnly.reasonAgainst(form)).toBeDefined()
          expect(judge.reasonAgainst(form)).toBe(publicOnly.reasonAgainst(ipv4))
        }
      }),
    )
  })

  test('a host is refused for any one of its addresses, in any order', () => {
    for (const addresses of [
      ['8.8.8.8', '10.0.0.1'],
      ['10.0.0.1', '8.8.8.8'],
    ]) {
      expect(() => publicOnly.check('offices.test', addresses)).toThrow(
        expect.objectContaining({
          code: 'WEBHOOK_DESTINATION_REFUSED',
          message: expect.stringMatching(/offices\.test.*10\.0\.0\.1.*private.*allow-list/),
        }),
      )
    }
    expect(() => publicOnly.check('offices.test', ['8.8.8.8', '1.1.1.1'])).not.toThrow()
  })

  test.each(['10.0.0.0/33', 'office', '', '10.0.0.1/'])('%j is no entry of a policy', (entry) => {
    const code = 'WEBHOOK_INVALID_SETTING'
    expect(() => new DestinationJudge({ allow: [entry] })).toThrow(
      expect.objectContaining({ code }),
    )
    expect(() => new DestinationJudge({ allow: [], deny: [entry] })).toThrow(
      expect.objectContaining({ code }),
    )
  })
})
