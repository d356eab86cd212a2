import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type ComponentRegistry,
  type Container,
  DefaultDialect,
  HttpTransport,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDialect,
  modified,
  traverse,
  WebhookDeliveryAttempt,
} from '../../lib/index.js'
import { createMemoryDatabase } from '../../lib/storage/index.js'
import { FakeClock, RecordingTransport } from '../../lib/testing/index.js'
import {
  aSubscribedOffice,
  attemptsOf,
  aWebhookDatabase,
  BOB,
  elsewhere,
  endAll,
  HOOK,
  managerIn,
  OUN,
  outboxSize,
  promote,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
  theAttempt,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const LADDER = { retry: { ladderMs: [5000, 30_000], jitter: 0 } }

describe('A delivery', () => {
  test.each([
    [200, 'successful', 'delivered'],
    [204, 'successful', 'delivered'],
    [302, 'failed', 'refused'],
    [404, 'failed', 'refused'],
    [410, 'failed', 'refused'],
  ] as const)('that is answered %i is %s, %s, at once', async (statusCode, status, resolution) => {
    const { db, transport, clock } = await aSubscribedOffice()
    transport.answer(statusCode)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({ status, resolution, message: `${statusCode}` })
    await clock.advance(7 * 86_400_000)
    expect(transport.requests).toHaveLength(1)
    expect(db.webhooks.pending).toBe(0)
  })

  test('that is answered 500 and then 200 is made again, with the same id and bytes', async () => {
    const { db, transport, clock } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer(500, 200)
    const madeAtMs = clock.nowMs()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({
      status: 'pending',
      dueAtMs: madeAtMs + 5000,
      message: '',
      tries: [{ statusCode: 500 }],
      response: { statusCode: 500 },
    })
    await clock.advance(4999)
    expect(transport.requests).toHaveLength(1)
    // What is committed meanwhile is not what is sent.
    db.webhooks.pause()
    await db.transaction(({ root }) => managerIn(root).deactivateSubscription(subscriptionIn(root)))
    await promote(db, 'changed meanwhile')
    db.webhooks.resume()
    await clock.advance(1)
    await db.webhooks.waitForPendingDeliveries()
    const [first, second] = transport.requests
    expect(transport.requests).toHaveLength(2)
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    const attempt = await theAttempt(db)
    expect(attempt).toMatchObject({
      status: 'successful',
      resolution: 'delivered',
      tries: [{ statusCode: 500 }, { statusCode: 200 }],
    })
    expect(first?.headers['webhook-id']).toBe(attempt.messageId)
  })

  test('waits as long as the receiver asks', async () => {
    const { db, transport, clock } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer({ statusCode: 503, headers: { 'retry-after': '120' } }, 200)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({ dueAtMs: clock.nowMs() + 120_000 })
    // Overloaded: nothing else is sent there either.
    await promote(db, 'second')
    await clock.advance(119_000)
    expect(transport.requests).toHaveLength(1)
    await clock.advance(1000)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(3)
  })

  test('is exhausted after the last wait', async () => {
    const { db, transport, clock } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer({ statusCode: 500, reason: 'Internal Server Error' })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    for (const waitMs of [5000, 30_000]) {
      await clock.advance(waitMs)
      await db.webhooks.waitForPendingDeliveries()
    }
    expect(transport.requests).toHaveLength(3)
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'exhausted',
      message: '500 Internal Server Error',
      tries: [{ statusCode: 500 }, { statusCode: 500 }, { statusCode: 500 }],
    })
    expect(await outboxSize(db)).toBe(0)
    expect(db.webhooks.pending).toBe(0)
  })

  test("is exhausted at once with retry: 'none'", async () => {
    const { db, transport } = await aSubscribedOffice({ webhooks: { retry: { retry: 'none' } } })
    transport.answer(500)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({ status: 'failed', resolution: 'exhausted' })
    expect(transport.requests).toHaveLength(1)
  })

  test('to where policy forbids fails for good, on the first try', async () => {
    const { db, clock } = await anOfficeThatSendsForReal()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'invalidDestination',
      message: 'Verification of the destination URL failed. Please check the domain.',
      response: null,
      tries: [{ statusCode: null, error: expect.stringContaining('WEBHOOK_DESTINATION_REFUSED') }],
      errorHistory: [expect.stringContaining('127.0.0.1')],
    })
    expect(await outboxSize(db)).toBe(0)
    // It is in no queue any more.
    expect(db.webhooks.pending).toBe(0)
    await clock.advance(7 * 86_400_000)
    expect((await theAttempt(db)).tries).toHaveLength(1)
  })
})

async function anOfficeThatSendsForReal() {
  const clock = new FakeClock()
  return aSubscribedOffice({
    clock,
    subscription: { to: 'https://127.0.0.1:9/hook' },
    webhooks: { transport: new HttpTransport() },
  })
}

