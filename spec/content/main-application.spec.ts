import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, getUtility } from '../../lib/component/index.js'
import {
  currentSite,
  Folder,
  HostSites,
  IObjectAddedEvent,
  installMainApplication,
  mainApplicationOf,
  pathOf,
  queryMainApplication,
  Site,
  traverse,
} from '../../lib/content/index.js'
import {
  aDatabase,
  aMemoryPlace,
  closeDatabases,
  codeOfThrown,
  Employee,
  listen,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('main-application-spec.IBoss')

describe('The main application', () => {
  test('is a site in the root folder with a folder for host sites', async () => {
    const db = await aDatabase()
    await db.transaction(({ root, connection }) => {
      const application = installMainApplication(connection, { name: 'shop' })
      expect(pathOf(application)).toBe('/shop')
      expect(mainApplicationOf(connection)).toBe(application)
      const hostSites = traverse(root, '/shop/++etc++hostsites', HostSites)
      expect(pathOf(hostSites)).toBe('/shop/++etc++hostsites')
      const bob = application.set('staff', new Folder()).set('Bob', new Employee())
      expect(traverse(bob, '++etc++hostsites')).toBe(hostSites)
      expect(traverse(root, pathOf(hostSites))).toBe(hostSites)
    })
  })

  test('is set up in its place, as the current site, before anybody hears of it', async () => {
    const db = await aDatabase()
    const log = listen(db.registry)
    db.registry.registerHandler(
      (object: object) => {
        if (object instanceof Site)
          log.push(`boss: ${getUtility(IBoss, { context: object }).title}`)
      },
      { for: [Site, IObjectAddedEvent] },
    )
    await db.transaction(({ connection }) => {
      const application = installMainApplication(connection, {
        setUp(site) {
          expect(currentSite()).toBe(site)
          expect(pathOf(site)).toBe('/application')
          const boss = new Employee()
          boss.title = 'Chief'
          site.siteManager.registry.registerUtility(boss, { provides: IBoss })
          log.push('set up')
        },
      })
      expect(pathOf(application)).toBe('/application')
    })
    const told = log.filter((line) => !line.includes('etc++') && !line.includes('default'))
    expect([told[0], told.at(-1)]).toEqual(['set up', 'ContainerModifiedEvent of the root'])
    expect(told.slice(1, -1).sort()).toEqual(['ObjectAddedEvent of application', 'boss: Chief'])
  })

  test('is installed once, and found after reopening, wherever it was moved', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.transaction(({ root, connection }) => {
      const application = installMainApplication(connection)
      const again = installMainApplication(connection, {
        setUp: () => {
          throw new Error('twice')
        },
      })
      expect(again).toBe(application)
      root.set('folder', new Folder()).set('moved', application)
      root.delete('application')
    })
    await before.close()
    const db = await open()
    await db.view(({ connection }) => {
      expect(pathOf(mainApplicationOf(connection))).toBe('/folder/moved')
    })
  })

  test('may be of a class of yours', async () => {
    class Shop extends Site {}
    const db = await aDatabase()
    const installing = db.transaction(({ connection }) => {
      expect(installMainApplication(connection, { make: () => new Shop() })).toBeInstanceOf(Shop)
      throw new Error('a class without stored name is not committed')
    })
    await expect(installing).rejects.toThrow('not committed')
  })

  test('that is missing, or was removed, is an error with the way out', async () => {
    const db = await aDatabase()
    await db.transaction(({ root, connection }) => {
      const asking = () => mainApplicationOf(connection)
      expect(codeOfThrown(asking)).toBe('CONTENT_SITE_NOT_FOUND')
      expect(asking).toThrow('call installMainApplication')
      installMainApplication(connection)
      root.delete('application')
      expect(queryMainApplication(connection)).toBeUndefined()
      expect(pathOf(installMainApplication(connection, { name: 'new' }))).toBe('/new')
    })
  })

  test('is nowhere when its set-up fails', async () => {
    const db = await aDatabase()
    const failing = db.transaction(({ connection }) => {
      installMainApplication(connection, {
        setUp: () => {
          throw new RangeError('set-up')
        },
      })
    })
    await expect(failing).rejects.toThrow('set-up')
    await db.view(({ root, connection }) => {
      expect([root.size, queryMainApplication(connection)]).toEqual([0, undefined])
    })
  })
})
