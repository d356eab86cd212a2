import { afterEach, describe, expect, test } from '@jest/globals'
import {
  globalRegistry,
  IObjectModifiedEvent,
  IWebhookDeliveryAttempt,
  IWebhookDeliveryAttemptFailedEvent,
  IWebhookDeliveryAttemptResolvedEvent,
  IWebhookDeliveryAttemptSucceededEvent,
  WebhookDeliveryAttempt,
} from '../../lib/index.js'
import type { EndedAttemptTry } from '../../lib/webhooks/attempt.js'
import { AttemptFailedEvent, AttemptSucceededEvent } from '../../lib/webhooks/index.js'
import {
  aSubscribedOffice,
  endAll,
  promote,
  subscriptionIn,
  theAttempt,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const NOW_MS = Date.UTC(2026, 0, 1)

function aPendingAttempt(): WebhookDeliveryAttempt {
  return WebhookDeliveryAttempt.pending({
    payload: '{"name":"Bob"}',
    nowMs: NOW_MS,
    transactionNote: '/employees',
  })
}

const RESPONSE = {
  statusCode: 500,
  reason: 'Internal Server Error',
  headers: { server: 'x' },
  content: 'oops',
  elapsedMs: 5,
  createdAtMs: NOW_MS + 5,
}
const REQUEST = {
  url: 'https://example.com/hook',
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  createdAtMs: NOW_MS,
}
const ANSWERED: EndedAttemptTry = {
  startedAtMs: NOW_MS,
  elapsedMs: 5,
  request: REQUEST,
  response: RESPONSE,
}
const SILENT: EndedAttemptTry = {
  startedAtMs: NOW_MS + 10,
  elapsedMs: 7,
  request: REQUEST,
  error: 'no answer',
}

describe('A pending attempt', () => {
  test('has an id, its payload and its origin, and neither request nor response', () => {
    const attempt = aPendingAttempt()
    expect(IWebhookDeliveryAttempt.providedBy(attempt)).toBe(true)
    expect(attempt).toMatchObject({
      status: 'pending',
      isPending: true,
      isResolved: false,
      resolution: undefined,
      message: '',
      payload: '{"name":"Bob"}',
      createdAtMs: NOW_MS,
      dueAtMs: NOW_MS,
      request: null,
      response: null,
      errorHistory: [],
      origin: { pid: process.pid, createdAtMs: NOW_MS, transactionNote: '/employees' },
    })
    expect(attempt.messageId).not.toBe(aPendingAttempt().messageId)
  })

  test('stays pending after a try that is to be repeated, and keeps each try', () => {
    const attempt = aPendingAttempt()
    attempt.recordTry(ANSWERED, NOW_MS + 1000)
    attempt.recordTry(SILENT, NOW_MS + 2000)
    expect(attempt).toMatchObject({
      status: 'pending',
      dueAtMs: NOW_MS + 2000,
      request: { ...REQUEST, body: '{"name":"Bob"}' },
      // The last try had no answer.
      response: null,
      errorHistory: ['no answer'],
      tries: [
        { startedAtMs: NOW_MS, elapsedMs: 5, statusCode: 500, error: null },
        { startedAtMs: NOW_MS + 10, elapsedMs: 7, statusCode: null, error: 'no answer' },
      ],
    })
  })

  test('keeps its id and payload over all tries', () => {
    const attempt = aPendingAttempt()
    const { messageId, payload } = attempt
    attempt.recordTry(SILENT, NOW_MS)
    attempt.resolve('exhausted', 'enough', SILENT)
    expect(attempt).toMatchObject({ messageId, payload })
  })
})

describe('A resolved attempt', () => {
  test.each([
    ['delivered', 'successful'],
    ['refused', 'failed'],
    ['exhausted', 'failed'],
    ['cancelled', 'failed'],
    ['invalidDestination', 'failed'],
    ['notBuilt', 'failed'],
  ] as const)('that is %s is %s', (resolution, status) => {
    const attempt = aPendingAttempt()
    attempt.resolve(resolution, 'so it is', ANSWERED)
    expect(attempt).toMatchObject({
      status,
      resolution,
      message: 'so it is',
      isPending: false,
      isResolved: true,
      response: RESPONSE,
    })
  })

  test('has no try more when none decided it', () => {
    const attempt = aPendingAttempt()
    attempt.resolve('cancelled', 'gone')
    expect(attempt).toMatchObject({ tries: [], request: null, response: null })
  })

  test.each([
    ['resolve', (attempt: WebhookDeliveryAttempt) => attempt.resolve('refused', 'no')],
    [
      'resolveQuietly',
      (attempt: WebhookDeliveryAttempt) => attempt.resolveQuietly('refused', 'no'),
    ],
    ['recordTry', (attempt: WebhookDeliveryAttempt) => attempt.recordTry(SILENT, NOW_MS)],
  ])('is not changed any more by %s', (_name, change) => {
    const attempt = aPendingAttempt()
    attempt.resolve('delivered', '200 OK', ANSWERED)
    expect(() => change(attempt)).toThrow('Cannot change status once set.')
    expect(() => change(attempt)).toThrow(
      expect.objectContaining({ code: 'WEBHOOK_ATTEMPT_RESOLVED' }),
    )
    expect(attempt).toMatchObject({ status: 'successful', message: '200 OK' })
    expect(attempt.tries).toHaveLength(1)
  })

  test('cannot be assigned a status', () => {
    const attempt = aPendingAttempt()
    expect(() => {
      ;(attempt as { status: string }).status = 'successful'
    }).toThrow(TypeError)
  })
})

describe('The record of an attempt', () => {
  test('is not changed by who changes what it gives', async () => {
    const { db } = await aSubscribedOffice()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    const before = await theAttempt(db)
    await db.transaction(({ root }) => {
      const [attempt] = subscriptionIn(root).values()
      const { response, request, tries, errorHistory, origin } = attempt as unknown as {
        response: { content: string; headers: Record<string, string> }
        request: { headers: Record<string, string> }
        tries: { error: string }[]
        errorHistory: string[]
        origin: { pid: number }
      }
      response.content = 'forged'
      response.headers.forged = 'yes'
      request.headers.forged = 'yes'
      for (const one of tries) one.error = 'forged'
      tries.length = 0
      errorHistory.push('forged')
      origin.pid = 1
    })
    expect(await theAttempt(db)).toEqual(before)
  })

  test('is whole after a reopening of the caches', async () => {
    const { db } = await aSubscribedOffice()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    const before = await theAttempt(db)
    db.cacheClear()
    expect(await theAttempt(db)).toEqual(before)
  })
})

describe('The resolved event', () => {
  function eventsOf(
    fn: (attempt: WebhookDeliveryAttempt) => void,
  ): IWebhookDeliveryAttemptResolvedEvent[] {
    const events: IWebhookDeliveryAttemptResolvedEvent[] = []
    const hear = (event: IWebhookDeliveryAttemptResolvedEvent): void => void events.push(event)
    globalRegistry.registerHandler(hear, { for: [IWebhookDeliveryAttemptResolvedEvent] })
    try {
      fn(aPendingAttempt())
    } finally {
      globalRegistry.unregisterHandler(hear, { for: [IWebhookDeliveryAttemptResolvedEvent] })
    }
    return events
  }

  test('says that it succeeded', () => {
    const [event, ...more] = eventsOf((attempt) => attempt.resolve('delivered', '200 OK'))
    expect(more).toEqual([])
    expect(event).toBeInstanceOf(AttemptSucceededEvent)
    expect(event?.succeeded).toBe(true)
    expect(IWebhookDeliveryAttemptSucceededEvent.providedBy(event)).toBe(true)
    expect(IWebhookDeliveryAttemptFailedEvent.providedBy(event)).toBe(false)
  })

  test('says that it failed', () => {
    const [event] = eventsOf((attempt) => attempt.resolve('refused', '404 Not Found'))
    expect(event).toBeInstanceOf(AttemptFailedEvent)
    expect(event?.succeeded).toBe(false)
    expect(IWebhookDeliveryAttemptFailedEvent.providedBy(event)).toBe(true)
  })

  test('is a modification of the status', () => {
    const [event] = eventsOf((attempt) => attempt.resolve('delivered', '200 OK'))
    expect(IObjectModifiedEvent.providedBy(event)).toBe(true)
    expect(event?.descriptions).toEqual([{ attributes: ['status'] }])
    expect(event?.object).toMatchObject({ status: 'successful' })
  })

  test('is not told of a try that leaves it pending, nor of what is resolved quietly', () => {
    expect(eventsOf((attempt) => attempt.recordTry(SILENT, NOW_MS))).toEqual([])
    expect(eventsOf((attempt) => attempt.resolveQuietly('exhausted', 'x'))).toEqual([])
  })
})
