import {
  annotationTreeOf,
  describe,
  IAttributeAnnotatable,
  setAnnotationTree,
} from '../content/index.js'
import { BTree, isPersistent, type Persistent } from '../persistence/index.js'
import { grantChanges } from './changes.js'
import { InvalidGrantError } from './errors.js'
import { GrantTree, grantOf, keyOf, keysOfPrincipal } from './grant-tree.js'
import { assertId } from './ids.js'
import type { Grant, GrantRow, Grants, Setting } from './interfaces.js'
import { getPermission, PERMISSION_PUBLIC } from './permission.js'
import { getRole, ROLE_ANONYMOUS } from './role.js'

/**
 * The grants and denials of one object, which count for everything below it, too. They are an
 * annotation: stored with the object at the first grant, and copied, moved, exported and removed with
 * it. Who may change them is the caller's to ask: see `requirePermission(PERMISSION_SECURITY, …)`.
 *
 * ```ts
 * grantsOf(office).allow({ principal: 'bob', permission: PERMISSION_VIEW })
 * grantsOf(office).deny({ role: 'office.Guest', permission: PERMISSION_VIEW })
 * ```
 *
 * Principals need not be known: they may come from elsewhere, or later.
 *
 * @throws SECURITY_INVALID_GRANT when the object keeps no annotations itself.
 * @public
 */
export function grantsOf(object: object): Grants {
  if (!keepsGrants(object)) {
    throw new InvalidGrantError(
      `${describe(object)} cannot keep grants: decorate its class with @annotatable, or grant on what it is in`,
    )
  }
  return new PlaceGrants({
    context: object,
    query: () => {
      const annotations = annotationTreeOf(object)
      return annotations && grantTreeIn(annotations)
    },
    make: () => makeGrantTree(object),
  })
}

/** On disk: the annotation that keeps an object's grants. */
const GRANTS_KEY = 'treehook.grants'

/** What is kept of grants among an object's annotations; `undefined` as long as there never were any. */
export function grantTreeIn(annotations: BTree<string, unknown>): GrantTree | undefined {
  return annotations.get(GRANTS_KEY) as GrantTree | undefined
}

function makeGrantTree(object: Persistent): GrantTree {
  const tree = new GrantTree()
  const annotations = annotationTreeOf(object)
  if (annotations !== undefined) annotations.set(GRANTS_KEY, tree)
  else setAnnotationTree(object, new BTree<string, unknown>().set(GRANTS_KEY, tree))
  return tree
}

/**
 * True for objects that keep their annotations themselves. An adapter that keeps them elsewhere does
 * not count: it would be another one in each registry, and a grant must mean the same to everyone.
 */
export function keepsGrants(object: object): object is Persistent {
  return (
    typeof object === 'object' &&
    object !== null &&
    isPersistent(object) &&
    IAttributeAnnotatable.providedBy(object)
  )
}

/** Where the rows of a place are. */
export interface GrantSource {
  /** Whose place decides which permissions and roles there are. */
  readonly context: unknown
  query(): GrantTree | undefined
  make(): GrantTree
}

/** The rows of one place, with all checks. */
export class PlaceGrants implements Grants {
  readonly #source: GrantSource

  constructor(source: GrantSource) {
    this.#source = source
  }

  /** Called after each change. */
  protected changed(): void {
    grantChanges.raise()
  }

  allow(grant: Grant): void {
    this.#set(grant, 'allow')
  }

  deny(grant: Grant): void {
    if (grant.principal !== undefined && grant.role === ROLE_ANONYMOUS) {
      throw new InvalidGrantError(
        `Everybody has the role ${ROLE_ANONYMOUS}, and it cannot be taken away from ${JSON.stringify(grant.principal)}; deny a permission instead`,
      )
    }
    if (grant.permission === PERMISSION_PUBLIC) {
      throw new InvalidGrantError(`The permission ${PERMISSION_PUBLIC} cannot be denied to anyone`)
    }
    this.#set(grant, 'deny')
  }

  unset(grant: Grant): boolean {
    assertGrant(grant)
    const wasThere = this.#source.query()?.delete(keyOf(grant)) ?? false
    if (wasThere) this.changed()
    return wasThere
  }

  setting(grant: Grant): Setting {
    assertGrant(grant)
    return this.#source.query()?.get(keyOf(grant)) ?? 'unset'
  }

  unsetPrincipal(principalId: string): number {
    assertId(principalId, 'a principal')
    const tree = this.#source.query()
    const count = tree === undefined ? 0 : forgetPrincipal(tree, principalId)
    if (count > 0) this.changed()
    return count
  }

  get size(): number {
    return this.#source.query()?.size ?? 0
  }

  *[Symbol.iterator](): Generator<GrantRow, void, undefined> {
    for (const [key, setting] of this.#source.query() ?? []) yield { grant: grantOf(key), setting }
  }

  #set(grant: Grant, setting: 'allow' | 'deny'): void {
    assertGrant(grant)
    const { context } = this.#source
    if (grant.permission !== undefined) getPermission(grant.permission, { context })
    if (grant.role !== undefined) getRole(grant.role, { context })
    const key = keyOf(grant)
    const tree = this.#source.query()
    if (tree?.get(key) === setting) return
    ;(tree ?? this.#source.make()).set(key, setting)
    this.changed()
  }
}

/** Takes out all rows about a principal. @returns how many. */
export function forgetPrincipal(tree: GrantTree, principalId: string): number {
  const keys = keysOfPrincipal(tree, principalId)
  for (const key of keys) tree.delete(key)
  if (keys.length > 0) grantChanges.raise()
  return keys.length
}

function assertGrant(grant: Grant): void {
  const { principal, permission, role } = (grant ?? {}) as Grant
  if ([principal, permission, role].filter((one) => one !== undefined).length !== 2) {
    throw new InvalidGrantError(
      'A grant names two of three: { principal, permission }, { principal, role } or { role, permission }',
    )
  }
  if (principal !== undefined) assertId(principal, 'a principal')
  if (permission !== undefined) assertId(permission, 'a permission')
  if (role !== undefined) assertId(role, 'a role')
}
