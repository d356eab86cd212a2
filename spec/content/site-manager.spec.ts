import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  defineInterface,
  globalRegistry,
  queryUtility,
} from '../../lib/component/index.js'
import {
  IComponents,
  ISiteManager,
  type RootFolder,
  Site,
  type SiteManager,
  traverse,
} from '../../lib/content/index.js'
import {
  aMemoryPlace,
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

// How registries follow the tree, spec/content/site.spec.ts tells.

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('site-manager-spec.IBoss')

function managerAt(root: RootFolder, path: string): SiteManager {
  return traverse(root, path, Site).siteManager
}

function appoint(manager: SiteManager, name: string): void {
  const boss = manager.default.set(name, new Employee())
  manager.registry.registerUtility(boss, { provides: IBoss })
}

function bossAt(context: object): string | undefined {
  return queryUtility(IBoss, { context })?.__name__
}

/** A registry of the program with a boss in it. */
function aRegistry(name: string, bases: readonly ComponentRegistry[] = []): ComponentRegistry {
  const registry = new ComponentRegistry({ name, bases })
  const boss = new Employee()
  boss.__name__ = name
  registry.registerUtility(boss, { provides: IBoss })
  return registry
}

describe('A site manager', () => {
  test('is an ISiteManager', () => {
    expect(ISiteManager.providedBy(new Site().siteManager)).toBe(true)
  })
})

describe('Own bases of a site', () => {
  test('are asked after its own components and before the next site up', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('inner', new Site())
      const friend = root.set('friend', new Site())
      for (const [site, name] of [
        [outer, 'Out'],
        [friend, 'Friend'],
      ] as const) {
        appoint(site.siteManager, name)
      }
      expect(bossAt(inner)).toBe('Out')
      inner.siteManager.setBases([friend.siteManager])
      expect(bossAt(inner)).toBe('Friend')
      expect(inner.siteManager.registry.chain).toEqual([
        inner.siteManager.registry,
        friend.siteManager.registry,
        outer.siteManager.registry,
        db.registry,
        globalRegistry,
      ])
      appoint(inner.siteManager, 'In')
      expect(bossAt(inner)).toBe('In')
      inner.siteManager.setBases([])
      expect(inner.siteManager.registry.bases).toEqual([outer.siteManager.registry])
    }))

  test('may be registries of the program, by name; unknown ones are passed over', () =>
    inTransaction((root, db) => {
      const site = root.set('site', new Site())
      site.siteManager.setBases(['norman', 'nobody'])
      expect(site.siteManager.registry.bases).toEqual([db.registry])
      db.registry.registerUtility(aRegistry('Norman'), { provides: IComponents, name: 'norman' })
      expect(bossAt(site)).toBe('Norman')
      db.registry.unregisterUtility(undefined, { provides: IComponents, name: 'norman' })
      expect(bossAt(site)).toBeUndefined()
    }))

  test('are there again after reopening', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.transaction(({ root }) => {
      const friend = root.set('friend', new Site())
      appoint(friend.siteManager, 'Friend')
      root.set('site', new Site()).siteManager.setBases([friend.siteManager, 'norman'])
    })
    await before.close()
    const db = await open()
    await db.view(({ root }) => {
      expect(managerAt(root, '/site').ownBases).toEqual([managerAt(root, '/friend'), 'norman'])
      expect(bossAt(traverse(root, '/site'))).toBe('Friend')
    })
  })

  test('are what they were after an abort', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => appoint(managerAt(root, '/NOAA'), 'Ann'))
    const changing = db.transaction(({ root }) => {
      const friend = root.set('friend', new Site())
      appoint(friend.siteManager, 'Friend')
      managerAt(root, '/NOAA/NWS').setBases([friend.siteManager])
      expect(bossAt(traverse(root, '/NOAA/NWS'))).toBe('Friend')
      throw new Error('No')
    })
    await expect(changing).rejects.toThrow('No')
    await db.view(({ root }) => expect(bossAt(traverse(root, '/NOAA/NWS'))).toBe('Ann'))
  })

  test('that lead back to the site are refused, and nothing has changed', () =>
    inTransaction((root) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('inner', new Site())
      const setting = () => outer.siteManager.setBases([inner.siteManager])
      expect(codeOfThrown(setting)).toBe('CONTENT_CYCLE')
      expect(setting).toThrow('treehook.SiteManager at /outer/++etc++site')
      expect(outer.siteManager.ownBases).toEqual([])
      expect(outer.siteManager.registry.chain).not.toContain(inner.siteManager.registry)
      const itself = () => outer.siteManager.setBases([outer.siteManager])
      expect(codeOfThrown(itself)).toBe('CONTENT_CYCLE')
    }))

  test('that lead back to the site after a move are told at the look-up, and can be mended', () =>
    inTransaction((root) => {
      const [a, b] = [root.set('a', new Site()), root.set('b', new Site())]
      a.siteManager.setBases([b.siteManager])
      a.set('b', b)
      root.delete('b')
      expect(codeOfThrown(() => bossAt(a))).toBe('CONTENT_CYCLE')
      a.siteManager.setBases([])
      expect(bossAt(b)).toBeUndefined()
      expect(b.siteManager.registry.bases).toEqual([a.siteManager.registry])
    }))
})
