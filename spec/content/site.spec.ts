import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  currentRegistry,
  defineInterface,
  getUtility,
  globalRegistry,
  implementer,
  queryUtility,
  registryScope,
} from '../../lib/component/index.js'
import {
  databaseRegistry,
  Folder,
  INewLocalSite,
  ISite,
  makeSite,
  parentOf,
  pathOf,
  queryTraverse,
  type RootFolder,
  registryAt,
  Site,
  SiteManager,
  siteOf,
  traverse,
} from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import {
  aDatabase,
  aDatabaseWith,
  aMemoryPlace,
  anOffice,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  race,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('content-spec.IBoss')

function siteAt(root: RootFolder, path: string): Site {
  return traverse(root, path, Site)
}

/** Puts an employee into the site's default folder, as the boss of the site. */
function appoint(site: Site, name: string): Employee {
  const boss = site.siteManager.default.set(name, new Employee())
  site.siteManager.registry.registerUtility(boss, { provides: IBoss })
  return boss
}

/** The name of the boss by an object's place. */
function bossAt(context: object): string | undefined {
  return queryUtility(IBoss, { context })?.__name__
}

function bossAtPath(db: TreeDatabase, path: string): Promise<string | undefined> {
  return db.view(({ root }) => bossAt(traverse(root, path)))
}

describe('A site', () => {
  test('has a manager at ++etc++site, with a default folder', () =>
    inTransaction((root) => {
      const site = root.set('X', new Site())
      expect(site.siteManager).toBeInstanceOf(SiteManager)
      expect(parentOf(site.siteManager)).toBe(site)
      expect(pathOf(site.siteManager)).toBe('/X/++etc++site')
      expect(pathOf(site.siteManager.default)).toBe('/X/++etc++site/default')
      expect(site.siteManager.default).toBeInstanceOf(Folder)
      expect(site.size).toBe(0)
    }))

  test('has its manager, default folder and registrations again after reopening', async () => {
    const open = aMemoryPlace()
    const before = await open()
    await before.transaction(({ root }) => {
      root.set('site', new Site()).set('Bob', new Employee())
      appoint(siteAt(root, '/site'), 'Ann')
    })
    await before.close()
    const db = await open()
    await db.view(({ root }) => {
      const site = siteAt(root, '/site')
      expect(pathOf(site.siteManager.default.getItem('Ann'))).toBe('/site/++etc++site/default/Ann')
      expect(queryUtility(IBoss, { context: site.getItem('Bob') })).toBe(
        site.siteManager.default.get('Ann'),
      )
    })
  })

  test('that extends Site is one', async () => {
    @stored('content-spec.Bureau')
    class Bureau extends Site {}
    const db = await aDatabaseWith((root) => void root.set('bureau', new Bureau()))
    await db.transaction(({ root }) => void appoint(root.getItem('bureau') as Bureau, 'Ann'))
    expect(await bossAtPath(db, '/bureau')).toBe('Ann')
  })

  test('may be any folder that provides ISite with a manager', () =>
    inTransaction((root) => {
      @stored('content-spec.OwnSite')
      @implementer(ISite)
      class Own extends Folder implements ISite {
        @field accessor siteManager: SiteManager = new Site().siteManager
      }
      const site = root.set('own', new Own())
      site.siteManager.__parent__ = site
      const ann = site.siteManager.default.set('Ann', new Employee())
      site.siteManager.registry.registerUtility(ann, { provides: IBoss })
      expect(registryAt(site)).toBe(site.siteManager.registry)
      expect(bossAt(site.set('folder', new Folder()))).toBe('Ann')
    }))

  test('serves everything below it, its manager and components included', () =>
    inTransaction((root) => {
      const site = root.set('site', new Site())
      const ann = appoint(site, 'Ann')
      const bob = site.set('staff', new Folder()).set('Bob', new Employee())
      for (const object of [site, bob, site.siteManager, site.siteManager.default, ann]) {
        expect(registryAt(object)).toBe(site.siteManager.registry)
        expect(bossAt(object)).toBe('Ann')
      }
      expect(bossAt(root)).toBeUndefined()
    }))
})

describe('A folder that is made a site', () => {
  @stored('content-spec.Office')
  class Office extends Folder {
    @field accessor siteManager: SiteManager | undefined = undefined
  }

  test('has a manager, serves what is in it, and is told of', async () => {
    const open = aMemoryPlace()
    const before = await open()
    const heard: unknown[] = []
    before.registry.registerHandler((event) => heard.push(event.manager), { for: [INewLocalSite] })
    await before.transaction(({ root }) => {
      const office = root.set('office', new Office())
      const bob = office.set('staff', new Folder()).set('Bob', new Employee())
      expect([ISite.providedBy(office), siteOf(bob)]).toEqual([false, undefined])
      const site: ISite = makeSite(office)
      expect([siteOf(bob), site]).toEqual([office, office])
      expect(heard).toEqual([office.siteManager])
      expect(traverse(root, '/office/++etc++site')).toBe(office.siteManager)
      const ann = (office.siteManager as SiteManager).default.set('Ann', new Employee())
      office.siteManager?.registry.registerUtility(ann, { provides: IBoss })
      expect(bossAt(bob)).toBe('Ann')
    })
    await before.close()
    const db = await open()
    expect(await bossAtPath(db, '/office/staff/Bob')).toBe('Ann')
  })

  test('is one already the second time, as a Site is', () =>
    inTransaction((root) => {
      const office = root.set('office', new Office())
      makeSite(office)
      expect(codeOfThrown(() => makeSite(office))).toBe('CONTENT_ALREADY_A_SITE')
      expect(codeOfThrown(() => makeSite(new Site() as unknown as Office))).toBe(
        'CONTENT_ALREADY_A_SITE',
      )
    }))

  test('is none after an abort', async () => {
    const db = await aDatabaseWith((root) => void root.set('office', new Office()))
    const making = db.transaction(({ root }) => {
      makeSite(root.getItem('office') as Office)
      throw new Error('No')
    })
    await expect(making).rejects.toThrow('No')
    await db.view(({ root }) => {
      const office = root.getItem('office')
      expect([siteOf(office), queryTraverse(office, '++etc++site')]).toEqual([undefined, undefined])
    })
  })
})

describe("A site's registry", () => {
  test('asks the next site up, the registry of the database, and the global one', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('folder', new Folder()).set('inner', new Site())
      expect(inner.siteManager.registry.chain).toEqual([
        inner.siteManager.registry,
        outer.siteManager.registry,
        db.registry,
        globalRegistry,
      ])
    }))

  test('gives the component of the nearest site', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('inner', new Site())
      const chief = root.set('Chief', new Employee())
      db.registry.registerUtility(chief, { provides: IBoss })
      expect([bossAt(inner), bossAt(outer), bossAt(root)]).toEqual(['Chief', 'Chief', 'Chief'])
      appoint(outer, 'Out')
      expect([bossAt(inner), bossAt(outer), bossAt(root)]).toEqual(['Out', 'Out', 'Chief'])
      appoint(inner, 'In')
      expect([bossAt(inner), bossAt(outer), bossAt(root)]).toEqual(['In', 'Out', 'Chief'])
    }))

  test('follows a site that is moved', async () => {
    const db = await aDatabaseWith((root) => {
      appoint(root.set('one', new Site()), 'One')
      appoint(root.set('two', new Site()), 'Two')
      siteAt(root, '/one').set('folder', new Folder()).set('inner', new Site())
    })
    await db.transaction(({ root }) => {
      const inner = siteAt(root, '/one/folder/inner')
      expect(bossAt(inner)).toBe('One')
      siteAt(root, '/two').set('inner', inner)
      expect(bossAt(inner)).toBe('Two')
      traverse(root, '/one/folder', Folder).delete('inner')
      expect(bossAt(inner)).toBe('Two')
    })
    expect(await bossAtPath(db, '/two/inner')).toBe('Two')
  })

  test('follows when what a site stands in is moved, in every connection', async () => {
    const db = await aDatabaseWith((root) => {
      appoint(root.set('one', new Site()), 'One')
      appoint(root.set('two', new Site()), 'Two')
      siteAt(root, '/one').set('folder', new Folder()).set('inner', new Site())
    })
    expect(await bossAtPath(db, '/one/folder/inner')).toBe('One')
    await db.transaction(({ root }) => {
      const inner = siteAt(root, '/one/folder/inner')
      expect(bossAt(inner)).toBe('One')
      siteAt(root, '/two').set('folder', traverse(root, '/one/folder', Folder))
      siteAt(root, '/one').delete('folder')
      expect(bossAt(inner)).toBe('Two')
    })
    expect(await bossAtPath(db, '/two/folder/inner')).toBe('Two')
  })

  test('is what it was when a move is aborted', async () => {
    const db = await aDatabaseWith((root) => {
      appoint(root.set('one', new Site()), 'One').title = 'kept'
      appoint(root.set('two', new Site()), 'Two')
      siteAt(root, '/one').set('inner', new Site())
    })
    const moving = db.transaction(({ root }) => {
      siteAt(root, '/two').set('inner', siteAt(root, '/one/inner'))
      expect(bossAt(siteAt(root, '/two/inner'))).toBe('Two')
      throw new Error('No')
    })
    await expect(moving).rejects.toThrow('No')
    await db.transaction(({ root }) => {
      expect(bossAt(siteAt(root, '/one/inner'))).toBe('One')
    })
  })

  test('of two sites that change places never depends on itself', () =>
    inTransaction((root) => {
      const a = root.set('a', new Site())
      const b = a.set('b', new Site())
      appoint(a, 'A')
      appoint(b, 'B')
      expect(b.siteManager.registry.chain).toContain(a.siteManager.registry)
      root.set('b', b)
      a.delete('b')
      b.set('a', a)
      root.delete('a')
      expect(a.siteManager.registry.chain.slice(0, 2)).toEqual([
        a.siteManager.registry,
        b.siteManager.registry,
      ])
      expect(b.siteManager.registry.chain).not.toContain(a.siteManager.registry)
    }))

  test('of a site removed from the tree asks the database still', () =>
    inTransaction((root, db) => {
      const outer = root.set('outer', new Site())
      appoint(outer, 'Out')
      const site = outer.set('site', new Site())
      expect(bossAt(site)).toBe('Out')
      outer.delete('site')
      expect(site.siteManager.registry.bases).not.toContain(outer.siteManager.registry)
      expect(bossAt(site)).toBeUndefined()
      root.set('site', site)
      expect(site.siteManager.registry.bases).toEqual([db.registry])
    }))

  test('of a site in no database asks the global one, and keeps what it was given', () =>
    inTransaction((root, db) => {
      const site = new Site()
      expect(site.siteManager.registry.bases).toEqual([globalRegistry])
      expect(registryAt(site)).toBeUndefined()
      appoint(site, 'Ann')
      root.set('folder', new Folder()).set('site', site)
      expect(bossAt(site)).toBe('Ann')
      expect(site.siteManager.registry.bases).toEqual([db.registry])
    }))

  test('serves what was put into the tree just now, below a new folder', () =>
    inTransaction((root, db) => {
      db.registry.registerUtility(new Employee(), { provides: IBoss, name: 'of the database' })
      const folder = root.set('folder', new Folder())
      const site = folder.set('site', new Site())
      expect(registryAt(folder)).toBe(db.registry)
      expect(site.siteManager.registry.bases).toEqual([db.registry])
      const options = { name: 'of the database', context: site }
      expect(getUtility(IBoss, options)).toBeInstanceOf(Employee)
    }))

  test('refuses a component that cannot be stored', () =>
    inTransaction((root) => {
      const { registry } = root.set('site', new Site()).siteManager
      const refused = [
        () => registry.registerUtility({} as Employee, { provides: IBoss }),
        () => registry.registerHandler(() => {}, { for: [Employee] }),
        () => registry.registerAdapter(() => undefined, { adapts: [Employee], provides: IBoss }),
      ]
      for (const register of refused) {
        expect(codeOfThrown(register)).toBe('COMPONENT_INVALID_REGISTRATION')
      }
      expect([...registry.registrations()]).toEqual([])
    }))

  test('keeps the component it has when another one is refused in its place', () =>
    inTransaction((root) => {
      const site = root.set('site', new Site())
      appoint(site, 'Ann')
      const { registry } = site.siteManager
      const replacing = () => registry.registerUtility({} as Employee, { provides: IBoss })
      expect(codeOfThrown(replacing)).toBe('COMPONENT_INVALID_REGISTRATION')
      expect(bossAt(site)).toBe('Ann')
    }))

  test('loads no component but the one that is asked for, of thousands', async () => {
    const db = await aDatabaseWith((root) => {
      const { registry, default: folder } = root.set('site', new Site()).siteManager
      for (let nr = 0; nr < 3000; nr++) {
        const employee = folder.set(`e${nr}`, new Employee())
        registry.registerUtility(employee, { provides: IBoss, name: `nr ${nr}` })
      }
    })
    db.objects.cacheClear()
    await db.view(({ root }) => {
      const { registry } = siteAt(root, '/site').siteManager
      expect(registry.queryUtility(IBoss)).toBeUndefined()
      const before = db.objects.counters.loads
      expect(registry.queryUtility(IBoss, { name: 'nr 1234' })?.__name__).toBe('e1234')
      expect(db.objects.counters.loads - before).toBe(1)
    })
  })

  test('replaces a component, and forgets one that is unregistered', async () => {
    const db = await aDatabaseWith((root) => void appoint(root.set('site', new Site()), 'Ann'))
    await db.transaction(({ root }) => void appoint(siteAt(root, '/site'), 'Eve'))
    expect(await bossAtPath(db, '/site')).toBe('Eve')
    await db.transaction(({ root }) => {
      const { registry } = siteAt(root, '/site').siteManager
      expect(registry.unregisterUtility(undefined, { provides: IBoss })).toBe(true)
      expect(registry.unregisterUtility(undefined, { provides: IBoss })).toBe(false)
    })
    expect(await bossAtPath(db, '/site')).toBeUndefined()
  })

  test('names every utility once, the nearest one of each name', () =>
    inTransaction((root) => {
      const outer = root.set('outer', new Site())
      const inner = outer.set('inner', new Site())
      const people = ['a', 'b', 'c'].map((name) => root.set(name, new Employee()))
      const register = (site: Site, at: number, name: string) =>
        site.siteManager.registry.registerUtility(people[at]!, { provides: IBoss, name })
      register(outer, 0, 'one')
      register(outer, 1, 'two')
      register(inner, 2, 'two')
      const found = inner.siteManager.registry.getUtilitiesFor(IBoss)
      expect(found).toEqual([
        ['one', people[0]],
        ['two', people[2]],
      ])
    }))
})

