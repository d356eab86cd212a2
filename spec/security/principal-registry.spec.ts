import { afterEach, describe, expect, test } from '@jest/globals'
import { provides, registryScope } from '../../lib/component/index.js'
import { IObjectRemovedEvent } from '../../lib/content/index.js'
import { IGroup, IPrincipal, PrincipalRegistry, systemPrincipal } from '../../lib/security/index.js'
import { closeDatabases, codeOfThrown } from '../support/content-builders.js'
import { anOffice } from '../support/security-builders.js'

afterEach(closeDatabases)

describe('Principal registry', () => {
  test('knows what was defined, and the system', () => {
    const principals = new PrincipalRegistry()
    const bob = principals.define('bob', { title: 'Bob' })
    const staff = principals.defineGroup('staff')
    expect(principals.queryPrincipal('bob')).toBe(bob)
    expect(provides(staff, IGroup)).toBe(true)
    expect([...principals]).toEqual([systemPrincipal, bob, staff])
    expect(principals.queryPrincipal('ada')).toBeUndefined()
  })

  test('an id is taken once', () => {
    const principals = new PrincipalRegistry()
    principals.define('bob')
    const taken = [
      () => principals.define('bob'),
      () => principals.defineGroup('bob'),
      () => principals.defineUnauthenticated('bob'),
      () => principals.define(systemPrincipal.id),
    ].map(codeOfThrown)
    expect(new Set(taken)).toEqual(new Set(['SECURITY_DUPLICATE_PRINCIPAL']))
    expect(principals.unauthenticatedPrincipal).toBeUndefined()
  })

  test('has one unauthenticated principal, the last defined', () => {
    const principals = new PrincipalRegistry()
    principals.defineUnauthenticated('zope.anybody')
    const guest = principals.defineUnauthenticated('guest')
    expect(principals.unauthenticatedPrincipal).toBe(guest)
    expect(principals.queryPrincipal('zope.anybody')).toBeUndefined()
    principals.defineUnauthenticated('guest', { title: 'Guest' })
    expect(principals.queryPrincipal('guest')?.title).toBe('Guest')
    principals.remove('guest')
    expect(principals.unauthenticatedPrincipal).toBeUndefined()
  })

  test('groups can change; the kind stays', () => {
    const principals = new PrincipalRegistry()
    principals.defineGroup('staff', { title: 'Staff' })
    const before = principals.stamp
    principals.setGroups('staff', ['everyone'])
    expect(principals.queryPrincipal('staff')).toMatchObject({
      title: 'Staff',
      groups: ['everyone'],
    })
    expect(provides(principals.queryPrincipal('staff'), IGroup)).toBe(true)
    expect(principals.stamp).not.toBe(before)
    expect(codeOfThrown(() => principals.setGroups('ada', []))).toBe('SECURITY_UNKNOWN_PRINCIPAL')
  })

  test('tells when a principal is removed', async () => {
    const { db } = await anOffice()
    const removed: string[] = []
    db.registry.registerHandler((principal) => void removed.push(principal.id), {
      for: [IPrincipal, IObjectRemovedEvent],
    })
    const principals = new PrincipalRegistry()
    principals.define('bob')
    registryScope.run(db.registry, () => {
      expect(principals.remove('bob')).toBe(true)
      expect(principals.remove('bob')).toBe(false)
      expect(principals.remove(systemPrincipal.id)).toBe(false)
    })
    expect(removed).toEqual(['bob'])
    expect(principals.queryPrincipal('bob')).toBeUndefined()
  })
})