describe('A receiver that is gone (410)', () => {
  test('ends the subscription, which says why', async () => {
    const { db, transport } = await aSubscribedOffice()
    transport.answer({ statusCode: 410, reason: 'Gone' })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({ resolution: 'refused', message: '410 Gone' })
    await db.view(({ root }) => {
      expect(subscriptionIn(root).active).toBe(false)
      expect(subscriptionIn(root).statusMessage).toBe('The receiver is gone (410).')
    })
    await promote(db, 'again')
    expect(await attemptsOf(db)).toHaveLength(1)
  })

  test('ends what else is pending for the subscription', async () => {
    const { db, transport } = await aSubscribedOffice({
      webhooks: { concurrency: { maxRunningPerEndpoint: 1 } },
    })
    transport.answer(async () => {
      // The first result is written before the second is sent.
      await elsewhere(() => new Promise((resolve) => setTimeout(resolve, 20)))
      return 410
    })
    db.webhooks.pause()
    for (const title of ['one', 'two', 'three']) await promote(db, title)
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    const attempts = await attemptsOf(db)
    expect(attempts[0]).toMatchObject({ resolution: 'refused' })
    expect(attempts[2]).toMatchObject({
      status: 'failed',
      resolution: 'cancelled',
      message: 'The receiver is gone (410).',
      tries: [],
    })
    expect(await outboxSize(db)).toBe(0)
  })

  test('says so also of a subscription that was suspended meanwhile', async () => {
    const { db, transport } = await aSubscribedOffice()
    transport.answer(410)
    db.webhooks.pause()
    await promote(db)
    await db.transaction(({ root }) =>
      managerIn(root).deactivateSubscription(subscriptionIn(root), { reason: 'holiday' }),
    )
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    await db.view(({ root }) => {
      expect(subscriptionIn(root).statusMessage).toBe('The receiver is gone (410).')
    })
  })
})

describe('What is pending when its subscription is removed', () => {
  test.each([
    ['the subscription', `${SUBSCRIPTION}/..`, 'PersistentSubscription'],
    ['its site', '/NOAA/NWS', 'OUN'],
  ])('%s: is not sent', async (_what, path, name) => {
    const { db, transport } = await aSubscribedOffice()
    db.webhooks.pause()
    await promote(db)
    const attempt = await db.transaction(({ root }) => {
      const [pending] = subscriptionIn(root).values()
      ;(traverse(root, path) as Container).delete(name)
      return pending
    })
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests.filter(({ body }) => body === attempt?.payload)).toHaveLength(0)
    expect(await outboxSize(db)).toBe(0)
  })

  test('is not tried again', async () => {
    const { db, transport, clock } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer(500)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    await db.transaction(({ root }) => managerIn(root).delete('PersistentSubscription'))
    await clock.advance(100_000)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
    expect(db.webhooks.pending).toBe(0)
  })
})

