import { afterEach, describe, expect, test } from '@jest/globals'
import { alsoProvides, IWebhookSubscription, oidOf } from '../../lib/index.js'
import { endpointOf } from '../../lib/webhooks/subscription.js'
import {
  aSubscribedOffice,
  attemptsOf,
  Desk,
  Employee,
  endAll,
  INamed,
  Manager,
  promote,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('PersistentSubscription', () => {
  test('is what its interface says', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ root }) => {
      expect(IWebhookSubscription.providedBy(subscriptionIn(root))).toBe(true)
    })
  })

  test.each(['to', 'for', 'when', 'ownerId', 'permissionId', 'active'] as const)(
    'does not let %s be assigned',
    async (name) => {
      const { db } = await aSubscribedOffice()
      await db.transaction(({ root }) => {
        const subscription = subscriptionIn(root) as unknown as Record<string, unknown>
        const before = subscription[name]
        expect(() => {
          subscription[name] = before
        }).toThrow(TypeError)
      })
    },
  )

  test('applies to objects of its kind, active or not, whatever the event', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ root }) => {
      const subscription = subscriptionIn(root)
      expect(subscription.isApplicable(new Employee())).toBe(true)
      expect(subscription.isApplicable(new Manager())).toBe(true)
      expect(subscription.isApplicable(new Desk())).toBe(false)
    })
  })

  test('applies to what an object provides by itself', async () => {
    const { db } = await aSubscribedOffice({ subscription: { for: INamed } })
    await db.view(({ root }) => {
      const desk = new Desk()
      alsoProvides(desk, INamed)
      expect(subscriptionIn(root).isApplicable(desk)).toBe(true)
    })
  })

  test('gives up its oldest attempt', async () => {
    const { db, clock } = await aSubscribedOffice()
    for (const title of ['one', 'two']) {
      await promote(db, title)
      await clock.advance(1)
    }
    await db.webhooks.waitForPendingDeliveries()
    await db.transaction(({ root }) => {
      expect(subscriptionIn(root).pop()?.payload).toContain('one')
      expect(subscriptionIn(root).pop()?.payload).toContain('two')
      expect(subscriptionIn(root).pop()).toBeUndefined()
    })
  })

  test('clears its history, not what is pending', async () => {
    const { db } = await aSubscribedOffice()
    await promote(db, 'one')
    await db.webhooks.waitForPendingDeliveries()
    db.webhooks.pause()
    await promote(db, 'two')
    await db.transaction(({ root }) => subscriptionIn(root).clear())
    expect(await attemptsOf(db)).toMatchObject([{ status: 'pending' }])
    db.webhooks.resume()
  })

  test('is an endpoint of its own', async () => {
    const { db } = await aSubscribedOffice()
    await db.view(({ root }) => {
      expect(endpointOf(subscriptionIn(root))).toBe(String(oidOf(subscriptionIn(root))))
    })
  })
})
