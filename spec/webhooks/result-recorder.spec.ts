import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type ComponentRegistry,
  ConflictError,
  currentSite,
  DefaultDialect,
  IObjectModifiedEvent,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDialect,
  modified,
  type Oid,
  OutsideTransactionError,
  pathOf,
  type RequestContext,
  type Site,
  systemClock,
  type Tid,
  traverse,
  WebhookDeliveryAttempt,
} from '../../lib/index.js'
import {
  aSubscribedOffice,
  attemptsOf,
  BOB,
  Employee,
  elsewhere,
  endAll,
  managerIn,
  OUN,
  outboxSize,
  promote,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
  theAttempt,
  type WebhookDatabaseOptions,
} from '../support/webhooks-builders.js'

afterEach(endAll)

type ResolvedHandler = (attempt: WebhookDeliveryAttempt) => void

/** Registers a handler of resolved attempts. */
function hearing(handler: ResolvedHandler): Pick<WebhookDatabaseOptions, 'configure'> {
  return {
    configure: (registry: ComponentRegistry) =>
      registry.registerHandler(handler, {
        for: [WebhookDeliveryAttempt, IWebhookDeliveryAttemptResolvedEvent],
      }),
  }
}

describe('What is recorded of a delivery', () => {
  test('request, response, try and message', async () => {
    const { db, transport, clock } = await aSubscribedOffice()
    transport.answer({
      statusCode: 200,
      reason: 'OK',
      headers: { 'content-type': 'text/plain' },
      content: 'thanks',
      elapsedMs: 12,
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    const attempt = await theAttempt(db)
    expect(attempt).toMatchObject({
      status: 'successful',
      resolution: 'delivered',
      message: '200 OK',
      errorHistory: [],
      tries: [{ startedAtMs: clock.nowMs(), elapsedMs: 0, statusCode: 200, error: null }],
      request: {
        url: 'https://example.com/hook',
        method: 'POST',
        body: attempt.payload,
        createdAtMs: clock.nowMs(),
        headers: { 'Content-Type': 'application/json', 'webhook-id': attempt.messageId },
      },
      response: {
        statusCode: 200,
        reason: 'OK',
        headers: { 'content-type': 'text/plain' },
        content: 'thanks',
        elapsedMs: 12,
        createdAtMs: clock.nowMs(),
      },
    })
  })

  test('no reason is no text', async () => {
    const { db, transport } = await aSubscribedOffice()
    transport.answer({ statusCode: 204, reason: '' })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({ message: '204', response: { reason: '' } })
  })

  test('an error in words, and no response', async () => {
    const { db, transport } = await aSubscribedOffice({ webhooks: { retry: { retry: 'none' } } })
    transport.answer(new Error('the wire is cut'))
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'exhausted',
      message: 'Contacting the remote server experienced an unexpected error.',
      response: null,
      request: { url: 'https://example.com/hook' },
      tries: [{ statusCode: null, error: expect.stringContaining('the wire is cut') }],
      errorHistory: [expect.stringContaining('the wire is cut')],
    })
  })

  test('no request when the dialect cannot make one', async () => {
    class Silent extends DefaultDialect {
      override prepareRequest(): never {
        throw new Error('nothing to say')
      }
    }
    const { db, transport } = await aSubscribedOffice({
      subscription: { dialectId: 'silent' },
      webhooks: { retry: { retry: 'none' } },
      configure: (registry) =>
        registry.registerUtility(new Silent(), { provides: IWebhookDialect, name: 'silent' }),
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      message: 'Contacting the remote server experienced an unexpected error.',
      request: null,
      response: null,
      errorHistory: [expect.stringContaining('nothing to say')],
    })
  })

  test('no secret: of the URL, of headers, of what the receiver echoes, of errors', async () => {
    class Signed extends DefaultDialect {
      override produceHeaders(context: RequestContext): Record<string, string> {
        return {
          ...super.produceHeaders(context),
          Authorization: 'Bearer t0ps3cret',
          'X-Api-Key': 'k3yk3y',
        }
      }
    }
    const to = 'https://bob:p4ssw0rd@example.com/hook'
    const { db, transport } = await aSubscribedOffice({
      subscription: { to, dialectId: 'signed' },
      webhooks: { retry: { ladderMs: [0], jitter: 0 } },
      configure: (registry) =>
        registry.registerUtility(new Signed(), { provides: IWebhookDialect, name: 'signed' }),
    })
    transport.answer(new Error(`cannot reach ${to} with Bearer t0ps3cret`), {
      statusCode: 404,
      reason: 'No k3yk3y',
      headers: { 'set-cookie': 'session=c00kie', 'x-echo': 'Bearer t0ps3cret' },
      content: `you sent k3yk3y, ${btoa('bob:p4ssw0rd')} and p4ssw0rd`,
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    // Sent they were.
    expect(transport.requests[0]?.url).toBe(to)
    const attempt = await theAttempt(db)
    expect(attempt.tries).toHaveLength(2)
    expect(attempt.request?.url).toBe('https://example.com/hook')
    const everything = JSON.stringify(attempt)
    for (const secret of ['p4ssw0rd', btoa('bob:p4ssw0rd'), 't0ps3cret', 'k3yk3y', 'c00kie']) {
      expect(everything).not.toContain(secret)
    }
  })
})

describe('Results', () => {
  test('of many attempts are written in one transaction', async () => {
    const { db, transport } = await aSubscribedOffice({ webhooks: { deliver: false } })
    await db.transaction(({ root }) => {
      for (let count = 0; count < 8; count++) modified(traverse(root, BOB))
    })
    const tidBefore = db.lastTid
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(8)
    expect((await attemptsOf(db)).every(({ status }) => status === 'successful')).toBe(true)
    expect(db.lastTid).toBe(tidBefore + 1)
  })

  test('are written once the request has ended, however often the write conflicts', async () => {
    let conflicts = 0
    const { db, transport } = await aSubscribedOffice({
      clock: systemClock,
      ...hearing((attempt) => {
        // Somebody else changes the same attempt while the result is being written.
        if (conflicts++ < 3) throw aConflict()
        expect(attempt.status).toBe('successful')
      }),
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(conflicts).toBe(4)
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db)).toMatchObject({
      status: 'successful',
      tries: [{ statusCode: 200 }],
    })
  })

  test('survive a real conflict with a change of the application', async () => {
    let rivals: Promise<unknown> | undefined
    const { db, transport } = await aSubscribedOffice({
      clock: systemClock,
      ...hearing((attempt) => {
        const subscription = attempt.__parent__ as unknown as { statusMessage: string }
        subscription.statusMessage = `${attempt.message}, last`
      }),
    })
    transport.answer(async () => {
      rivals = elsewhere(() =>
        Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            db.transaction(
              ({ root }) => {
                subscriptionIn(root).statusMessage = `changed ${index}`
              },
              { tries: 50 },
            ),
          ),
        ),
      )
      return 200
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    await rivals
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db)).toMatchObject({ status: 'successful' })
  })

  test('that can never be written for conflicts leave the attempt pending, and that is reported', async () => {
    const reported: unknown[] = []
    let isContested = true
    const { db, transport, clock } = await aSubscribedOffice({
      onError: (error) => void reported.push(error),
      ...hearing(() => {
        if (isContested) throw aConflict()
      }),
    })
    await promote(db)
    const delivered = db.webhooks.waitForPendingDeliveries()
    for (let count = 0; count < 200; count++) await clock.advance(100)
    await delivered
    isContested = false
    expect(reported).toEqual([expect.objectContaining({ code: 'STORAGE_CONFLICT' })])
    expect(transport.requests).toHaveLength(1)
    expect(await theAttempt(db)).toMatchObject({ status: 'pending' })
    expect(await outboxSize(db)).toBe(1)
  })
})

