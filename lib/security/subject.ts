import { askAll } from './find-principal.js'
import { assertId } from './ids.js'
import type { IAuthentication, IPrincipal } from './interfaces.js'

/**
 * A principal with all groups that it is in, directly or over other groups: what grants can be about
 * when it asks. Groups that nobody knows are left out, as are ways back to where they began.
 */
export interface Subject {
  readonly id: string
  /** Of the principal and of each group: the known groups that it is in. */
  readonly groupsOf: ReadonlyMap<string, readonly string[]>
  /** Equal for subjects that are alike. */
  readonly key: string
}

/**
 * What authentications say of a principal's groups counts; its own `groups` do when none knows it.
 * @throws SECURITY_INVALID_ID when a group's id is none.
 */
export function newSubject(
  principal: IPrincipal,
  authentications: readonly IAuthentication[],
): Subject {
  const { id } = principal
  const groupsOf = new Map<string, readonly string[]>([[id, []]])
  const rest: [id: string, principal: IPrincipal][] = [
    [id, askAll(authentications, id) ?? principal],
  ]
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    const [member, { groups = [] }] = at
    const known: string[] = []
    for (const group of groups) {
      assertId(group, 'a group')
      const found = askAll(authentications, group)
      if (found === undefined) continue
      known.push(group)
      if (groupsOf.has(group)) continue
      groupsOf.set(group, [])
      rest.push([group, found])
    }
    groupsOf.set(member, known)
  }
  return { id, groupsOf, key: keyOf(id, groupsOf) }
}

/** Ids have no whitespace, so no two subjects have one key. */
function keyOf(id: string, groupsOf: ReadonlyMap<string, readonly string[]>): string {
  if (groupsOf.size === 1) return id
  const lines = [...groupsOf].map(([one, groups]) => [one, ...groups].join(' '))
  return [id, ...lines.sort()].join('\n')
}
