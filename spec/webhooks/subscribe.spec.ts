import { afterEach, describe, expect, test } from '@jest/globals'
import {
  alsoProvides,
  Folder,
  IObjectEvent,
  IObjectModifiedEvent,
  IWebhookResourceDiscriminator,
  IWebhookSubscriptionManager,
  implementedBy,
  pathOf,
  providedBy,
  queryUtility,
  Site,
  subscribeToResource,
  traverse,
} from '../../lib/index.js'
import { codeThrownBy } from '../support/storage-builders.js'
import {
  anOffice,
  BOB,
  EMPLOYEES,
  Employee,
  endAll,
  HOOK,
  INamed,
  MANAGER,
  Manager,
  OUN,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

describe('subscribeToResource', () => {
  test('keeps the subscription in a manager of the nearest site', async () => {
    const { db } = await anOffice()
    expect(await subscribe(db, EMPLOYEES)).toBe(
      '/NOAA/NWS/OUN/++etc++site/default/WebhookSubscriptionManager/PersistentSubscription',
    )
    await db.view(({ root }) => {
      const subscription = traverse(root, SUBSCRIPTION)
      expect(traverse(root, pathOf(subscription))).toBe(subscription)
    })
  })

  test('uses the site itself when the resource is one', async () => {
    const { db } = await anOffice()
    expect(await subscribe(db, '/NOAA')).toBe(
      '/NOAA/++etc++site/default/WebhookSubscriptionManager/PersistentSubscription',
    )
  })

  test('names further ones -2, -3', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    expect(await subscribe(db)).toBe(`${SUBSCRIPTION}-2`)
    expect(await subscribe(db)).toBe(`${SUBSCRIPTION}-3`)
  })

  test('registers the manager as a utility of the site', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    await db.view(({ root }) => {
      const manager = queryUtility(IWebhookSubscriptionManager, { context: traverse(root, BOB) })
      expect(manager).toBe(traverse(root, MANAGER))
      expect(
        queryUtility(IWebhookSubscriptionManager, { context: traverse(root, '/NOAA') }),
      ).toBeUndefined()
    })
  })

  test('keeps the manager in the site manager when its default folder is gone', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => traverse(root, OUN, Site).siteManager.delete('default'))
    expect(await subscribe(db)).toBe(
      '/NOAA/NWS/OUN/++etc++site/WebhookSubscriptionManager/PersistentSubscription',
    )
  })

  test('stands in the default dialect, for any event, active', async () => {
    const { db, clock } = await anOffice()
    await subscribe(db)
    await db.view(({ root }) => {
      const subscription = subscriptionIn(root)
      expect(subscription).toMatchObject({
        to: HOOK,
        dialectId: '',
        ownerId: undefined,
        permissionId: undefined,
        active: true,
        statusMessage: 'Active',
        attemptLimit: 50,
        createdAtMs: clock.nowMs(),
      })
      expect(subscription.when).toBe(IObjectEvent)
      expect(subscription.for).toBe(implementedBy(Employee))
    })
  })

  test('keeps `for` and `when` over a reopening, as what is alive now', async () => {
    const { db } = await anOffice()
    const byInterface = await subscribe(db, OUN, { for: INamed, when: IObjectModifiedEvent })
    db.cacheClear()
    await db.view(({ root }) => {
      expect(subscriptionIn(root, byInterface).for).toBe(INamed)
      expect(subscriptionIn(root, byInterface).when).toBe(IObjectModifiedEvent)
    })
  })
})

describe('`for` left out', () => {
  test('is what the resource provides', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const bob = traverse(root, BOB, Employee)
      expect(subscribeToResource(bob, { to: HOOK }).for).toBe(providedBy(bob))
    })
  })

  test('is, of an object that provides more than its class, that very set', async () => {
    const { db } = await anOffice()
    const path = await db.transaction(({ root }) => {
      const folder = traverse(root, EMPLOYEES, Folder)
      alsoProvides(folder, INamed)
      return pathOf(subscribeToResource(folder, { to: HOOK }))
    })
    db.cacheClear()
    await db.view(({ root }) => {
      const like = new Folder()
      alsoProvides(like, INamed)
      const kind = subscriptionIn(root, path).for
      expect(providedBy(like).extendsOrIs(kind)).toBe(true)
      expect(providedBy(new Folder()).extendsOrIs(kind)).toBe(false)
    })
  })

  test.each([
    ['an interface', INamed, INamed],
    ['a class', Manager, implementedBy(Manager)],
    ['a specification', implementedBy(Manager), implementedBy(Manager)],
  ])('is what the discriminator says: %s', async (_what, said, expected) => {
    const { db } = await anOffice({
      configure: (registry) =>
        registry.registerAdapter(() => ({ forWhat: () => said }), {
          adapts: [Folder],
          provides: IWebhookResourceDiscriminator,
        }),
    })
    await db.transaction(({ root }) => {
      const employees = traverse(root, EMPLOYEES)
      expect(subscribeToResource(employees, { to: HOOK }).for).toBe(expected)
    })
  })

  test('is refused when the discriminator says nothing', async () => {
    const { db } = await anOffice({
      configure: (registry) =>
        registry.registerAdapter(() => ({ forWhat: () => undefined as never }), {
          adapts: [Folder],
          provides: IWebhookResourceDiscriminator,
        }),
    })
    const code = await codeThrownBy(() =>
      db.transaction(({ root }) => subscribeToResource(traverse(root, EMPLOYEES), { to: HOOK })),
    )
    expect(code).toBe('COMPONENT_INVALID_REGISTRATION')
  })

  test('makes an error of the discriminator known', async () => {
    const { db } = await anOffice({
      configure: (registry) =>
        registry.registerAdapter(
          (): IWebhookResourceDiscriminator => {
            throw new TypeError('in the factory')
          },
          { adapts: [Folder], provides: IWebhookResourceDiscriminator },
        ),
    })
    const failing = db.transaction(({ root }) =>
      subscribeToResource(traverse(root, EMPLOYEES), { to: HOOK }),
    )
    await expect(failing).rejects.toThrow('in the factory')
  })

  test('given, asks no discriminator', async () => {
    const { db } = await anOffice({
      configure: (registry) =>
        registry.registerAdapter(() => ({ forWhat: () => Manager }), {
          adapts: [Folder],
          provides: IWebhookResourceDiscriminator,
        }),
    })
    const path = await subscribe(db, EMPLOYEES, { for: INamed })
    await db.view(({ root }) => expect(subscriptionIn(root, path).for).toBe(INamed))
  })
})

describe('A resource without a place for subscriptions', () => {
  test('is refused when it is in no site', async () => {
    const { db } = await anOffice()
    const code = await codeThrownBy(() =>
      db.transaction(({ root }) => subscribeToResource(root, { to: HOOK, for: Employee })),
    )
    expect(code).toBe('WEBHOOK_NOT_CONTAINED')
  })

  test('is refused when its site is not in the tree', async () => {
    const { db } = await anOffice()
    const code = await codeThrownBy(() =>
      db.transaction(() => subscribeToResource(new Site(), { to: HOOK, for: Employee })),
    )
    expect(code).toBe('WEBHOOK_NOT_CONTAINED')
  })

  test('may be a site that is put into the tree in the same transaction', async () => {
    const { db } = await anOffice()
    const path = await db.transaction(({ root }) => {
      const site = root.set('new', new Site())
      return pathOf(subscribeToResource(site, { to: HOOK, for: Employee }))
    })
    await db.view(({ root }) => expect(subscriptionIn(root, path).active).toBe(true))
  })
})
