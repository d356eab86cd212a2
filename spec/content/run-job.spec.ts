import { afterEach, describe, expect, test } from '@jest/globals'
import { ComponentRegistry } from '../../lib/component/index.js'
import {
  currentSite,
  Folder,
  IComponents,
  installMainApplication,
  type JobContext,
  mainApplicationOf,
  runInAllHostSites,
  runInHostSite,
  runJobInSite,
  Site,
  synchronizeHostPolicies,
} from '../../lib/content/index.js'
import { codeOf } from '../../lib/foundation/index.js'
import { aDatabase, closeDatabases, type TreeDatabase } from '../support/content-builders.js'

afterEach(closeDatabases)

async function aShop(): Promise<TreeDatabase> {
  const db = await aDatabase()
  const weather = new ComponentRegistry({ name: 'weather' })
  const norman = new ComponentRegistry({ name: 'norman', bases: [weather] })
  for (const registry of [norman, weather]) {
    const { name } = registry
    db.registry.registerUtility(registry, { provides: IComponents, name })
  }
  await db.transaction(({ root, connection }) => {
    synchronizeHostPolicies(installMainApplication(connection, { name: 'shop' }))
    root.set('other', new Site())
  })
  return db
}

function namedAfter({ site }: JobContext): unknown {
  return site.__name__
}

describe('A job in a site', () => {
  test('works in a transaction of its own, in the main application, until its promise settles', async () => {
    const db = await aShop()
    const found = await runJobInSite(db.objects, async ({ site, root, transaction }) => {
      await Promise.resolve()
      expect(currentSite()).toBe(site)
      root.set('made', new Folder())
      return [site.__name__, transaction.status]
    })
    expect(found).toEqual(['shop', 'active'])
    await db.view(({ root }) => expect(root.has('made')).toBe(true))
  })

  test('may be in the site at a path, or for names', async () => {
    const db = await aShop()
    expect(await runJobInSite(db.objects, namedAfter, { at: '/other' })).toBe('other')
    const siteNames = ['nowhere', 'norman']
    expect(await runJobInSite(db.objects, namedAfter, { siteNames })).toBe('norman')
  })

  test('has its name as the note of the transaction, unless one is given', async () => {
    const db = await aShop()
    const notes: string[] = []
    function closeBooks({ transaction }: JobContext): void {
      notes.push(transaction.description)
    }
    await runJobInSite(db.objects, closeBooks)
    await runJobInSite(db.objects, closeBooks, { note: 'by hand' })
    expect(notes).toEqual(['closeBooks', 'by hand'])
  })

  test('is done again when it conflicts', async () => {
    const db = await aShop()
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const other = db.transaction(async ({ root }) => {
      await gate
      root.set('taken', new Folder())
    })
    let tries = 0
    await runJobInSite(db.objects, async ({ root }) => {
      tries++
      const name = root.has('taken') ? 'free' : 'taken'
      open()
      await other
      root.set(name, new Folder())
    })
    expect(tries).toBe(2)
  })

  test('that only reads cannot write', async () => {
    const db = await aShop()
    expect(await runJobInSite(db.objects, namedAfter, { readOnly: true })).toBe('shop')
    const writing = runJobInSite(db.objects, ({ root }) => void root.set('x', new Folder()), {
      readOnly: true,
    })
    await expect(writing).rejects.toHaveProperty('code', 'PERSISTENCE_READ_ONLY_TRANSACTION')
  })

  test('needs its site', async () => {
    const db = await aDatabase()
    const failing = await runJobInSite(db.objects, namedAfter).catch((error: unknown) => error)
    expect(codeOf(failing)).toBe('CONTENT_SITE_NOT_FOUND')
    const elsewhere = await runJobInSite(db.objects, namedAfter, { at: '/' }).catch(
      (error: unknown) => error,
    )
    expect(codeOf(elsewhere)).toBe('CONTENT_LOCATION')
  })
})

describe('A job in host sites', () => {
  test('is done in all, those first that others are based on, and gives pairs', async () => {
    const db = await aShop()
    await db.transaction(async ({ connection }) => {
      const application = mainApplicationOf(connection)
      const results = await runInAllHostSites(application, async (site) => {
        await Promise.resolve()
        return currentSite() === site
      })
      expect(results.map(([site, isCurrent]) => [site.__name__, isCurrent])).toEqual([
        ['weather', true],
        ['norman', true],
      ])
    })
  })

  test('is done in one by name', async () => {
    const db = await aShop()
    await db.transaction(({ connection }) => {
      const application = mainApplicationOf(connection)
      const name = runInHostSite(application, 'norman', (site) => {
        expect(currentSite()).toBe(site)
        return site.__name__
      })
      expect(name).toBe('norman')
      expect(() => runInHostSite(application, 'nowhere', () => 0)).toThrow('no host site')
    })
  })
})
