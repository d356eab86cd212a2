import { afterEach, describe, expect, test } from '@jest/globals'
import { defineInterface, queryUtility } from '../../lib/component/index.js'
import {
  installUtility,
  pathOf,
  Site,
  type SiteManager,
  uninstallUtility,
} from '../../lib/content/index.js'
import {
  closeDatabases,
  codeOfThrown,
  Employee,
  inTransaction,
} from '../support/content-builders.js'

afterEach(closeDatabases)

const IBoss = defineInterface<Employee>('install-utility-spec.IBoss')
const AT = { at: 'Boss', provides: IBoss, name: 'chief' }

describe('A utility that is installed', () => {
  test('has a place in the site manager and serves the site, until it is taken back', () =>
    inTransaction((root) => {
      const site = root.set('site', new Site())
      const boss = installUtility(site.siteManager, new Employee(), AT)
      expect(pathOf(boss)).toBe('/site/++etc++site/default/Boss')
      expect(queryUtility(IBoss, { name: 'chief', context: site })).toBe(boss)
      expect(uninstallUtility(site.siteManager, AT)).toBe(true)
      expect(queryUtility(IBoss, { name: 'chief', context: site })).toBeUndefined()
      expect(site.siteManager.default.size).toBe(0)
    }))

  test('is nowhere when its place is taken, or it cannot be registered', () =>
    inTransaction((root) => {
      const { siteManager } = root.set('site', new Site())
      const boss = installUtility(siteManager, new Employee(), AT)
      const again = () => installUtility(siteManager, new Employee(), AT)
      expect(codeOfThrown(again)).toBe('CONTENT_DUPLICATE_NAME')
      expect(siteManager.default.get('Boss')).toBe(boss)
      const broken = {
        default: siteManager.default,
        get registry(): never {
          throw new RangeError('no registry')
        },
      } as unknown as SiteManager
      const failing = () => installUtility(broken, new Employee(), { ...AT, at: 'Other' })
      expect(failing).toThrow(RangeError)
      expect(siteManager.default.has('Other')).toBe(false)
    }))

  test('is taken back also when somebody has unregistered it already', () =>
    inTransaction((root) => {
      const { siteManager } = root.set('site', new Site())
      installUtility(siteManager, new Employee(), AT)
      siteManager.registry.unregisterUtility(undefined, { provides: IBoss, name: 'chief' })
      expect(uninstallUtility(siteManager, AT)).toBe(false)
      expect(siteManager.default.has('Boss')).toBe(false)
      expect(codeOfThrown(() => uninstallUtility(siteManager, AT))).toBe('CONTENT_LOCATION')
    }))
})
