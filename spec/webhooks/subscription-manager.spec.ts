import { afterEach, describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  IAny,
  IObjectEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IPossibleWebhookPayload,
  IWebhookPayload,
  ObjectAddedEvent,
  ObjectModifiedEvent,
  providedBy,
  Site,
  subscribeToResource,
  traverse,
  type WebhookSubscriptionManager,
} from '../../lib/index.js'
import { codeThrownBy } from '../support/storage-builders.js'
import {
  anOffice,
  aSubscribedOffice,
  attemptsOf,
  BOB,
  Desk,
  Employee,
  endAll,
  HOOK,
  INamed,
  MANAGER,
  Manager,
  managerIn,
  OUN,
  promote,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

/** Active ones for the object being modified, by what they are for. */
function found(manager: WebhookSubscriptionManager, object: object): string[] {
  return manager
    .activeSubscriptions(object, new ObjectModifiedEvent(object))
    .map((one) => `${one.for.id} ${one.when.name}`)
}

describe('WebhookSubscriptionManager', () => {
  test('makes subscriptions for payloads when `for` is left out', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      expect(managerIn(root).createSubscription({ to: HOOK }).for).toBe(IWebhookPayload)
    })
  })

  test('takes a freed name again', async () => {
    const { db } = await aSubscribedOffice()
    await subscribe(db)
    await db.transaction(({ root }) => managerIn(root).delete('PersistentSubscription'))
    expect(await subscribe(db)).toBe(SUBSCRIPTION)
    expect(await subscribe(db)).toBe(`${SUBSCRIPTION}-3`)
  })

  test('finds what is for the least specific kind of object first', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const oun = traverse(root, OUN)
      for (const kind of [Manager, INamed, Employee, IAny]) {
        subscribeToResource(oun, { to: HOOK, for: kind })
      }
      expect(found(managerIn(root), new Manager())).toEqual([
        'treehook.IAny treehook.IObjectEvent',
        'spec.webhooks.INamed treehook.IObjectEvent',
        expect.stringMatching(/^class Employee/),
        expect.stringMatching(/^class Manager/),
      ])
    })
  })

  test('finds, of one kind of object, the least specific event first, then in order', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const oun = traverse(root, OUN)
      const third = subscribeToResource(oun, { to: HOOK, for: INamed, when: IObjectModifiedEvent })
      const first = subscribeToResource(oun, { to: HOOK, for: INamed, when: IObjectEvent })
      const second = subscribeToResource(oun, { to: HOOK, for: INamed, when: IObjectEvent })
      const bob = new Employee()
      const event = new ObjectModifiedEvent(bob)
      const manager = managerIn(root)
      expect(manager.activeSubscriptions(bob, event)).toEqual([first, second, third])
      // Activated again, it is the last of its pair.
      manager.deactivateSubscription(first)
      manager.activateSubscription(first)
      expect(manager.activeSubscriptions(bob, event)).toEqual([second, first, third])
    })
  })

  test('finds by events that extend the one subscribed to', async () => {
    const { db } = await aSubscribedOffice({ subscription: { when: IObjectMovedEvent } })
    await db.transaction(({ root }) => {
      const bob = new Employee()
      const added = new ObjectAddedEvent(bob, { parent: undefined, name: 'Bob' })
      expect(managerIn(root).activeSubscriptions(bob, added)).toHaveLength(1)
      expect(managerIn(root).activeSubscriptions(bob, new ObjectModifiedEvent(bob))).toHaveLength(0)
    })
  })

  test.each([
    ['an interface of the class', INamed, true, true],
    ['an inherited interface', IPossibleWebhookPayload, true, true],
    ['the class', Employee, true, true],
    ['a subclass', Manager, false, true],
    ['another class', Desk, false, false],
  ])('matches by %s', async (_what, kind, isEmployees, isManagers) => {
    const { db } = await aSubscribedOffice({ subscription: { for: kind } })
    await db.view(({ root }) => {
      expect(found(managerIn(root), new Employee()).length === 1).toBe(isEmployees)
      expect(found(managerIn(root), new Manager()).length === 1).toBe(isManagers)
    })
  })

  test('matches what an object provides by itself', async () => {
    const { db } = await aSubscribedOffice({ subscription: { for: INamed } })
    await db.view(({ root }) => {
      const desk = new Desk()
      expect(found(managerIn(root), desk)).toHaveLength(0)
      alsoProvides(desk, INamed)
      expect(found(managerIn(root), desk)).toHaveLength(1)
    })
  })

  test('matches a specification of an object by objects with the same', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const named = new Desk()
      alsoProvides(named, INamed)
      const other = new Desk()
      alsoProvides(other, INamed)
      subscribeToResource(traverse(root, OUN), { to: HOOK, for: providedBy(named) })
      expect(found(managerIn(root), other)).toHaveLength(1)
      expect(found(managerIn(root), new Desk())).toHaveLength(0)
    })
  })
})

