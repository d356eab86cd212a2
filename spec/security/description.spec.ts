import { afterEach, describe, expect, test } from '@jest/globals'
import { Folder } from '../../lib/content/index.js'
import { placeText, queryRegistered } from '../../lib/security/description.js'
import { IPermission, IRole, Permission, Role } from '../../lib/security/index.js'
import { closeDatabases } from '../support/content-builders.js'
import { anOffice, READ } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('What permissions and roles share', () => {
  test('is an id that says whose it is when it cannot be one', () => {
    expect(() => new Permission('')).toThrow('"" cannot be the id of a permission')
    expect(() => new Role('a b')).toThrow('"a b" cannot be the id of a role')
  })

  test('is that it is registered under its id, each for itself', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const context = root.set('f', new Folder())
      expect(queryRegistered(IPermission, READ, { context })?.id).toBe(READ)
      expect(queryRegistered(IRole, READ, { context })).toBeUndefined()
      expect(placeText({ context })).toMatch(/^at .*\/f/)
      expect(placeText({})).toBe('in the registry of this call')
    })
  })
})
