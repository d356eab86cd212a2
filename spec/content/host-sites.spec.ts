import { afterEach, describe, expect, test } from '@jest/globals'
import {
  ComponentRegistry,
  defineInterface,
  globalRegistry,
  queryUtility,
} from '../../lib/component/index.js'
import { hostSitesTopDown } from '../../lib/content/host-sites.js'
import {
  getHostSite,
  IComponents,
  installMainApplication,
  mainApplicationOf,
  pathOf,
  queryHostSite,
  Site,
  synchronizeHostPolicies,
  traverse,
} from '../../lib/content/index.js'
import {
  aDatabase,
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
  type TreeDatabase,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('host-sites-spec.IBoss')

function addRegistry(
  db: TreeDatabase,
  name: string,
  bases: readonly ComponentRegistry[] = [],
): ComponentRegistry {
  const registry = new ComponentRegistry({ name, bases })
  db.registry.registerUtility(registry, { provides: IComponents, name })
  return registry
}

function bossOf(name: string): Employee {
  const boss = new Employee()
  boss.title = name
  return boss
}

/** Two registries of the program: `norman` is based on one without name, and this one on `weather`. */
async function aDatabaseWithRegistries(): Promise<TreeDatabase> {
  const db = await aDatabase()
  const weather = addRegistry(db, 'weather')
  const between = new ComponentRegistry({ name: 'between', bases: [weather] })
  addRegistry(db, 'norman', [between])
  await db.transaction(({ connection }) => void installMainApplication(connection))
  return db
}

describe('Host policies', () => {
  test('make a host site for each named registry, parents first, once', async () => {
    const db = await aDatabaseWithRegistries()
    await db.transaction(({ root, connection }) => {
      const application = mainApplicationOf(connection)
      expect(synchronizeHostPolicies(application)).toEqual({
        created: ['weather', 'norman'],
        kept: [],
        orphaned: [],
      })
      const norman = getHostSite(application, 'norman')
      expect(pathOf(norman)).toBe('/application/++etc++hostsites/norman')
      expect(traverse(root, '/application/++etc++hostsites/norman')).toBe(norman)
      expect(hostSitesTopDown(application).map(({ __name__ }) => __name__)).toEqual([
        'weather',
        'norman',
      ])
    })
    const before = db.objects.lastTid
    await db.transaction(({ connection }) => {
      const again = synchronizeHostPolicies(mainApplicationOf(connection))
      expect(again).toEqual({ created: [], kept: ['weather', 'norman'], orphaned: [] })
    })
    expect(db.objects.lastTid).toBe(before)
  })

  test('look in the site, its registry, the site of the one it is based on, and so on', async () => {
    const db = await aDatabaseWithRegistries()
    const [norman, weather] = ['norman', 'weather'].map((name) =>
      db.registry.getUtility(IComponents, { name }),
    )
    await db.transaction(({ connection }) => {
      const application = mainApplicationOf(connection)
      synchronizeHostPolicies(application)
      const site = getHostSite(application, 'norman')
      const { chain } = site.siteManager.registry
      const known = chain.filter(({ name }) => name !== 'between')
      expect(known).toEqual([
        site.siteManager.registry,
        norman,
        getHostSite(application, 'weather').siteManager.registry,
        weather,
        application.siteManager.registry,
        db.registry,
        globalRegistry,
      ])
      const boss = () => queryUtility(IBoss, { context: site })?.title
      application.siteManager.registry.registerUtility(bossOf('application'), { provides: IBoss })
      expect(boss()).toBe('application')
      weather?.registerUtility(bossOf('weather'), { provides: IBoss })
      expect(boss()).toBe('weather')
      norman?.registerUtility(bossOf('norman'), { provides: IBoss })
      expect(boss()).toBe('norman')
      site.siteManager.registry.registerUtility(bossOf('site'), { provides: IBoss })
      expect(boss()).toBe('site')
    })
  })

  test('follow the program: bases are set anew, and what it lacks now is listed', async () => {
    const db = await aDatabaseWithRegistries()
    await db.transaction(({ connection }) => {
      const application = mainApplicationOf(connection)
      synchronizeHostPolicies(application)
      const weather = getHostSite(application, 'weather').siteManager
      expect(getHostSite(application, 'norman').siteManager.ownBases).toEqual(['norman', weather])
      db.registry.unregisterUtility(undefined, { provides: IComponents, name: 'weather' })
      expect(synchronizeHostPolicies(application)).toEqual({
        created: [],
        kept: ['norman'],
        orphaned: ['weather'],
      })
      expect(getHostSite(application, 'norman').siteManager.ownBases).toEqual(['norman'])
    })
  })

  test('need an application that keeps host sites', () =>
    inTransaction((root) => {
      const site = root.set('site', new Site())
      expect(codeOfThrown(() => synchronizeHostPolicies(site))).toBe('CONTENT_SITE_NOT_FOUND')
      expect(codeOfThrown(() => getHostSite(site, 'x'))).toBe('CONTENT_SITE_NOT_FOUND')
      expect(queryHostSite(site, 'x')).toBeUndefined()
    }))
})
