import { afterEach, describe, expect, test } from '@jest/globals'
import {
  checkPermission,
  decide,
  grantsOf,
  Interaction,
  PERMISSION_PUBLIC,
  PERMISSION_VIEW,
  PrincipalInfo,
  ROLE_ANONYMOUS,
  requirePermission,
  runInInteraction,
} from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice, asBob, bob, placesIn, READ, WRITE } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Asking for a permission', () => {
  test('says whether those who act have it', async () => {
    await asBob(await anOffice(), ({ office, paper }) => {
      expect(checkPermission(READ, paper)).toBe(false)
      grantsOf(office).allow({ principal: 'bob', permission: READ })
      expect(checkPermission(READ, paper)).toBe(true)
    })
  })

  test('needs an interaction, unless it is for what is public', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      expect(codeOfThrown(() => checkPermission(READ, root))).toBe('SECURITY_NO_INTERACTION')
      expect(checkPermission(PERMISSION_PUBLIC, root)).toBe(true)
    })
  })

  test('that must be there is an error that names who, what and where', async () => {
    await asBob(await anOffice(), ({ office, paper }) => {
      expect(() => requirePermission(READ, paper)).toThrow(
        /^bob has no permission spec.Read on .* at \/office\/desk\/paper/,
      )
      expect(codeOfThrown(() => requirePermission(READ, paper))).toBe('SECURITY_UNAUTHORIZED')
      expect(codeOfThrown(() => requirePermission('typo', paper))).toBe(
        'SECURITY_UNKNOWN_PERMISSION',
      )
      grantsOf(office).allow({ principal: 'bob', permission: READ })
      expect(() => requirePermission(READ, paper)).not.toThrow()
    })
  })
})

describe('Deciding for somebody who is absent', () => {
  test('without an owner everything is granted', async () => {
    const { db } = await anOffice()
    await db.view(({ root }) => {
      expect(decide(root, {})).toBe('granted')
      expect(decide(root, { permissionId: WRITE })).toBe('granted')
    })
  })

  test('is granted or denied by the policy, for viewing by default', async () => {
    const { db, principals } = await anOffice()
    principals.define('bob')
    await db.transaction(({ root }) => {
      const { office, paper } = placesIn(root)
      expect(decide(paper, { principalId: 'bob', permissionId: READ })).toBe('denied')
      grantsOf(office).allow({ principal: 'bob', permission: READ })
      expect(decide(paper, { principalId: 'bob', permissionId: READ })).toBe('granted')
      expect(decide(paper, { principalId: 'bob' })).toBe('granted')
      grantsOf(office).deny({ principal: 'bob', permission: PERMISSION_VIEW })
      expect(decide(paper, { principalId: 'bob' })).toBe('denied')
    })
  })

  test('cannot be said when the principal or the permission is unknown', async () => {
    const { db, principals } = await anOffice()
    await db.view(({ root }) => {
      expect(decide(root, { principalId: 'bob' })).toBe('undecidable')
      principals.define('bob')
      expect(decide(root, { principalId: 'bob', permissionId: 'typo' })).toBe('undecidable')
      expect(decide(root, { principalId: 'bob' })).toBe('granted')
    })
  })

  test('an unknown principal may count as one who has not said who it is', async () => {
    const { db } = await anOffice()
    await db.transaction(({ root }) => {
      const options = { principalId: 'nobody', fallbackToUnauthenticated: true }
      expect(decide(root, options)).toBe('granted')
      grantsOf(root).deny({ role: ROLE_ANONYMOUS, permission: PERMISSION_VIEW })
      expect(decide(root, options)).toBe('denied')
    })
  })

  test('in a running interaction all who act must be allowed as well; it is as before afterwards', async () => {
    const { db, principals } = await anOffice()
    principals.define('owner')
    await db.transaction(({ root }) => {
      grantsOf(root).allow({ principal: 'owner', permission: READ })
      const acting = new Interaction(new PrincipalInfo('actor'))
      const decision = () => decide(root, { principalId: 'owner', permissionId: READ })
      expect(decision()).toBe('granted')
      expect(runInInteraction(acting, decision)).toBe('denied')
      grantsOf(root).allow({ principal: 'actor', permission: READ })
      expect(runInInteraction(acting, decision)).toBe('granted')
      expect(acting.participations.map(({ principal }) => principal.id)).toEqual(['actor'])
      expect(acting.isAllowed(READ, root)).toBe(true)
      expect(runInInteraction(bob, decision)).toBe('denied')
    })
  })
})
