import { afterEach, describe, expect, test } from '@jest/globals'
import { GlobalGrants, ROLE_MANAGER } from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice, READ, READER } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Grants of a whole database', () => {
  test('are rows as those of objects are, and need no transaction', async () => {
    const { db } = await anOffice()
    const grants = new GlobalGrants(db.registry)
    grants.allow({ role: READER, permission: READ })
    expect([...grants]).toEqual([{ grant: { role: READER, permission: READ }, setting: 'allow' }])
    expect(codeOfThrown(() => grants.allow({ role: 'typo', permission: READ }))).toBe(
      'SECURITY_UNKNOWN_ROLE',
    )
  })

  test('a role may do everything', async () => {
    const { grants } = await anOffice()
    expect([...grants.almighty]).toEqual([ROLE_MANAGER])
    grants.allowEverything(READER)
    expect(grants.almighty.has(READER)).toBe(true)
    expect(grants.unsetEverything(READER)).toBe(true)
    expect(grants.unsetEverything(READER)).toBe(false)
    expect(codeOfThrown(() => grants.allowEverything('typo'))).toBe('SECURITY_UNKNOWN_ROLE')
  })

  test('each change has a new stamp', async () => {
    const { grants } = await anOffice()
    const stamps = new Set([grants.stamp])
    grants.allow({ role: READER, permission: READ })
    stamps.add(grants.stamp)
    grants.allow({ role: READER, permission: READ })
    grants.allowEverything(READER)
    stamps.add(grants.stamp)
    grants.unset({ role: READER, permission: READ })
    stamps.add(grants.stamp)
    expect(stamps.size).toBe(4)
  })

  test('of two databases are two', async () => {
    const [one, other] = [await anOffice(), await anOffice()]
    one.grants.allow({ role: READER, permission: READ })
    expect(other.grants.setting({ role: READER, permission: READ })).toBe('unset')
  })
})
