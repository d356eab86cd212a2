import { afterEach, describe, expect, test } from '@jest/globals'
import { ComponentRegistry, currentRegistry } from '../../lib/component/index.js'
import {
  currentSite,
  getHostSite,
  IComponents,
  ISiteMapping,
  installMainApplication,
  runInSite,
  type Site,
  siteForNames,
  siteOf,
  synchronizeHostPolicies,
} from '../../lib/content/index.js'
import { codeOf } from '../../lib/foundation/index.js'
import { aDatabase, closeDatabases, type TreeDatabase } from '../support/content-builders.js'

afterEach(closeDatabases)

async function withApplication(fn: (application: Site, db: TreeDatabase) => void): Promise<void> {
  const db = await aDatabase()
  for (const name of ['norman', 'miami']) {
    const registry = new ComponentRegistry({ name })
    db.registry.registerUtility(registry, { provides: IComponents, name })
  }
  await db.transaction(({ connection }) => {
    const application = installMainApplication(connection)
    synchronizeHostPolicies(application)
    fn(application, db)
  })
}

describe('The site for names', () => {
  test('is the host site of the first name that has one', () =>
    withApplication((application) => {
      const norman = getHostSite(application, 'norman')
      expect(siteForNames(application, ['nowhere', 'norman', 'miami'])).toBe(norman)
    }))

  test('is that of a mapping before that of the name itself', () =>
    withApplication((application, db) => {
      const mapping = { targetSiteName: 'miami' }
      db.registry.registerUtility(mapping, { provides: ISiteMapping, name: 'norman' })
      const miami = getHostSite(application, 'miami')
      expect(siteForNames(application, ['norman'])).toBe(miami)
    }))

  test('is the current site for no known name, or the application', () =>
    withApplication((application) => {
      const norman = getHostSite(application, 'norman')
      expect(siteForNames(application, ['nowhere', ''])).toBe(application)
      runInSite(norman, () => expect(siteForNames(application, [])).toBe(norman))
    }))

  test('is one in memory for components without host site, the same each time', () =>
    withApplication((application, db) => {
      const tampa = new ComponentRegistry({ name: 'tampa' })
      db.registry.registerUtility(tampa, { provides: IComponents, name: 'tampa' })
      const site = siteForNames(application, ['tampa'])
      expect(siteForNames(application, ['tampa'])).toBe(site)
      const { registry } = site.siteManager
      expect(registry.bases).toEqual([tampa, application.siteManager.registry])
      runInSite(site, () => {
        expect([currentSite(), currentRegistry()]).toEqual([site, registry])
      })
      expect(siteOf(site)).toBe(site)
      expect([site.get('x'), site.has('x'), site.siteManager.has('x')]).toEqual([
        undefined,
        false,
        false,
      ])
    }))

  test('cannot be stored when it is in memory', async () => {
    const db = await aDatabase()
    const registry = new ComponentRegistry({ name: 'tampa' })
    db.registry.registerUtility(registry, { provides: IComponents, name: 'tampa' })
    const storing = db.transaction(({ connection }) => {
      const application = installMainApplication(connection)
      const site = siteForNames(application, ['tampa'])
      connection.rootMapping.set('site', site as never)
    })
    expect(codeOf(await storing.catch((error: unknown) => error))).toMatch(/^PERSISTENCE_/)
  })
})
