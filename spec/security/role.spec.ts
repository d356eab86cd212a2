import { afterEach, describe, expect, test } from '@jest/globals'
import { Site } from '../../lib/content/index.js'
import {
  getRole,
  IRole,
  LocalRole,
  queryRole,
  ROLE_MANAGER,
  Role,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice, READER } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Role', () => {
  test('has an id, a title, which is the id by default, and a description', () => {
    expect(new Role('shop.Cashier', { title: 'Cashier' })).toMatchObject({
      id: 'shop.Cashier',
      title: 'Cashier',
      description: '',
    })
    expect(codeOfThrown(() => LocalRole.of(''))).toBe('SECURITY_INVALID_ID')
    expect(ROLE_MANAGER).toBe('zope.Manager')
  })

  test('is found where the context is, then in the registry of the call', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const site = root.set('site', new Site())
      const local = site.siteManager.default.set('r', LocalRole.of('site.Guest'))
      site.siteManager.registry.registerUtility(local, { provides: IRole, name: local.id })
      expect(getRole('site.Guest', { context: site })).toBe(local)
      expect(queryRole('site.Guest', { context: root })).toBeUndefined()
      expect(getRole(READER).id).toBe(READER)
      expect(codeOfThrown(() => getRole('typo', { context: site }))).toBe('SECURITY_UNKNOWN_ROLE')
    })
  })
})
