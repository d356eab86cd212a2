import { type ComponentRegistry, implementer } from '../component/index.js'
import { GrantTree } from './grant-tree.js'
import { PlaceGrants } from './grants.js'
import { IGlobalGrants } from './interfaces.js'
import { getRole } from './role.js'

/**
 * The grants of a whole database, in memory: what the program says in each run, and what no object
 * above says otherwise. Register one as a utility for `IGlobalGrants`; `Database.open` does.
 *
 * Source: `principalPermissionManager`, `principalRoleManager` and `rolePermissionManager` of
 * `zope.securitypolicy`, one each for a whole process. Its `grantAll` names the permissions that there
 * are when it is called; here those that come later count, too.
 * @public
 */
@implementer(IGlobalGrants)
export class GlobalGrants extends PlaceGrants {
  /** The rows; in no database. */
  readonly tree: GrantTree
  readonly #registry: ComponentRegistry
  readonly #almighty = new Set<string>()
  #stamp = 0

  /** @param registry - has the permissions and roles that can be named. */
  constructor(registry: ComponentRegistry) {
    const tree = new GrantTree()
    super({ context: registry, query: () => tree, make: () => tree })
    this.tree = tree
    this.#registry = registry
  }

  /**
   * Who has this role may do everything; a denial for one permission still counts.
   * @throws SECURITY_UNKNOWN_ROLE
   */
  allowEverything(roleId: string): void {
    getRole(roleId, { context: this.#registry })
    this.#almighty.add(roleId)
    this.changed()
  }

  /** @returns whether it was allowed. */
  unsetEverything(roleId: string): boolean {
    const wasThere = this.#almighty.delete(roleId)
    if (wasThere) this.changed()
    return wasThere
  }

  /** Differs after each change. */
  get stamp(): number {
    return this.#stamp
  }

  protected override changed(): void {
    this.#stamp++
    super.changed()
  }

  /** The roles that may do everything. */
  get almighty(): ReadonlySet<string> {
    return this.#almighty
  }
}
