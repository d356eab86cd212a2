import { afterEach, describe, expect, test } from '@jest/globals'
import { annotationsOf, copyOf, Folder } from '../../lib/content/index.js'
import { stateOf } from '../../lib/persistence/index.js'
import {
  type Grant,
  grantsOf,
  PERMISSION_PUBLIC,
  ROLE_ANONYMOUS,
} from '../../lib/security/index.js'
import { aMemoryPlace, closeDatabases, codeOfThrown, race } from '../support/content-builders.js'
import { anOffice, placesIn, READ, READER, secure, WRITE } from '../support/security-builders.js'

afterEach(closeDatabases)

const BOB_READS: Grant = { principal: 'bob', permission: READ }

describe('Grants of an object', () => {
  test('are unset, allowed or denied, and can be taken back', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const grants = grantsOf(placesIn(root).office)
      expect(grants.setting(BOB_READS)).toBe('unset')
      grants.allow(BOB_READS)
      expect(grants.setting(BOB_READS)).toBe('allow')
      grants.deny(BOB_READS)
      expect(grants.setting(BOB_READS)).toBe('deny')
      expect(grants.unset(BOB_READS)).toBe(true)
      expect(grants.unset(BOB_READS)).toBe(false)
      expect(grants.setting(BOB_READS)).toBe('unset')
    })
  })

  test('reading them stores nothing, and neither does saying the same again', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => grantsOf(placesIn(root).desk).allow(BOB_READS))
    await db.transaction(({ root }) => {
      const { office, desk } = placesIn(root)
      expect(grantsOf(office).setting(BOB_READS)).toBe('unset')
      expect([...grantsOf(office)]).toEqual([])
      expect(grantsOf(office).unset(BOB_READS)).toBe(false)
      grantsOf(desk).allow(BOB_READS)
      expect([stateOf(office), stateOf(desk)]).toEqual(['upToDate', 'upToDate'])
      expect(annotationsOf(office).size).toBe(0)
    })
  })

  test('are listed as rows', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const grants = grantsOf(placesIn(root).office)
      grants.allow({ role: READER, permission: READ })
      grants.deny({ principal: 'bob', role: READER })
      grants.allow(BOB_READS)
      expect(grants.size).toBe(3)
      expect([...grants]).toEqual([
        { grant: BOB_READS, setting: 'allow' },
        { grant: { principal: 'bob', role: READER }, setting: 'deny' },
        { grant: { role: READER, permission: READ }, setting: 'allow' },
      ])
    })
  })

  test('of one principal are taken back at once', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const grants = grantsOf(placesIn(root).office)
      expect(grants.unsetPrincipal('bob')).toBe(0)
      grants.allow(BOB_READS)
      grants.allow({ principal: 'bob', role: READER })
      grants.allow({ principal: 'ada', role: READER })
      expect(grants.unsetPrincipal('bob')).toBe(2)
      expect(grants.size).toBe(1)
    })
  })

  test('are there when the database is opened again, and in copies', async () => {
    const open = aMemoryPlace()
    const db = await open()
    secure(db)
    await db.transaction(({ root }) => grantsOf(root.set('office', new Folder())).allow(BOB_READS))
    await db.close()
    const again = await open()
    secure(again)
    await again.transaction(({ root }) => {
      const office = root.getItem('office')
      expect(grantsOf(office).setting(BOB_READS)).toBe('allow')
      const copy = root.set('copy', copyOf(office))
      grantsOf(office).unset(BOB_READS)
      expect(grantsOf(copy).setting(BOB_READS)).toBe('allow')
    })
  })

  test('two transactions that grant to different principals do not conflict', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => grantsOf(placesIn(root).office).allow(BOB_READS))
    await race(
      db,
      (root) => grantsOf(placesIn(root).office).allow({ principal: 'ada', permission: READ }),
      (root) => grantsOf(placesIn(root).office).allow({ principal: 'eve', permission: WRITE }),
    )
    await db.view(({ root }) => expect(grantsOf(placesIn(root).office).size).toBe(3))
  })

  test('name what is registered, and ids that can be', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const grants = grantsOf(placesIn(root).office)
      const codes = [
        () => grants.allow({ principal: 'bob', permission: 'typo' }),
        () => grants.deny({ role: 'typo', permission: READ }),
        () => grants.allow({ principal: 'bob smith', permission: READ }),
        () => grants.allow({ principal: 'bob' } as never),
        () => grants.allow({ ...BOB_READS, role: READER } as never),
        () => grants.allow(undefined as never),
        () => grants.deny({ principal: 'bob', role: ROLE_ANONYMOUS }),
        () => grants.deny({ principal: 'bob', permission: PERMISSION_PUBLIC }),
      ].map(codeOfThrown)
      expect(codes).toEqual([
        'SECURITY_UNKNOWN_PERMISSION',
        'SECURITY_UNKNOWN_ROLE',
        'SECURITY_INVALID_ID',
        'SECURITY_INVALID_GRANT',
        'SECURITY_INVALID_GRANT',
        'SECURITY_INVALID_GRANT',
        'SECURITY_INVALID_GRANT',
        'SECURITY_INVALID_GRANT',
      ])
      expect(grants.size).toBe(0)
    })
  })

  test('what is no longer registered can be taken back', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      expect(grantsOf(placesIn(root).office).unset({ principal: 'bob', permission: 'gone' })).toBe(
        false,
      )
    })
  })

  test('objects that keep no annotations have none', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      expect(() => grantsOf(placesIn(root).paper)).toThrow(
        /\/office\/desk\/paper .*cannot keep grants/,
      )
      expect(codeOfThrown(() => grantsOf({}))).toBe('SECURITY_INVALID_GRANT')
    })
  })
})
