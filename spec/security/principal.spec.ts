import { describe, expect, test } from '@jest/globals'
import { provides } from '../../lib/component/index.js'
import {
  Group,
  GroupInfo,
  IGroup,
  IPrincipal,
  IUnauthenticatedPrincipal,
  Principal,
  PrincipalFolder,
  PrincipalInfo,
  systemPrincipal,
  UnauthenticatedPrincipalInfo,
} from '../../lib/security/index.js'
import { codeOfThrown } from '../support/content-builders.js'

describe('Principal', () => {
  test('its id is its folder’s prefix and its name', () => {
    const folder = Object.assign(new PrincipalFolder(), { prefix: 'office.' })
    const bob = new Principal({ title: 'Bob' })
    expect(bob.id).toBe('')
    folder.set('bob', bob)
    expect(bob.id).toBe('office.bob')
  })

  test('its groups are ids, each once, and handed out as a copy', () => {
    const bob = new Principal({ groups: ['a', 'b', 'a'] })
    expect(bob.groups).toEqual(['a', 'b'])
    expect(() => (bob.groups as string[]).push('c')).toThrow()
    bob.groups = ['c']
    expect(bob.groups).toEqual(['c'])
    expect(codeOfThrown(() => new Principal({ groups: ['a b'] }))).toBe('SECURITY_INVALID_ID')
  })

  test('a group is a principal', () => {
    expect(provides(new Group(), IGroup)).toBe(true)
    expect(provides(new Group(), IPrincipal)).toBe(true)
    expect(provides(new Principal(), IGroup)).toBe(false)
  })

  test('as a value it is frozen', () => {
    const bob = new PrincipalInfo('bob', { groups: ['a'] })
    expect({ ...bob }).toEqual({ id: 'bob', title: 'bob', description: '', groups: ['a'] })
    expect(Object.isFrozen(bob) && Object.isFrozen(bob.groups)).toBe(true)
    expect(codeOfThrown(() => new PrincipalInfo(''))).toBe('SECURITY_INVALID_ID')
    expect(provides(new GroupInfo('g'), IGroup)).toBe(true)
    expect(provides(new UnauthenticatedPrincipalInfo('u'), IUnauthenticatedPrincipal)).toBe(true)
    expect(systemPrincipal.id).toBe('zope.security.management.system_user')
  })
})
