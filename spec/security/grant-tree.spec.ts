import { describe, expect, test } from '@jest/globals'
import {
  GrantTree,
  grantOf,
  keyOf,
  keysOfPrincipal,
  permissionSetting,
  roleSetting,
  rolesOfPermission,
} from '../../lib/security/grant-tree.js'
import type { Grant } from '../../lib/security/index.js'

const GRANTS: readonly Grant[] = [
  { principal: 'bob', permission: 'p' },
  { principal: 'bob', role: 'r' },
  { role: 'r', permission: 'p' },
]

describe('Grant tree', () => {
  test('a grant has one key, and a key one grant', () => {
    for (const grant of GRANTS) expect(grantOf(keyOf(grant))).toEqual(grant)
    expect(new Set(GRANTS.map((grant) => JSON.stringify(keyOf(grant)))).size).toBe(3)
  })

  test('answers for a principal, and for the roles of a permission', () => {
    const tree = new GrantTree()
    for (const grant of GRANTS) tree.set(keyOf(grant), 'allow')
    tree.set(keyOf({ role: 'other', permission: 'p' }), 'deny')
    tree.set(keyOf({ role: 'other', permission: 'p2' }), 'allow')
    expect(permissionSetting(tree, 'bob', 'p')).toBe('allow')
    expect(permissionSetting(tree, 'bo', 'p')).toBeUndefined()
    expect(roleSetting(tree, 'bob', 'r')).toBe('allow')
    expect([...rolesOfPermission(tree, 'p')]).toEqual([
      ['other', 'deny'],
      ['r', 'allow'],
    ])
  })

  test('finds the rows of a principal, and not those of one whose id begins alike', () => {
    const tree = new GrantTree()
    for (const grant of GRANTS) tree.set(keyOf(grant), 'allow')
    tree.set(keyOf({ principal: 'bobby', permission: 'p' }), 'allow')
    expect(keysOfPrincipal(tree, 'bob').map(grantOf)).toEqual(GRANTS.slice(0, 2))
  })
})