describe('Activation', () => {
  test('is idempotent', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      managerIn(root).activateSubscription(subscriptionIn(root))
      expect(found(managerIn(root), new Employee())).toHaveLength(1)
    })
  })

  test('ends once, and leaves the message without a reason', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      expect(managerIn(root).deactivateSubscription(subscription)).toBe(true)
      expect(managerIn(root).deactivateSubscription(subscription)).toBe(false)
      expect(subscription.active).toBe(false)
      expect(subscription.statusMessage).toBe('Active')
    })
  })

  test('ends with the reason, and begins again as Active', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      managerIn(root).deactivateSubscription(subscription, { reason: 'On holiday' })
      expect(subscription.statusMessage).toBe('On holiday')
      managerIn(root).activateSubscription(subscription)
      expect(subscription.statusMessage).toBe('Active')
      expect(subscription.active).toBe(true)
    })
  })

  test('is taken back by an abort', async () => {
    const { db } = await aSubscribedOffice()
    const failing = db.transaction(({ root }) => {
      managerIn(root).deactivateSubscription(subscriptionIn(root), { reason: 'On holiday' })
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await db.view(({ root }) => {
      expect(subscriptionIn(root).active).toBe(true)
      expect(subscriptionIn(root).statusMessage).toBe('Active')
    })
  })

  test('is refused to another manager', async () => {
    const { db } = await aSubscribedOffice()
    const other = await subscribe(db, '/NOAA')
    await db.transaction(async ({ root }) => {
      const foreign = subscriptionIn(root, other)
      for (const change of ['activateSubscription', 'deactivateSubscription'] as const) {
        expect(await codeThrownBy(() => managerIn(root)[change](foreign))).toBe(
          'WEBHOOK_NOT_CONTAINED',
        )
      }
    })
  })

  test('an inactive one keeps its history, and gets no attempts', async () => {
    const { db } = await aSubscribedOffice()
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    await db.transaction(({ root }) => {
      managerIn(root).deactivateSubscription(subscriptionIn(root))
    })
    await promote(db, 'Principal')
    expect(await attemptsOf(db)).toMatchObject([{ status: 'successful' }])
  })
})

describe('Removal', () => {
  test('of a subscription deactivates it', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      managerIn(root).delete('PersistentSubscription')
      expect(subscription.active).toBe(false)
      expect(subscription.__parent__).toBeUndefined()
      expect(managerIn(root).index.size).toBe(0)
    })
  })

  test.each([
    ['its manager', `${OUN}/++etc++site/default`, 'WebhookSubscriptionManager'],
    ['its site', '/NOAA/NWS', 'OUN'],
    ['what its site is in', '/', 'NOAA'],
  ])('of %s deactivates it too', async (_what, path, name) => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      const manager = traverse(root, MANAGER) as WebhookSubscriptionManager
      ;(traverse(root, path) as Site).delete(name)
      expect(subscription.active).toBe(false)
      expect(manager.index.size).toBe(0)
    })
  })

  test('from a manager that it has left for another takes nothing from that one', async () => {
    const { db } = await aSubscribedOffice()
    const other = await subscribe(db, '/NOAA')
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      const target = traverse(root, `${other}/..`) as WebhookSubscriptionManager
      target.set('moved', subscription)
      managerIn(root).delete('PersistentSubscription')
      expect(found(managerIn(root), new Employee())).toEqual([])
      target.activateSubscription(subscription)
      expect(found(target, new Employee())).toHaveLength(2)
    })
  })

  test('of a site that is moved instead changes nothing', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const oun = traverse(root, OUN, Site)
      root.set('OUN', oun)
      traverse(root, '/NOAA/NWS', Site).delete('OUN')
    })
    await promote(db, 'Senior', '/OUN/employees/Bob')
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
    await db.view(({ root }) => expect(() => traverse(root, BOB)).toThrow())
  })
})
