import { type GrantTree, permissionSetting, roleSetting, rolesOfPermission } from './grant-tree.js'
import type { IGlobalGrants } from './interfaces.js'
import { ROLE_ANONYMOUS } from './role.js'
import type { Subject } from './subject.js'

/**
 * One place that has grants, and the next one above it: an object's, or at the end those of the whole
 * database. What it decides depends on the rows of the chain alone, and is remembered: when a row
 * changes, another place takes this one's stead.
 *
 * 1. What is said of the principal and the permission counts, the nearest place first.
 * 2. Else what is said of groups that it is in: an `allow` of any of them before all denials. A group
 *    that says something hides the groups that it is in.
 * 3. Else roles. Which roles have the permission is said from above to below, each place adding and
 *    taking away; whether the principal has a role is found as in 1 and 2. One that fits is enough.
 * 4. Else it is denied.
 *
 * Source: `zope.securitypolicy.zopepolicy`, checked against its `zopepolicy.txt`.
 */
export class GrantPlace {
  readonly #tree: GrantTree
  readonly #above: GrantPlace | undefined
  readonly #almighty: ReadonlySet<string> | undefined
  readonly #decisions = new Map<string, Map<string, boolean>>() // subject's key → permission → decision
  #size = 0

  static of(tree: GrantTree, above: GrantPlace): GrantPlace {
    return new GrantPlace(tree, above, undefined)
  }

  /** Where chains end. */
  static ofDatabase({ tree, almighty }: Pick<IGlobalGrants, 'tree' | 'almighty'>): GrantPlace {
    return new GrantPlace(tree, undefined, almighty)
  }

  private constructor(
    tree: GrantTree,
    above: GrantPlace | undefined,
    almighty: ReadonlySet<string> | undefined,
  ) {
    this.#tree = tree
    this.#above = above
    this.#almighty = almighty
  }

  isAllowed(subject: Subject, permissionId: string): boolean {
    return (
      this.#decisions.get(subject.key)?.get(permissionId) ?? this.#decide(subject, permissionId)
    )
  }

  #decide(subject: Subject, permissionId: string): boolean {
    const said = verdict(subject, (id) => this.#permission(id, permissionId))
    const decision = said ?? this.#isAllowedByRole(subject, permissionId)
    this.#remember(subject.key, permissionId, decision)
    return decision
  }

  #isAllowedByRole(subject: Subject, permissionId: string): boolean {
    for (const role of this.#rolesWith(permissionId)) {
      if (verdict(subject, (id) => this.#role(id, role))) return true
    }
    return false
  }

  #permission(id: string, permissionId: string): boolean | undefined {
    for (let at: GrantPlace | undefined = this; at !== undefined; at = at.#above) {
      const setting = permissionSetting(at.#tree, id, permissionId)
      if (setting !== undefined) return setting === 'allow'
    }
    return undefined
  }

  #role(id: string, role: string): boolean | undefined {
    if (role === ROLE_ANONYMOUS) return true
    for (let at: GrantPlace | undefined = this; at !== undefined; at = at.#above) {
      const setting = roleSetting(at.#tree, id, role)
      if (setting !== undefined) return setting === 'allow'
    }
    return undefined
  }

  #rolesWith(permissionId: string): Set<string> {
    const above = this.#above
    const roles = above === undefined ? new Set(this.#almighty) : above.#rolesWith(permissionId)
    for (const [role, setting] of rolesOfPermission(this.#tree, permissionId)) {
      if (setting === 'allow') roles.add(role)
      else roles.delete(role)
    }
    return roles
  }

  /** Bounded: there may be any number of principals. */
  #remember(key: string, permissionId: string, decision: boolean): void {
    if (++this.#size > MOST_DECISIONS) {
      this.#decisions.clear()
      this.#size = 1
    }
    const known = this.#decisions.get(key)
    if (known === undefined) this.#decisions.set(key, new Map([[permissionId, decision]]))
    else known.set(permissionId, decision)
  }
}

const MOST_DECISIONS = 10_000

/**
 * What is said of a subject: of itself, else of any group that is reached over those of whom nothing is
 * said. One yes is enough; without any, one no.
 */
function verdict(
  { id, groupsOf }: Subject,
  saidOf: (id: string) => boolean | undefined,
): boolean | undefined {
  const own = saidOf(id)
  if (own !== undefined || groupsOf.size === 1) return own
  const seen = new Set([id])
  const rest = [...(groupsOf.get(id) ?? [])]
  let isDenied = false
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    if (seen.has(at)) continue
    seen.add(at)
    const said = saidOf(at)
    if (said === true) return true
    if (said === false) isDenied = true
    else rest.push(...(groupsOf.get(at) ?? []))
  }
  return isDenied ? false : undefined
}
