import { afterEach, describe, expect, test } from '@jest/globals'
import {
  created,
  IAny,
  IObjectEvent,
  modified,
  notify,
  ObjectModifiedEvent,
  runInSite,
  type Site,
  Site as SiteClass,
  subscribeToResource,
  traverse,
} from '../../lib/index.js'
import { dispatchWebhookEvent, subscriptionsToDeliver } from '../../lib/webhooks/index.js'
import {
  anOffice,
  aSubscribedOffice,
  attemptsOf,
  BOB,
  bodiesOf,
  Desk,
  EMPLOYEES,
  Employee,
  endAll,
  HOOK,
  managerIn,
  OUN,
  promote,
  promoteIn,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('dispatchWebhookEvent', () => {
  test('notes an event with the transaction, and a later commit sends it', async () => {
    const { db, transport } = await aSubscribedOffice({ dispatch: 'none' })
    await db.transaction(({ root }) => {
      const bob = traverse(root, BOB, Employee)
      dispatchWebhookEvent(bob, new ObjectModifiedEvent(bob))
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: '', path: BOB }])
  })

  test('joins no data manager when no subscription applies', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root, transaction }) => {
      modified(traverse(root, BOB))
      expect(transaction.managers).toHaveLength(0)
    })
  })

  test('joins when a subscription applies', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root, transaction }) => {
      modified(traverse(root, BOB))
      expect(transaction.managers.map(({ sortKey }) => sortKey)).toEqual([
        expect.stringMatching(/^~treehook/),
        'treehook.webhooks',
      ])
    })
  })

  test('the same event twice gives one attempt', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      const bob = traverse(root, BOB, Employee)
      const event = new ObjectModifiedEvent(bob)
      notify(event)
      notify(event)
    })
    expect(await attemptsOf(db)).toHaveLength(1)
  })

  test('two events of one object give two attempts', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      modified(traverse(root, BOB))
      modified(traverse(root, BOB))
    })
    expect(await attemptsOf(db)).toHaveLength(2)
  })

  test('an event in a view is sent to nobody, and says nothing', async () => {
    const { db, transport } = await aSubscribedOffice()
    await db.view(({ root }) => modified(traverse(root, BOB)))
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(0)
  })

  test('an object in no database is sent to nobody', () => {
    expect(() => dispatchWebhookEvent(new Employee(), new ObjectModifiedEvent({}))).not.toThrow()
  })

  test('an object that has no place yet is heard at the active site', async () => {
    const { db, transport } = await aSubscribedOffice({
      dispatch: 'promiscuous',
      subscription: { for: Desk },
    })
    await db.transaction(({ root }) => {
      runInSite(traverse(root, OUN, SiteClass) as Site, () => created(new Desk()))
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
  })

  test("webhooks' own objects are never sent, however wide the net", async () => {
    const { db, transport } = await aSubscribedOffice({
      dispatch: 'promiscuous',
      subscription: { for: IAny, when: IObjectEvent },
    })
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    await db.transaction(({ root }) => {
      const subscription = subscriptionIn(root)
      modified(subscription)
      for (const attempt of subscription.values()) modified(attempt)
      subscribeToResource(traverse(root, OUN), { to: HOOK, for: Desk })
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests).toHaveLength(1)
  })

  test('of a container that is added, everything inside is told of', async () => {
    const { db, transport } = await aSubscribedOffice({ subscription: {} })
    await db.transaction(({ root }) => {
      const oun = traverse(root, OUN, SiteClass) as Site
      const employees = traverse(root, EMPLOYEES) as Site
      employees.set('Ann', new Employee())
      oun.delete('employees')
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toMatchObject([
      // Added, and removed: both as of the moment in which the place was lost.
      { name: 'Ann', path: `${EMPLOYEES}/Ann` },
      { name: 'Ann', path: `${EMPLOYEES}/Ann` },
      { name: 'Bob', path: BOB },
    ])
  })

  test('a subscription made in the same transaction hears of it', async () => {
    const { db, transport } = await anOffice()
    await db.transaction(({ root }) => {
      subscribeToResource(traverse(root, OUN), { to: HOOK, for: Employee })
      promoteIn(root, 'Senior')
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(bodiesOf(transport)).toEqual([{ name: 'Bob', title: 'Senior', path: BOB }])
    expect(await attemptsOf(db)).toMatchObject([{ status: 'successful' }])
  })

  test('a subscription deactivated later in the transaction still gets its attempt', async () => {
    const { db } = await aSubscribedOffice()
    await db.transaction(({ root }) => {
      promoteIn(root, 'Senior')
      const subscription = subscriptionIn(root)
      managerIn(root).deactivateSubscription(subscription)
    })
    await db.webhooks.waitForPendingDeliveries()
    expect(await attemptsOf(db)).toMatchObject([{ status: 'successful' }])
    await promote(db)
    expect(await attemptsOf(db)).toHaveLength(1)
  })
})

describe('subscriptionsToDeliver', () => {
  test('gives the active subscriptions that apply', async () => {
    const { db } = await aSubscribedOffice()
    await subscribe(db, OUN, { for: Desk })
    await db.transaction(({ root, connection }) => {
      const bob = traverse(root, BOB, Employee)
      const found = subscriptionsToDeliver(bob, new ObjectModifiedEvent(bob), connection)
      expect(found).toEqual([traverse(root, SUBSCRIPTION)])
    })
  })
})