describe('A handler of the resolved event', () => {
  test('that throws does not take the results of others along', async () => {
    const reported: unknown[] = []
    const { db, transport } = await aSubscribedOffice({
      onError: (error) => void reported.push(error),
      ...hearing((attempt) => {
        if (attempt.payload.includes('"title 1"')) throw new Error('not this one')
      }),
    })
    db.webhooks.pause()
    for (let number = 0; number < 3; number++) await promote(db, `title ${number}`)
    db.webhooks.resume()
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(3)
    expect(await attemptsOf(db)).toMatchObject([
      { status: 'successful' },
      {
        status: 'failed',
        message: 'Unexpected error handling the response from the server.',
        errorHistory: [expect.stringContaining('not this one')],
        response: { statusCode: 200 },
      },
      { status: 'successful' },
    ])
    expect(await outboxSize(db)).toBe(0)
    expect(reported).toEqual([new Error('not this one')])
  })

  test("runs in the attempt's own site", async () => {
    const sites: string[] = []
    const { db } = await aSubscribedOffice(
      hearing(() => void sites.push(pathOf(currentSite() as Site))),
    )
    await subscribe(db, '/NOAA')
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(sites.sort()).toEqual(['/NOAA', OUN])
  })

  test('may change the tree in the same transaction', async () => {
    const { db } = await aSubscribedOffice(
      hearing((attempt) => {
        const bob = traverse(attempt, BOB, Employee)
        bob.title = attempt.message
      }),
    )
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await db.view(({ root }) => traverse(root, BOB, Employee).title)).toBe('200')
  })

  test('that sends an event causes a delivery of its own', async () => {
    let isFirst = true
    const { db, transport } = await aSubscribedOffice(
      hearing((attempt) => {
        if (!isFirst) return
        isFirst = false
        modified(traverse(attempt, BOB, Employee))
      }),
    )
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(2)
  })
})

