import { describe, expect, test } from '@jest/globals'
import { GroupInfo, type IAuthentication, PrincipalInfo } from '../../lib/security/index.js'
import { newSubject } from '../../lib/security/subject.js'
import { codeOfThrown } from '../support/content-builders.js'

/** Knows groups, each with the groups that it is in. */
function knowing(groups: Readonly<Record<string, readonly string[]>>): IAuthentication[] {
  return [
    {
      queryPrincipal: (id) =>
        groups[id] === undefined ? undefined : new GroupInfo(id, { groups: groups[id] }),
    },
  ]
}

const bob = new PrincipalInfo('bob', { groups: ['a', 'b'] })

describe('Subject', () => {
  test('has the groups of its groups', () => {
    const { groupsOf } = newSubject(bob, knowing({ a: ['c'], b: [], c: [] }))
    expect(Object.fromEntries(groupsOf)).toEqual({ bob: ['a', 'b'], a: ['c'], b: [], c: [] })
  })

  test('groups that nobody knows are left out', () => {
    expect(Object.fromEntries(newSubject(bob, knowing({ b: ['x'] })).groupsOf)).toEqual({
      bob: ['b'],
      b: [],
    })
  })

  test('groups in a circle, and in themselves, do no harm', () => {
    const { groupsOf } = newSubject(bob, knowing({ a: ['b', 'a'], b: ['a', 'bob'] }))
    expect([...groupsOf.keys()].sort()).toEqual(['a', 'b', 'bob'])
  })

  test('many paths to the same groups cost no more than the groups', () => {
    const layers: Record<string, string[]> = {}
    for (let i = 0; i < 40; i++) {
      layers[`l${i}`] = layers[`r${i}`] = i === 39 ? [] : [`l${i + 1}`, `r${i + 1}`]
    }
    expect(
      newSubject(new PrincipalInfo('bob', { groups: ['l0'] }), knowing(layers)).groupsOf.size,
    ).toBe(80)
  })

  test('the groups that an authentication knows take the place of its own', () => {
    const { groupsOf } = newSubject(bob, knowing({ bob: ['c'], a: [], b: [], c: [] }))
    expect(groupsOf.get('bob')).toEqual(['c'])
  })

  test('alike ones have the same key, others another', () => {
    const one = knowing({ a: ['c'], b: [], c: [] })
    const other = knowing({ a: [], b: ['c'], c: [] })
    expect(newSubject(bob, one).key).toBe(newSubject(bob, knowing({ c: [], b: [], a: ['c'] })).key)
    expect(newSubject(bob, one).key).not.toBe(newSubject(bob, other).key)
    expect(newSubject(new PrincipalInfo('bob'), []).key).toBe('bob')
  })

  test('a group has an id that can be one', () => {
    const odd = { id: 'bob', title: '', groups: ['a b'] }
    expect(codeOfThrown(() => newSubject(odd, []))).toBe('SECURITY_INVALID_ID')
  })
})
