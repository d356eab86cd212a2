import { afterEach, describe, expect, test } from '@jest/globals'
import { registryScope } from '../../lib/component/index.js'
import { Folder, runInSite, Site } from '../../lib/content/index.js'
import {
  getPermission,
  IPermission,
  LocalPermission,
  PERMISSION_DELETE,
  PERMISSION_VIEW,
  Permission,
  queryPermission,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice, READ } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Permission', () => {
  test('has an id, a title, which is the id by default, and a description', () => {
    expect({ ...new Permission('shop.Refund') }).toEqual({
      id: 'shop.Refund',
      title: 'shop.Refund',
      description: '',
    })
    expect(codeOfThrown(() => new Permission('with space'))).toBe('SECURITY_INVALID_ID')
  })

  test('the ids of upstream are kept', () => {
    expect([PERMISSION_VIEW, PERMISSION_DELETE]).toEqual(['zope.View', 'nti.actions.delete'])
  })

  test('is found where the context is, then in the registry of the call', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const site = root.set('site', new Site())
      const local = site.siteManager.default.set(
        'p',
        LocalPermission.of('site.Enter', { title: 'Enter' }),
      )
      site.siteManager.registry.registerUtility(local, { provides: IPermission, name: local.id })
      const below = site.set('below', new Folder())
      expect(getPermission('site.Enter', { context: below }).title).toBe('Enter')
      expect(queryPermission('site.Enter', { context: root })).toBeUndefined()
      expect(runInSite(site, () => getPermission('site.Enter', { context: root }))).toBe(local)
      expect(getPermission(READ, { context: below }).id).toBe(READ)
      expect(getPermission(READ).id).toBe(READ)
    })
  })

  test('that is unknown is an error that names it and the place', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      expect(() => getPermission('typo', { context: root })).toThrow(
        /"typo" is registered at .*RootFolder at \//,
      )
      expect(codeOfThrown(() => getPermission('typo'))).toBe('SECURITY_UNKNOWN_PERMISSION')
    })
    expect(registryScope.current()).toBeUndefined()
  })
})
