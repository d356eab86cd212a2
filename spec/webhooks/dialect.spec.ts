import { afterEach, describe, expect, test } from '@jest/globals'
import {
  DefaultDialect,
  IWebhookDialect,
  IWebhookPayload,
  ObjectModifiedEvent,
  type RequestContext,
  traverse,
  VERSION,
} from '../../lib/index.js'
import {
  anOffice,
  aSubscribedOffice,
  BOB,
  bodiesOf,
  Desk,
  Employee,
  endAll,
  promote,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const CONTEXT: RequestContext = {
  to: 'https://example.com/hook',
  payload: '{"name":"Bob"}',
  messageId: 'msg_1',
  atMs: Date.UTC(2026, 0, 1) + 999,
}

describe('DefaultDialect', () => {
  test('posts JSON with the headers of Standard Webhooks that need no secret', () => {
    expect(new DefaultDialect().prepareRequest(CONTEXT)).toEqual({
      url: 'https://example.com/hook',
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'User-Agent': `treehook/${VERSION}`,
        'webhook-id': 'msg_1',
        'webhook-timestamp': '1767225600',
      },
      body: '{"name":"Bob"}',
    })
  })

  test('writes what stands for the object', async () => {
    const { db } = await anOffice({
      configure: (registry) =>
        registry.registerAdapter((employee) => ({ title: employee.title, of: 'adapted' }), {
          adapts: [Employee],
          provides: IWebhookPayload,
        }),
    })
    await db.view(({ root }) => {
      const bob = traverse(root, BOB)
      expect(new DefaultDialect().externalizeData(bob, new ObjectModifiedEvent(bob))).toBe(
        '{"title":"","of":"adapted"}',
      )
    })
  })

  test('writes of an object that says nothing only its kind', () => {
    const desk = new Desk()
    expect(new DefaultDialect().externalizeData(desk, new ObjectModifiedEvent(desk))).toBe(
      '{"class":"NonExternalizableObject","internalType":"spec.webhooks.Desk"}',
    )
  })
})

describe('A dialect that extends it', () => {
  class Shouting extends DefaultDialect {
    override readonly httpMethod = 'PUT'
    override readonly userAgent = 'megaphone/1'
    override produceHeaders(context: RequestContext): Record<string, string> {
      return { ...super.produceHeaders(context), 'X-Loud': 'yes' }
    }
    override externalizeData(object: object, event: object): string {
      return super.externalizeData(object, event).toUpperCase()
    }
  }

  test('is used by the subscriptions that name it', async () => {
    const { db, transport } = await aSubscribedOffice({
      subscription: { dialectId: 'shouting' },
      configure: (registry) =>
        registry.registerUtility(new Shouting(), { provides: IWebhookDialect, name: 'shouting' }),
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toMatchObject([
      { method: 'PUT', headers: { 'User-Agent': 'megaphone/1', 'X-Loud': 'yes' } },
    ])
    expect(bodiesOf(transport)).toEqual([
      { NAME: 'BOB', TITLE: 'SENIOR', PATH: '/NOAA/NWS/OUN/EMPLOYEES/BOB' },
    ])
  })
})
