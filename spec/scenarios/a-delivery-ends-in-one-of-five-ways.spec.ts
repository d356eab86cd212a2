import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type Database,
  Database as DatabaseClass,
  subscribeToResource,
  traverse,
} from '../../lib/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import {
  type LocalAnswer,
  type LocalReceiver,
  startLocalReceiver,
} from '../../lib/testing/index.js'
import {
  attemptsOf,
  BOB,
  Employee,
  endAll,
  ending,
  makeOffice,
  OUN,
  promote,
  subscriptionIn,
  theAttempt,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const SOON = { retry: { ladderMs: [1], jitter: 0 } }

interface Office {
  readonly db: Database
  readonly receiver: LocalReceiver
}

/** An office whose subscription leads to a real HTTPS receiver on loopback. */
async function anOfficeWithReceiver(
  answer: LocalAnswer,
  { isAllowed = true, url = (plain: string) => plain } = {},
): Promise<Office> {
  const receiver = ending(await startLocalReceiver({ answer }))
  const db = ending(
    await DatabaseClass.open('memory', {
      storage: createMemoryStorage(),
      durability: 'relaxed',
      webhooks: {
        dispatch: 'recommended',
        ca: [receiver.ca],
        ...SOON,
        ...(isAllowed && { destinations: { allow: ['127.0.0.1'] } }),
      },
    }),
  )
  await db.transaction(({ root }) => {
    makeOffice(root)
    subscribeToResource(traverse(root, OUN), { to: url(receiver.url), for: Employee })
  })
  return { db, receiver }
}

/** Until nothing is queued for later either. */
async function allDelivered(db: Database): Promise<void> {
  do {
    await db.webhooks.waitForPendingDeliveries()
    await new Promise((resolve) => setTimeout(resolve, 5))
  } while (db.webhooks.pending > 0)
}

describe('A delivery over HTTPS', () => {
  test('is delivered when the receiver says 200', async () => {
    const { db, receiver } = await anOfficeWithReceiver({
      statusCode: 200,
      headers: { 'x-answer': 'yes' },
      body: 'thanks',
    })
    await promote(db)
    await allDelivered(db)
    const attempt = await theAttempt(db)
    expect(attempt).toMatchObject({
      status: 'successful',
      resolution: 'delivered',
      message: '200 OK',
      response: {
        statusCode: 200,
        reason: 'OK',
        content: 'thanks',
        headers: { 'x-answer': 'yes' },
      },
    })
    expect(receiver.requests).toMatchObject([
      {
        method: 'POST',
        body: JSON.stringify({ name: 'Bob', title: 'Senior', path: BOB }),
        headers: {
          'content-type': 'application/json',
          'user-agent': expect.stringMatching(/^treehook\//),
          'webhook-id': attempt.messageId,
        },
      },
    ])
  })

  test('is refused when the receiver says 404', async () => {
    const { db, receiver } = await anOfficeWithReceiver(404)
    await promote(db)
    await allDelivered(db)
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'refused',
      message: '404 Not Found',
    })
    expect(receiver.requests).toHaveLength(1)
  })

  test('ends the subscription when the receiver says 410', async () => {
    const { db } = await anOfficeWithReceiver(410)
    await promote(db)
    await allDelivered(db)
    expect(await theAttempt(db)).toMatchObject({ resolution: 'refused', message: '410 Gone' })
    await db.view(({ root }) => expect(subscriptionIn(root).active).toBe(false))
  })

  test('is made again, byte for byte, when the receiver says 500 and then 200', async () => {
    let count = 0
    const { db, receiver } = await anOfficeWithReceiver(() => (count++ === 0 ? 500 : 200))
    await promote(db)
    await allDelivered(db)
    const [first, second] = receiver.requests
    expect(receiver.requests).toHaveLength(2)
    expect(second?.body).toBe(first?.body)
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
    expect(await theAttempt(db)).toMatchObject({
      status: 'successful',
      tries: [{ statusCode: 500 }, { statusCode: 200 }],
    })
  })

  test('is exhausted when the connection breaks each time', async () => {
    const { db } = await anOfficeWithReceiver({ fault: 'reset' })
    await promote(db)
    await allDelivered(db)
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'exhausted',
      message: 'Contacting the remote server experienced an unexpected error.',
      response: null,
      tries: [{ statusCode: null }, { statusCode: null }],
      errorHistory: [
        expect.stringContaining('WEBHOOK_DELIVERY_FAILED'),
        expect.stringContaining('WEBHOOK_DELIVERY_FAILED'),
      ],
    })
  })

  test('never reaches a private address that the operator has not allowed', async () => {
    const { db, receiver } = await anOfficeWithReceiver(200, { isAllowed: false })
    await promote(db)
    await allDelivered(db)
    expect(await theAttempt(db)).toMatchObject({
      status: 'failed',
      resolution: 'invalidDestination',
      message: 'Verification of the destination URL failed. Please check the domain.',
    })
    expect(receiver.connections).toBe(0)
  })

  test('sends the credentials of its URL, and records them nowhere', async () => {
    const { db, receiver } = await anOfficeWithReceiver(
      ({ headers }) => ({ statusCode: 200, body: JSON.stringify(headers) }),
      { url: (plain) => plain.replace('https://', 'https://bob:p4ssw0rd@') },
    )
    await promote(db)
    await allDelivered(db)
    const basic = btoa('bob:p4ssw0rd')
    expect(receiver.requests[0]?.headers.authorization).toBe(`Basic ${basic}`)
    const recorded = JSON.stringify(await attemptsOf(db))
    expect(recorded).toContain('200 OK')
    expect(recorded).not.toContain('p4ssw0rd')
    expect(recorded).not.toContain(basic)
  })
})