describe('A registration', () => {
  test('is seen by the transactions that begin after its commit, and by no earlier one', async () => {
    const db = await anOffice()
    const path = '/NOAA/NWS'
    expect(await bossAtPath(db, path)).toBeUndefined()
    await race(
      db,
      (root) => void appoint(siteAt(root, '/NOAA'), 'Ann'),
      (root) => expect(bossAt(siteAt(root, path))).toBeUndefined(),
    )
    expect(await bossAtPath(db, path)).toBe('Ann')
    await db.transaction(({ root }) => expect(bossAt(siteAt(root, path))).toBe('Ann'))
  })

  test('is not seen by a transaction that began before its commit, whenever that asks', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => expect(bossAt(siteAt(root, '/NOAA'))).toBeUndefined())
    let registered = (): void => {}
    const hasRegistered = new Promise<void>((resolve) => (registered = resolve))
    let began = (): void => {}
    const hasBegun = new Promise<void>((resolve) => (began = resolve))
    const older = db.view(async ({ root }) => {
      const before = bossAt(siteAt(root, '/NOAA'))
      began()
      await hasRegistered
      return [before, bossAt(siteAt(root, '/NOAA'))]
    })
    await hasBegun
    await db.transaction(({ root }) => void appoint(siteAt(root, '/NOAA'), 'Ann'))
    expect(await bossAtPath(db, '/NOAA')).toBe('Ann')
    registered()
    expect(await older).toEqual([undefined, undefined])
    expect(await bossAtPath(db, '/NOAA')).toBe('Ann')
  })

  test('that is not committed is seen by its own transaction only, and is gone after abort', async () => {
    const db = await anOffice()
    let registered = (): void => {}
    const hasRegistered = new Promise<void>((resolve) => (registered = resolve))
    let mayAbort = (): void => {}
    const looked = new Promise<void>((resolve) => (mayAbort = resolve))
    const aborting = db.transaction(async ({ root }) => {
      appoint(siteAt(root, '/NOAA'), 'Ann')
      registered()
      await looked
      expect(bossAt(siteAt(root, '/NOAA/NWS/OUN'))).toBe('Ann')
      throw new Error('No')
    })
    const outcome = expect(aborting).rejects.toThrow('No')
    await hasRegistered
    expect(await bossAtPath(db, '/NOAA/NWS/OUN')).toBeUndefined()
    await db.transaction(({ root }) => expect(bossAt(siteAt(root, '/NOAA'))).toBeUndefined())
    mayAbort()
    await outcome
    for (let at = 0; at < 3; at++) {
      await db.transaction(({ root }) => expect(bossAt(siteAt(root, '/NOAA'))).toBeUndefined())
      expect(await bossAtPath(db, '/NOAA')).toBeUndefined()
    }
  })

  test('that is taken back is seen until the commit, by others', async () => {
    const db = await anOffice()
    await db.transaction(({ root }) => void appoint(siteAt(root, '/NOAA'), 'Ann'))
    await race(
      db,
      (root) => {
        const { registry } = siteAt(root, '/NOAA').siteManager
        expect(registry.unregisterUtility(undefined, { provides: IBoss })).toBe(true)
        expect(bossAt(siteAt(root, '/NOAA'))).toBeUndefined()
      },
      (root) => expect(bossAt(siteAt(root, '/NOAA'))).toBe('Ann'),
    )
    expect(await bossAtPath(db, '/NOAA')).toBeUndefined()
  })

  test('of another name never conflicts; one of the same name does', async () => {
    const db = await aDatabaseWith((root) => {
      root.set('site', new Site())
      root.set('Bob', new Employee())
    })
    const register = (name: string) => (root: RootFolder) =>
      siteAt(root, '/site').siteManager.registry.registerUtility(root.get('Bob') as Employee, {
        provides: IBoss,
        name,
      })
    await race(db, register('one'), register('two'))
    await expect(race(db, register('three'), register('three'))).rejects.toMatchObject({
      code: 'STORAGE_CONFLICT',
    })
    await db.view(({ root }) => {
      const { registry } = siteAt(root, '/site').siteManager
      expect(registry.getUtilitiesFor(IBoss).map(([name]) => name)).toEqual(['one', 'three', 'two'])
    })
  })
})

