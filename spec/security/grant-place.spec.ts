import { describe, expect, test } from '@jest/globals'
import { GrantPlace } from '../../lib/security/grant-place.js'
import { GrantTree, keyOf } from '../../lib/security/grant-tree.js'
import type { Grant } from '../../lib/security/index.js'
import type { Subject } from '../../lib/security/subject.js'

function treeOf(...allowed: readonly Grant[]): GrantTree {
  const tree = new GrantTree()
  for (const grant of allowed) tree.set(keyOf(grant), 'allow')
  return tree
}

const bob: Subject = { id: 'bob', groupsOf: new Map([['bob', []]]), key: 'bob' }
const NOBODY = new Set<string>()

describe('Place with grants', () => {
  test('asks the places above', () => {
    const database = GrantPlace.ofDatabase({
      tree: treeOf({ principal: 'bob', permission: 'p' }),
      almighty: NOBODY,
    })
    const place = GrantPlace.of(treeOf({ principal: 'ada', permission: 'p' }), database)
    expect(place.isAllowed(bob, 'p')).toBe(true)
    expect(place.isAllowed(bob, 'q')).toBe(false)
  })

  test('remembers what it decided: who changes a row takes another place', () => {
    const tree = treeOf()
    const place = GrantPlace.ofDatabase({ tree, almighty: NOBODY })
    expect(place.isAllowed(bob, 'p')).toBe(false)
    tree.set(keyOf({ principal: 'bob', permission: 'p' }), 'allow')
    expect(place.isAllowed(bob, 'p')).toBe(false)
    expect(GrantPlace.ofDatabase({ tree, almighty: NOBODY }).isAllowed(bob, 'p')).toBe(true)
  })

  test('remembers a bounded number of decisions, and is right beyond', () => {
    const place = GrantPlace.ofDatabase({
      tree: treeOf({ principal: 'bob', permission: 'p' }),
      almighty: NOBODY,
    })
    for (let i = 0; i < 10_050; i++) {
      const id = `nobody${i}`
      expect(place.isAllowed({ id, groupsOf: new Map([[id, []]]), key: id }, 'p')).toBe(false)
    }
    expect(place.isAllowed(bob, 'p')).toBe(true)
  })

  test('subjects with the same id and other groups are told apart', () => {
    const place = GrantPlace.ofDatabase({
      tree: treeOf({ principal: 'g', permission: 'p' }),
      almighty: NOBODY,
    })
    const groupsOf = new Map([
      ['bob', ['g']],
      ['g', []],
    ])
    expect(place.isAllowed(bob, 'p')).toBe(false)
    expect(place.isAllowed({ id: 'bob', groupsOf, key: 'bob in g' }, 'p')).toBe(true)
  })
})
