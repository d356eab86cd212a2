import { BTree, type Key, stored } from '../persistence/index.js'
import type { Grant } from './interfaces.js'

/**
 * The rows of one place:
 *
 * | key                                    | says                                    |
 * | -------------------------------------- | --------------------------------------- |
 * | `['permission', principal, permission]` | the principal has the permission        |
 * | `['role', principal, role]`             | the principal has the role              |
 * | `['rolePermission', permission, role]`  | who has the role has the permission     |
 *
 * A row is `'allow'` or `'deny'`. Any number: two transactions that write different rows never
 * conflict.
 *
 * Source: `zope.securitypolicy.securitymap`, three maps, each in one record.
 */
@stored('treehook.Grants')
export class GrantTree extends BTree<Key, StoredSetting> {}

export type StoredSetting = 'allow' | 'deny'

/** The key of a grant's row. */
export function keyOf({ principal, permission, role }: Grant): Key {
  if (principal === undefined) return ['rolePermission', permission as string, role as string]
  return permission === undefined
    ? ['role', principal, role as string]
    : ['permission', principal, permission]
}

/** The grant of a row. */
export function grantOf(key: Key): Grant {
  const [kind, first, second] = key as readonly [string, string, string]
  if (kind === 'rolePermission') return { role: second, permission: first }
  return kind === 'role'
    ? { principal: first, role: second }
    : { principal: first, permission: second }
}

/** What is said of one principal and permission. */
export function permissionSetting(
  tree: GrantTree,
  principalId: string,
  permissionId: string,
): StoredSetting | undefined {
  return tree.get(['permission', principalId, permissionId])
}

/** What is said of one principal and role. */
export function roleSetting(
  tree: GrantTree,
  principalId: string,
  roleId: string,
): StoredSetting | undefined {
  return tree.get(['role', principalId, roleId])
}

/** The roles of which is said that they have a permission, or have it not. */
export function* rolesOfPermission(
  tree: GrantTree,
  permissionId: string,
): Generator<readonly [role: string, setting: StoredSetting], void, undefined> {
  for (const [key, setting] of tree.entries(rangeOf('rolePermission', permissionId))) {
    yield [(key as readonly string[])[2] as string, setting]
  }
}

/** The keys of the rows that are about a principal. */
export function keysOfPrincipal(tree: GrantTree, principalId: string): Key[] {
  return [
    ...tree.keys(rangeOf('permission', principalId)),
    ...tree.keys(rangeOf('role', principalId)),
  ]
}

function rangeOf(kind: string, id: string): { readonly min: Key; readonly max: Key } {
  return { min: [kind, id], max: [kind, id, LAST] }
}

/** After every text. */
const LAST: Key = []