describe('What is removed while its request is under way', () => {
  test.each([
    ['a subscription', `${SUBSCRIPTION}/..`, 'PersistentSubscription'],
    ['a site', '/NOAA/NWS', 'OUN'],
  ])(
    '%s: the result is written where it was, and others are not disturbed',
    async (_what, path, name) => {
      const resolved: string[] = []
      const { db, transport } = await aSubscribedOffice({
        ...hearing((attempt) => void resolved.push(attempt.message)),
        onError: (error) => {
          throw error
        },
      })
      const other = await subscribe(db, '/NOAA', { when: IObjectModifiedEvent })
      transport.answer(
        async () => {
          await elsewhere(() =>
            db.transaction(({ root }) => void (traverse(root, path) as Site).delete(name)),
          )
          return { statusCode: 404, reason: 'Not Found' }
        },
        { statusCode: 404, reason: 'Not Found' },
      )
      await db.transaction(({ root }) => {
        subscriptionIn(root).attemptLimit = 1
      })
      await promote(db)
      await db.webhooks.waitForPendingDeliveries()
      expect(resolved).toEqual(['404 Not Found', '404 Not Found'])
      expect(await attemptsOf(db, other)).toMatchObject([{ status: 'failed' }])
      expect(await outboxSize(db)).toBe(0)
    },
  )

  test('an attempt: the result is written, and its siblings are not disturbed', async () => {
    const { db, transport } = await aSubscribedOffice()
    await subscribe(db)
    transport.answer(async () => {
      await elsewhere(() =>
        db.transaction(({ root }) => {
          for (const name of [...subscriptionIn(root).keys()]) subscriptionIn(root).delete(name)
        }),
      )
      return 200
    }, 200)
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(await attemptsOf(db)).toEqual([])
    expect(await attemptsOf(db, `${SUBSCRIPTION}-2`)).toMatchObject([{ status: 'successful' }])
    expect(await outboxSize(db)).toBe(0)
    expect(await db.view(({ root }) => managerIn(root).size)).toBe(2)
  })
})

function aConflict(): ConflictError {
  return ConflictError.between({
    oid: 1 as Oid,
    what: 'an attempt',
    read: 1 as Tid,
    committed: 2 as Tid,
  })
}

test('an attempt that is changed outside a transaction says so', async () => {
  const { db } = await aSubscribedOffice({ webhooks: { deliver: false } })
  await promote(db)
  const attempt = await db.transaction(({ root }) => [...subscriptionIn(root).values()][0])
  expect(() => attempt?.resolve('cancelled', 'too late')).toThrow(OutsideTransactionError)
})
