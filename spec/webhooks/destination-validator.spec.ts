import { describe, expect, test } from '@jest/globals'
import { FakeClock } from '../../lib/testing/index.js'
import { DestinationValidator } from '../../lib/webhooks/destination-validator.js'
import type { ResolveHost } from '../../lib/webhooks/host-resolver.js'

const resolvesTo =
  (...addresses: string[]): ResolveHost =>
  async () =>
    addresses

const neverAsked: ResolveHost = () => Promise.reject(new Error('nobody is to be asked'))

describe('Destination validator', () => {
  test('an https target with public addresses passes, with its addresses', async () => {
    const validator = new DestinationValidator({
      resolve: resolvesTo('8.8.8.8', '2606:4700::1111'),
    })
    await expect(validator.validateTarget('https://offices.test/hook')).resolves.toEqual([
      '8.8.8.8',
      '2606:4700::1111',
    ])
  })

  test.each(['http://offices.test/', 'ftp://offices.test/', 'file:///etc/passwd', 'javascript:1'])(
    '%s is refused as insecure, and its name is not resolved',
    async (target) => {
      const validator = new DestinationValidator({ resolve: neverAsked })
      await expect(validator.validateTarget(target)).rejects.toMatchObject({
        code: 'WEBHOOK_DESTINATION_REFUSED',
        message: 'Refusing to deliver to insecure destination',
      })
    },
  )

  test.each(['', 'offices.test', '/hook', 'https://', 'https://a b/', 'https://x:65536/'])(
    '%j is no target',
    async (target) => {
      const validator = new DestinationValidator({ resolve: neverAsked })
      await expect(validator.validateTarget(target)).rejects.toMatchObject({
        code: 'WEBHOOK_INVALID_TARGET',
      })
    },
  )

  // nti.webhooks passes the whole authority to name resolution.
  test.each([
    ['https://offices.test:8443/hook', 'offices.test'],
    ['https://ana:secret@offices.test/hook', 'offices.test'],
    ['https://ana:secret@offices.test:8443/hook?token=t', 'offices.test'],
    ['https://OFFICES.test/', 'offices.test'],
    ['https://offices.test./', 'offices.test.'],
  ])('of %s the host alone is resolved', async (target, host) => {
    const asked: string[] = []
    const validator = new DestinationValidator({
      resolve: async (name) => {
        asked.push(name)
        return ['8.8.8.8']
      },
    })
    await validator.validateTarget(target)
    expect(asked).toEqual([host])
  })

  test.each([
    ['https://127.0.0.1/', '127.0.0.1'],
    ['https://127.1/', '127.0.0.1'],
    ['https://2130706433/', '127.0.0.1'],
    ['https://0x7f000001/', '127.0.0.1'],
    ['https://0x7f.0.0.1/', '127.0.0.1'],
    ['https://0177.0.0.1/', '127.0.0.1'],
    ['https://１２７.0.0.1/', '127.0.0.1'],
    ['https://%31%32%37.0.0.1/', '127.0.0.1'],
    ['https://8.8.8.8@127.0.0.1/', '127.0.0.1'],
    ['https://[::1]/', '::1'],
    ['https://[::ffff:7f00:1]:8443/', '::ffff:7f00:1'],
    ['https://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['https://[64:ff9b::7f00:1]/', '64:ff9b::7f00:1'],
    ['https://169.254.169.254/latest/meta-data', '169.254.169.254'],
    ['https://0/', '0.0.0.0'],
  ])('%s is refused without asking for a name', async (target, address) => {
    const validator = new DestinationValidator({ resolve: neverAsked })
    await expect(validator.validateTarget(target)).rejects.toMatchObject({
      code: 'WEBHOOK_DESTINATION_REFUSED',
      details: { address },
    })
  })

  test.each([
    [['127.0.0.1']],
    [['8.8.8.8', '10.0.0.1']],
    [['10.0.0.1', '8.8.8.8']],
    [['8.8.8.8', '::1']],
    [[...Array<string>(99).fill('8.8.8.8'), '192.168.0.1']],
  ])('a name with a refused address is refused', async (addresses) => {
    const validator = new DestinationValidator({ resolve: resolvesTo(...addresses) })
    await expect(validator.validateTarget('https://offices.test/')).rejects.toMatchObject({
      code: 'WEBHOOK_DESTINATION_REFUSED',
      details: { host: 'offices.test' },
    })
  })

  test('localhost is refused as the operating system resolves it', async () => {
    const validator = new DestinationValidator()
    await expect(validator.validateTarget('https://localhost/')).rejects.toMatchObject({
      code: 'WEBHOOK_DESTINATION_REFUSED',
    })
  })

  test('the error tells neither credentials nor query', async () => {
    const validator = new DestinationValidator()
    const error = await validator
      .validateTarget('https://ana:canary1@127.0.0.1/canary2?token=canary3#canary4')
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'WEBHOOK_DESTINATION_REFUSED' })
    const told = String((error as Error).stack) + JSON.stringify(error)
    expect(told).not.toMatch(/canary/)
    expect(told).toMatch(/127\.0\.0\.1.*allow-list/)
  })

  test('a target that cannot be parsed is not repeated in the error', async () => {
    const error = await new DestinationValidator()
      .validateTarget('https://ana:canary@a b/')
      .catch((thrown: unknown) => thrown)
    expect(String((error as Error).stack) + JSON.stringify(error)).not.toMatch(/canary/)
  })

  test('the operator permits a range', async () => {
    const validator = new DestinationValidator({
      policy: { allow: ['10.0.0.0/8'] },
      resolve: resolvesTo('10.1.2.3'),
    })
    await expect(validator.validateTarget('https://intranet.test/')).resolves.toEqual(['10.1.2.3'])
  })

  test('a name without addresses fails as a delivery does', async () => {
    for (const resolve of [resolvesTo(), () => Promise.reject(new Error('NXDOMAIN'))]) {
      const validator = new DestinationValidator({ resolve })
      await expect(validator.validateTarget('https://offices.test/')).rejects.toMatchObject({
        code: 'WEBHOOK_DELIVERY_FAILED',
        kind: 'dns',
      })
    }
  })

  test('answers are used again until they are too old', async () => {
    const clock = new FakeClock()
    const answers = [['8.8.8.8'], ['127.0.0.1']]
    const validator = new DestinationValidator({
      clock,
      ttlMs: 1000,
      resolve: async () => answers.shift() ?? [],
    })
    await validator.validateTarget('https://offices.test/a')
    await clock.advance(999)
    await validator.validateTarget('https://offices.test/b')
    await clock.advance(1)
    await expect(validator.validateTarget('https://offices.test/c')).rejects.toMatchObject({
      code: 'WEBHOOK_DESTINATION_REFUSED',
    })
  })
})
