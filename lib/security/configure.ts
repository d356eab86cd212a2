import type { ComponentRegistry } from '../component/index.js'
import { GlobalGrants } from './global-grants.js'
import { IAuthentication, IGlobalGrants, IPermission, IRole } from './interfaces.js'
import * as ids from './permission.js'
import { Permission } from './permission.js'
import { PrincipalRegistry } from './principal-registry.js'
import { ROLE_ANONYMOUS, ROLE_MANAGER, ROLE_MEMBER, Role } from './role.js'

/** What this layer registers with a database, and where programs say what counts for all of it. @public */
export interface Security {
  /** Grants and denials for the whole database, in memory. */
  readonly grants: GlobalGrants
  /** Principals that the program defines, in memory. */
  readonly principals: PrincipalRegistry
}

/**
 * Registers permissions and roles, the grants of the whole database and a registry of principals:
 * plays the part of `configure.zcml`. Everybody may view, and managers may do everything; take that
 * back with `security.grants` where it is too much.
 *
 * Source: `permissions.zcml` of `zope.security` and of `nti.webhooks`, `securitypolicy.zcml` of
 * `zope.securitypolicy`.
 */
export function configureSecurity(registry: ComponentRegistry): Security {
  for (const [id, title] of PERMISSIONS) {
    registry.registerUtility(new Permission(id, { title }), { provides: IPermission, name: id })
  }
  for (const [id, title] of ROLES) {
    registry.registerUtility(new Role(id, { title }), { provides: IRole, name: id })
  }
  const grants = new GlobalGrants(registry)
  grants.allow({ role: ROLE_ANONYMOUS, permission: ids.PERMISSION_VIEW })
  grants.allowEverything(ROLE_MANAGER)
  const principals = new PrincipalRegistry()
  principals.defineUnauthenticated(UNAUTHENTICATED, { title: 'Unauthenticated User' })
  registry.registerUtility(grants, { provides: IGlobalGrants })
  registry.registerUtility(principals, { provides: IAuthentication })
  return { grants, principals }
}

/** The id of the principal of those who have not said who they are. */
const UNAUTHENTICATED = 'zope.anybody'

const PERMISSIONS: readonly (readonly [id: string, title: string])[] = [
  [ids.PERMISSION_PUBLIC, 'Public'],
  [ids.PERMISSION_VIEW, 'View'],
  [ids.PERMISSION_SECURITY, 'Change security settings'],
  [ids.PERMISSION_MANAGE_CONTENT, 'Manage Content'],
  [ids.PERMISSION_MANAGE_SERVICES, 'Manage Services'],
  [ids.PERMISSION_MANAGE_SITE, 'Manage Site'],
  [ids.PERMISSION_CREATE, 'Create new object'],
  [ids.PERMISSION_DELETE, 'Delete existing object'],
]

const ROLES: readonly (readonly [id: string, title: string])[] = [
  [ROLE_ANONYMOUS, 'Everybody'],
  [ROLE_MEMBER, 'Site Member'],
  [ROLE_MANAGER, 'Site Manager'],
]
