import { afterEach, describe, expect, test } from '@jest/globals'
import {
  type Database,
  type DatabaseContext,
  IAny,
  IWebhookSubscriptionManager,
  modified,
  ObjectModifiedEvent,
  pathOf,
  runInSite,
  Site,
  traverse,
  WebhookSubscriptionManager,
} from '../../lib/index.js'
import { activeSubscriptionsFor } from '../../lib/webhooks/index.js'
import {
  anOffice,
  BOB,
  Employee,
  elsewhere,
  endAll,
  HOOK,
  managerIn,
  OUN,
  promote,
  SUBSCRIPTION,
  subscribe,
  subscriptionIn,
} from '../support/webhooks-builders.js'

afterEach(endAll)

/** Where the subscriptions are that hear of Bob being modified. */
function heardBy({ root, connection }: DatabaseContext, path: string = BOB): string[] {
  const bob = traverse(root, path)
  return activeSubscriptionsFor(bob, new ObjectModifiedEvent(bob), connection).map(siteName)
}

function siteName(subscription: object): string {
  return pathOf(subscription).replace(/\/\+\+etc.*$/, '')
}

async function threeLevels(): Promise<Database> {
  const { db } = await anOffice()
  for (const path of ['/NOAA', '/NOAA/NWS', OUN]) await subscribe(db, path)
  return db
}

describe('Active subscriptions', () => {
  test("are those of the object's whole lineage", async () => {
    const db = await threeLevels()
    expect(await db.view((context) => heardBy(context))).toEqual([OUN, '/NOAA/NWS', '/NOAA'])
  })

  test('are none of sites beside or below', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      traverse(root, '/NOAA/NWS', Site).set('ILN', new Site())
    })
    await subscribe(db, '/NOAA/NWS/ILN')
    await subscribe(db, OUN)
    await db.transaction(({ root }) => traverse(root, '/NOAA/NWS', Site).set('Ann', new Employee()))
    expect(await db.view((context) => heardBy(context, '/NOAA/NWS/Ann'))).toEqual([])
  })

  test("are those of the active site's whole lineage first, each manager once", async () => {
    const db = await threeLevels()
    await db.transaction(({ root }) => {
      const iln = traverse(root, '/NOAA/NWS', Site).set('ILN', new Site())
      iln.set('Ann', new Employee())
    })
    await subscribe(db, '/NOAA/NWS/ILN')
    const found = await db.view((context) =>
      runInSite(traverse(context.root, '/NOAA/NWS/ILN', Site), () => heardBy(context)),
    )
    expect(found).toEqual(['/NOAA/NWS/ILN', '/NOAA/NWS', '/NOAA', OUN])
  })

  test('are found in managers of any name, also where one above has the same', async () => {
    const { db } = await anOffice()
    for (const path of ['/NOAA/NWS', OUN]) {
      await db.transaction(({ root }) => {
        const { siteManager } = traverse(root, path, Site)
        const manager = siteManager.default.set('named', new WebhookSubscriptionManager())
        siteManager.registry.registerUtility(manager, {
          provides: IWebhookSubscriptionManager,
          name: 'named',
        })
        manager.createSubscription({ to: HOOK, for: Employee })
      })
    }
    expect(await db.view((context) => heardBy(context))).toEqual([OUN, '/NOAA/NWS'])
  })

  test('a manager that is registered twice counts once', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    await db.transaction(({ root }) => {
      const { registry } = traverse(root, '/NOAA', Site).siteManager
      registry.registerUtility(managerIn(root), { provides: IWebhookSubscriptionManager })
    })
    expect(await db.view((context) => heardBy(context))).toEqual([OUN])
  })
})