describe('An attempt that the application resolves itself', () => {
  test('is not sent', async () => {
    const { db, transport } = await aSubscribedOffice()
    db.webhooks.pause()
    await promote(db)
    await db.transaction(({ root }) => {
      for (const attempt of subscriptionIn(root).values()) attempt.resolve('cancelled', 'by hand')
    })
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await theAttempt(db)).toMatchObject({ resolution: 'cancelled', message: 'by hand' })
    expect(await outboxSize(db)).toBe(0)
  })

  test('is not tried again', async () => {
    const { db, transport, clock } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer(async () => {
      await elsewhere(() =>
        db.transaction(({ root }) => {
          for (const attempt of subscriptionIn(root).values())
            attempt.resolve('cancelled', 'by hand')
        }),
      )
      return 500
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    await clock.advance(1_000_000)
    expect(transport.requests).toHaveLength(1)
    expect(db.webhooks.pending).toBe(0)
  })
})

describe('waitForPendingDeliveries', () => {
  test('waits for a retry that is due at once', async () => {
    const { db, transport } = await aSubscribedOffice({
      webhooks: { retry: { ladderMs: [0, 0], jitter: 0 } },
    })
    transport.answer(500, 500, 200)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(3)
    expect(await theAttempt(db)).toMatchObject({ status: 'successful' })
  })

  test('does not wait for a retry that is due later', async () => {
    const { db, transport } = await aSubscribedOffice({ webhooks: LADDER })
    transport.answer(500)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(db.webhooks.pending).toBe(1)
  })
})

describe('The next opening', () => {
  test('sends everything that was pending, beyond a page', async () => {
    const memory = createMemoryDatabase()
    const first = await aSubscribedOffice({ memory, webhooks: { deliver: false } })
    await first.db.transaction(({ root }) => {
      for (let count = 0; count < 1100; count++) modified(traverse(root, BOB))
    })
    const ids = (await attemptsOf(first.db)).map(({ messageId }) => messageId)
    await first.db.close()
    const { db, transport } = await aWebhookDatabase({ memory })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1100)
    expect(transport.requests.map(({ headers }) => headers['webhook-id']).sort()).toEqual(
      ids.sort(),
    )
    expect(await outboxSize(db)).toBe(0)
    // The history limit holds for them too.
    expect(await attemptsOf(db)).toHaveLength(50)
  })

  test('makes what was under way again, with the same id', async () => {
    const memory = createMemoryDatabase()
    const first = await aSubscribedOffice({ memory })
    first.transport.answer(() => new Promise(() => {}))
    await promote(first.db)
    while (first.transport.requests.length === 0) await new Promise(setImmediate)
    await first.db.close()
    const { db, transport } = await aWebhookDatabase({ memory })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests.map(({ headers }) => headers['webhook-id'])).toEqual(
      first.transport.requests.map(({ headers }) => headers['webhook-id']),
    )
    expect(await theAttempt(db)).toMatchObject({
      status: 'successful',
      tries: [{ statusCode: 200 }],
    })
  })

  test('waits for a retry until it is due', async () => {
    const memory = createMemoryDatabase()
    const clock = new FakeClock()
    const first = await aSubscribedOffice({ memory, clock, webhooks: LADDER })
    first.transport.answer(500)
    await promote(first.db)
    await first.db.webhooks.waitForPendingDeliveries()
    await first.db.close()
    const { db, transport } = await aWebhookDatabase({ memory, clock, webhooks: LADDER })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    await clock.advance(5000)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db)).toMatchObject({
      status: 'successful',
      tries: [{ statusCode: 500 }, { statusCode: 200 }],
    })
  })

  test('cancels what is pending for a subscription that is gone, and says why', async () => {
    const memory = createMemoryDatabase()
    const first = await aSubscribedOffice({ memory, webhooks: { deliver: false } })
    const other = await subscribe(first.db, '/NOAA')
    await promote(first.db)
    await first.db.transaction(({ root }) => managerIn(root).delete('PersistentSubscription'))
    await first.db.close()
    const resolved: string[] = []
    const { db, transport } = await aWebhookDatabase({
      memory,
      configure: (registry) =>
        registry.registerHandler(
          (attempt) => void resolved.push(`${attempt.resolution}: ${attempt.message}`),
          { for: [WebhookDeliveryAttempt, IWebhookDeliveryAttemptResolvedEvent] },
        ),
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db, other)).toMatchObject({ status: 'successful' })
    expect(resolved.sort()).toEqual(['cancelled: The subscription was removed.', 'delivered: 200'])
    expect(await outboxSize(db)).toBe(0)
  })

  test('does not give up what names a dialect that is registered too late', async () => {
    const memory = createMemoryDatabase()
    const clock = new FakeClock()
    const register = (registry: ComponentRegistry) =>
      registry.registerUtility(new DefaultDialect(), { provides: IWebhookDialect, name: 'ours' })
    const first = await aSubscribedOffice({
      memory,
      subscription: { dialectId: 'ours' },
      configure: register,
      webhooks: { deliver: false },
    })
    await promote(first.db)
    await first.db.close()
    const { db, transport } = await aWebhookDatabase({ memory, clock, webhooks: LADDER })
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({
      status: 'pending',
      errorHistory: [expect.stringContaining('"ours"')],
    })
    register(db.registry)
    await clock.advance(5000)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db)).toMatchObject({ status: 'successful' })
  })
})

describe('Closing', () => {
  test('loses no result, also when it is asked for twice at once', async () => {
    const memory = createMemoryDatabase()
    const first = await aSubscribedOffice({ memory })
    await first.db.transaction(({ root }) => {
      subscriptionIn(root).attemptLimit = 1000
      for (let count = 0; count < 300; count++) modified(traverse(root, BOB))
    })
    while (first.transport.requests.length < 20) await new Promise(setImmediate)
    await Promise.all([first.db.close(), first.db.close()])
    const { db, transport } = await aWebhookDatabase({ memory })
    await db.webhooks.waitForPendingDeliveries()
    const sent = [...first.transport.requests, ...transport.requests]
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(300)
    // What was answered before the end is not asked again.
    expect(transport.requests.length).toBeLessThan(300)
    const attempts = await attemptsOf(db)
    expect(attempts).toHaveLength(300)
    expect(
      attempts.every(({ status, tries }) => status === 'successful' && tries.length === 1),
    ).toBe(true)
    expect(await outboxSize(db)).toBe(0)
  })

  test('closes the transport', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.close()
    expect(transport.isClosed).toBe(true)
  })
})

describe('Endpoints', () => {
  test('a silent one does not hold up another', async () => {
    const { db, transport } = await aSubscribedOffice({
      subscription: { to: 'https://silent.example/' },
    })
    await subscribe(db, OUN, { to: HOOK })
    transport.answer(({ url }) => (url === HOOK ? 200 : new Promise(() => {})))
    for (let number = 0; number < 30; number++) await promote(db, `title ${number}`)
    while (transport.requests.filter(({ url }) => url === HOOK).length < 30) {
      await new Promise(setImmediate)
    }
    expect(transport.requests.filter(({ url }) => url !== HOOK).length).toBeLessThanOrEqual(8)
  })

  test('of one transaction are sent to at the same time', async () => {
    let under = 0
    let most = 0
    const transport = new RecordingTransport()
    transport.answer(async () => {
      most = Math.max(most, ++under)
      await new Promise(setImmediate)
      under--
      return 200
    })
    const { db } = await aSubscribedOffice({ transport })
    await subscribe(db)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(most).toBe(2)
  })
})
