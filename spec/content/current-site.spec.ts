import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  currentRegistry,
  defineInterface,
  notify,
  queryUtility,
} from '../../lib/component/index.js'
import {
  currentSite,
  Folder,
  ISite,
  ObjectModifiedEvent,
  runInSite,
  Site,
  traverse,
} from '../../lib/content/index.js'
import { anOffice, closeDatabases, codeOfThrown, Employee } from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface('content-spec.ICurrentBoss')

describe('runInSite', () => {
  test('makes a site and its registry current, and gives what the function gives', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const noaa = traverse(root, '/NOAA', Site)
      const ann = noaa.siteManager.default.set('Ann', new Employee())
      noaa.siteManager.registry.registerUtility(ann, { provides: IBoss })
      expect([currentSite(), queryUtility(IBoss)]).toEqual([undefined, undefined])
      const found = runInSite(noaa, () => [currentSite(), currentRegistry(), queryUtility(IBoss)])
      expect(found).toEqual([noaa, noaa.siteManager.registry, ann])
      expect([currentSite(), queryUtility(IBoss)]).toEqual([undefined, undefined])
    })
  })

  test('lasts across await, until the promise settles', async () => {
    const db = await anOffice()
    await db.transaction(async ({ root }) => {
      const noaa = traverse(root, '/NOAA', Site)
      const nws = traverse(root, '/NOAA/NWS', Site)
      const seenIn = (site: Site) =>
        runInSite(site, async () => {
          const before = currentSite()
          await sleep(1)
          return [before, currentSite(), currentRegistry()]
        })
      expect(await Promise.all([seenIn(noaa), seenIn(nws)])).toEqual([
        [noaa, noaa, noaa.siteManager.registry],
        [nws, nws, nws.siteManager.registry],
      ])
      expect(currentSite()).toBeUndefined()
    })
  })

  test('nests: the outer site is current again afterwards, also after a throw', async () => {
    const db = await anOffice()
    await db.view(({ root }) => {
      const noaa = traverse(root, '/NOAA', Site)
      const nws = traverse(root, '/NOAA/NWS', Site)
      runInSite(noaa, () => {
        expect(runInSite(nws, currentSite)).toBe(nws)
        expect(currentSite()).toBe(noaa)
        const failing = () =>
          runInSite(nws, () => {
            throw new Error('No')
          })
        expect(failing).toThrow('No')
        expect([currentSite(), currentRegistry()]).toEqual([noaa, noaa.siteManager.registry])
      })
    })
  })

  test("delivers events to the site's registry and those it is based on", async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const heard: unknown[] = []
      db.registry.registerHandler((folder) => void heard.push(folder), {
        for: [Folder, ObjectModifiedEvent],
      })
      const nws = traverse(root, '/NOAA/NWS', Site)
      runInSite(nws, () => notify(new ObjectModifiedEvent(nws)))
      expect(heard).toEqual([nws])
    })
  })

  test('refuses a site that is in no database, and calls nothing', () => {
    let called = false
    const running = () =>
      runInSite(new Site(), () => {
        called = true
      })
    expect(codeOfThrown(running)).toBe('CONTENT_LOCATION')
    expect(running).toThrow('treehook.Site (not added yet) is in no database')
    expect(called).toBe(false)
  })

  test('takes a site that was put into the tree just now', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => {
      const site = root.set('folder', new Folder()).set('new', new Site())
      expect(runInSite(site, currentSite)).toBe(site)
      expect(ISite.providedBy(site)).toBe(true)
    })
  })
})