describe('What was found before', () => {
  test('is not given after a commit of somebody else', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    expect(await db.view((context) => heardBy(context))).toHaveLength(1)
    await subscribe(db)
    expect(await db.view((context) => heardBy(context))).toHaveLength(2)
    await db.transaction(({ root }) => managerIn(root).delete('PersistentSubscription'))
    expect(await db.view((context) => heardBy(context))).toHaveLength(1)
  })

  test('is not given where the transaction itself has changed it', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    await db.transaction((context) => {
      expect(heardBy(context)).toHaveLength(1)
      const manager = managerIn(context.root)
      manager.createSubscription({ to: HOOK, for: Employee })
      expect(heardBy(context)).toHaveLength(2)
      manager.deactivateSubscription(subscriptionIn(context.root))
      expect(heardBy(context)).toHaveLength(1)
    })
    expect(await db.view((context) => heardBy(context))).toHaveLength(1)
  })

  test('is given again after an abort', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    const failing = db.transaction((context) => {
      managerIn(context.root).createSubscription({ to: HOOK, for: Employee })
      expect(heardBy(context)).toHaveLength(2)
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    await db.transaction((context) => {
      expect(heardBy(context)).toHaveLength(1)
    })
  })

  test('is what this transaction sees, whatever has been committed since it began', async () => {
    const { db } = await anOffice()
    await subscribe(db)
    await db.view(async (context) => {
      expect(heardBy(context)).toHaveLength(1)
      await elsewhere(() => subscribe(db))
      expect(heardBy(context)).toHaveLength(1)
      await elsewhere(() => db.view((later) => expect(heardBy(later)).toHaveLength(2)))
      expect(heardBy(context)).toHaveLength(1)
    })
    expect(await db.view((context) => heardBy(context))).toHaveLength(2)
  })

  test('is not given after the site has moved', async () => {
    const db = await threeLevels()
    expect(await db.view((context) => heardBy(context))).toHaveLength(3)
    await db.transaction(({ root }) => {
      root.set('OUN', traverse(root, OUN, Site))
      traverse(root, '/NOAA/NWS', Site).delete('OUN')
    })
    expect(await db.view((context) => heardBy(context, '/OUN/employees/Bob'))).toEqual(['/OUN'])
  })

  test('is not given after the site has moved to a place as deep', async () => {
    const db = await threeLevels()
    await db.transaction(({ root }) => void root.set('CMA', new Site()).set('NMC', new Site()))
    await subscribe(db, '/CMA')
    await subscribe(db, '/CMA/NMC')
    const first = ['/CMA/NMC/OUN', '/CMA/NMC', '/CMA']
    await db.transaction((context) => {
      expect(heardBy(context)).toHaveLength(3)
      traverse(context.root, '/CMA/NMC', Site).set('OUN', traverse(context.root, OUN, Site))
      traverse(context.root, '/NOAA/NWS', Site).delete('OUN')
      expect(heardBy(context, '/CMA/NMC/OUN/employees/Bob')).toEqual(first)
    })
    const later = await db.view((context) => heardBy(context, '/CMA/NMC/OUN/employees/Bob'))
    expect(later).toEqual(first)
  })

  test('is not given after the object has moved', async () => {
    const db = await threeLevels()
    await db.transaction((context) => {
      expect(heardBy(context)).toHaveLength(3)
      const bob = traverse(context.root, BOB, Employee)
      traverse(context.root, '/NOAA', Site).set('Bob', bob)
      expect(heardBy(context, '/NOAA/Bob')).toEqual(['/NOAA'])
    })
  })
})

describe('A bulk change', () => {
  test("informs each object's own office and the active one", async () => {
    const { db, transport } = await anOffice()
    await subscribe(db, OUN, { for: IAny, to: 'https://example.com/office' })
    await subscribe(db, '/NOAA/NWS', { for: IAny, to: 'https://example.com/service' })
    await db.transaction(({ root }) => modified(traverse(root, BOB)))
    await promote(db)
    await db.webhooks.waitForPendingDeliveries()
    expect(transport.requests.map(({ url }) => url).sort()).toEqual([
      'https://example.com/office',
      'https://example.com/office',
      'https://example.com/service',
      'https://example.com/service',
    ])
    expect(SUBSCRIPTION).toContain(OUN)
  })
})
