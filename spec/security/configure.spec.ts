import { afterEach, describe, expect, test } from '@jest/globals'
import { ComponentRegistry, getUtilitiesFor } from '../../lib/component/index.js'
import { Database } from '../../lib/database.js'
import {
  configureSecurity,
  IAuthentication,
  IGlobalGrants,
  IPermission,
  IRole,
} from '../../lib/security/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { closeDatabases } from '../support/content-builders.js'

afterEach(closeDatabases)

describe('Configuration of security', () => {
  test('registers permissions, roles, grants and principals', () => {
    const registry = new ComponentRegistry({ name: 'spec' })
    const { grants, principals } = configureSecurity(registry)
    expect(getUtilitiesFor(IPermission, { context: registry }).map(([id]) => id)).toEqual([
      'nti.actions.create',
      'nti.actions.delete',
      'zope.ManageContent',
      'zope.ManageServices',
      'zope.ManageSite',
      'zope.Public',
      'zope.Security',
      'zope.View',
    ])
    expect(getUtilitiesFor(IRole, { context: registry }).map(([id]) => id)).toEqual([
      'zope.Anonymous',
      'zope.Manager',
      'zope.Member',
    ])
    expect(registry.getUtility(IGlobalGrants)).toBe(grants)
    expect(registry.getUtility(IAuthentication)).toBe(principals)
    expect(principals.unauthenticatedPrincipal?.id).toBe('zope.anybody')
    expect([...grants]).toEqual([
      { grant: { role: 'zope.Anonymous', permission: 'zope.View' }, setting: 'allow' },
    ])
  })

  test('a database has its own', async () => {
    await using db = await Database.open('', { storage: createMemoryStorage() })
    expect(db.registry.getUtility(IGlobalGrants)).toBe(db.security.grants)
    expect(db.registry.getUtility(IAuthentication)).toBe(db.security.principals)
  })
})
