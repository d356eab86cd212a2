import { describe, expect, test } from '@jest/globals'
import { FakeClock } from '../../lib/testing/index.js'
import { HostResolver, type ResolveHost } from '../../lib/webhooks/host-resolver.js'

function aResolver(resolve: ResolveHost, clock = new FakeClock()): HostResolver {
  return new HostResolver({ resolve, clock, ttlMs: 1000, deadlineMs: 500, maxHosts: 2 })
}

describe('Host resolver', () => {
  test('those who ask together share one answer', async () => {
    let asked = 0
    const resolver = aResolver(async () => {
      asked++
      return ['8.8.8.8']
    })
    const answers = await Promise.all([1, 2, 3].map(() => resolver.resolve('offices.test')))
    expect(answers).toEqual([['8.8.8.8'], ['8.8.8.8'], ['8.8.8.8']])
    expect(asked).toBe(1)
  })

  test('a failure is shared by those who wait, and not remembered', async () => {
    let asked = 0
    const resolver = aResolver(async () => {
      if (asked++ === 0) throw new Error('SERVFAIL')
      return ['8.8.8.8']
    })
    const [one, two] = await Promise.allSettled([resolver.resolve('a'), resolver.resolve('a')])
    expect(one).toMatchObject({ status: 'rejected', reason: { kind: 'dns' } })
    expect(two).toEqual(one)
    await expect(resolver.resolve('a')).resolves.toEqual(['8.8.8.8'])
  })

  test('an answer that does not come in time is a failure', async () => {
    const clock = new FakeClock()
    const resolver = aResolver(() => new Promise(() => {}), clock)
    const asked = expect(resolver.resolve('offices.test')).rejects.toMatchObject({
      kind: 'dns',
      message: expect.stringMatching(/offices\.test.*within 500 ms/),
    })
    await clock.advance(500)
    await asked
  })

  test('nothing sleeps on after an answer', async () => {
    const clock = new FakeClock()
    await aResolver(async () => ['8.8.8.8'], clock).resolve('offices.test')
    expect(clock.sleeping).toBe(0)
  })

  test('the oldest answer is forgotten when there are too many', async () => {
    const asked: string[] = []
    const resolver = aResolver(async (host) => {
      asked.push(host)
      return ['8.8.8.8']
    })
    for (const host of ['a', 'b', 'c', 'b', 'c', 'a']) await resolver.resolve(host)
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
  })
})