describe('registryAt', () => {
  test("gives an object's site, its database, or nothing", () =>
    inTransaction((root, db) => {
      const site = root.set('site', new Site())
      expect(registryAt(site.set('Bob', new Employee()))).toBe(site.siteManager.registry)
      expect(registryAt(root)).toBe(db.registry)
      expect(registryAt(root.set('Bob', new Employee()))).toBe(db.registry)
      expect(registryAt(new Employee())).toBeUndefined()
      expect(registryAt({})).toBeUndefined()
      expect(registryAt({ __parent__: root })).toBe(db.registry)
      expect(registryAt({ __parent__: site })).toBe(site.siteManager.registry)
    }))

  test('is how an object as context leads to a registry', async () => {
    const db = await aDatabase()
    await db.objects.transaction(({ rootMapping }) => {
      const root = rootMapping.get('root') as RootFolder
      const ann = root.set('Ann', new Employee())
      db.registry.registerUtility(ann, { provides: IBoss })
      expect(currentRegistry()).toBe(globalRegistry)
      expect(queryUtility(IBoss)).toBeUndefined()
      expect(queryUtility(IBoss, { context: root })).toBe(ann)
      registryScope.run(db.registry, () => expect(queryUtility(IBoss)).toBe(ann))
      expect(queryTraverse(root, 'Ann')).toBe(ann)
    })
    expect(databaseRegistry(db.objects)).toBe(db.registry)
  })
})

describe('Look-ups in sites', () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  const names = ['s0', 's1', 's2', 's3']
  const index = fc.nat({ max: names.length - 1 })
  const step = fc.record({
    do: fc.constantFrom('appoint', 'dismiss', 'move'),
    at: index,
    to: fc.option(index, { nil: undefined }),
    commits: fc.boolean(),
  })

  /** Every site by its name, wherever it is now. */
  function sitesBelow(folder: Folder): Map<string, Site> {
    const found = new Map<string, Site>()
    for (const [name, item] of folder) {
      if (!(item instanceof Site)) continue
      found.set(name, item)
      for (const [inner, site] of sitesBelow(item)) found.set(inner, site)
    }
    return found
  }

  function bossesIn(root: RootFolder): (string | undefined)[] {
    const sites = sitesBelow(root)
    return names.map((name) => queryUtility(IBoss, { context: sites.get(name) })?.title)
  }

  /** For each site the one it is in, and its boss. */
  interface Model {
    readonly parents: readonly (number | undefined)[]
    readonly bosses: readonly (string | undefined)[]
  }

  function bossesOf({ parents, bosses }: Model): (string | undefined)[] {
    const bossOf = (at: number | undefined): string | undefined =>
      at === undefined ? undefined : (bosses[at] ?? bossOf(parents[at]))
    return names.map((_, at) => bossOf(at))
  }

  function isInside({ parents }: Model, inner: number | undefined, outer: number): boolean {
    return (
      inner !== undefined &&
      (inner === outer || isInside({ parents, bosses: [] }, parents[inner], outer))
    )
  }

  test(`answer as the tree and the registrations are now, in every transaction (seed ${seed})`, () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const db = await aDatabaseWith((root) => {
          for (const name of names) root.set(name, new Site())
        })
        let model: Model = {
          parents: names.map(() => undefined),
          bosses: names.map(() => undefined),
        }
        for (const [nr, { do: what, at, to, commits }] of steps.entries()) {
          if (what === 'move' && (isInside(model, to, at) || model.parents[at] === to)) continue
          const next: Model = {
            parents: what === 'move' ? model.parents.with(at, to) : model.parents,
            bosses:
              what === 'move'
                ? model.bosses
                : model.bosses.with(at, what === 'appoint' ? `boss ${nr}` : undefined),
          }
          const work = db.transaction(({ root }) => {
            expect(bossesIn(root)).toEqual(bossesOf(model))
            const sites = sitesBelow(root)
            const site = sites.get(names[at]!)!
            const { registry } = site.siteManager
            if (what === 'appoint') appoint(site, `boss ${nr}`).title = `boss ${nr}`
            else if (what === 'dismiss') registry.unregisterUtility(undefined, { provides: IBoss })
            else {
              const from = parentOf(site) as Folder
              const target = to === undefined ? root : sites.get(names[to]!)!
              target.set(names[at]!, site)
              from.delete(names[at]!)
            }
            expect(bossesIn(root)).toEqual(bossesOf(next))
            if (!commits) throw new RangeError('undone')
          })
          if (commits) await work
          else await expect(work).rejects.toThrow(RangeError)
          if (commits) model = next
          await db.view(({ root }) => expect(bossesIn(root)).toEqual(bossesOf(model)))
        }
        await db.close()
      }),
      { seed, numRuns: 50 },
    ))
})
