import { implementer, queryUtility } from '../component/index.js'
import { Contained, describe } from '../content/index.js'
import { field, stored } from '../persistence/index.js'
import { UnknownRoleError } from './errors.js'
import { assertId } from './ids.js'
import { IRole } from './interfaces.js'
import type { PermissionOptions, PlaceOption } from './permission.js'

/** Everybody has it, and it cannot be taken away. @public */
export const ROLE_ANONYMOUS = 'zope.Anonymous'
/** @public */
export const ROLE_MEMBER = 'zope.Member'
/** May do everything, unless that is denied. @public */
export const ROLE_MANAGER = 'zope.Manager'

/**
 * A role in memory; register it under its id as a utility for `IRole`.
 *
 * Source: `zope.securitypolicy.role.Role`.
 * @public
 */
@implementer(IRole)
export class Role implements IRole {
  readonly id: string
  readonly title: string
  readonly description: string

  /** @throws SECURITY_INVALID_ID */
  constructor(id: string, { title = id, description = '' }: PermissionOptions = {}) {
    assertId(id, 'a role')
    this.id = id
    this.title = title
    this.description = description
  }
}

/** A role that is kept and registered in a site. @public */
@stored('treehook.LocalRole')
@implementer(IRole)
export class LocalRole extends Contained implements IRole {
  @field accessor id = ''
  @field accessor title = ''
  @field accessor description = ''

  /** @throws SECURITY_INVALID_ID */
  static of(id: string, options: PermissionOptions = {}): LocalRole {
    return Object.assign(new LocalRole(), new Role(id, options))
  }
}

/** The role of that id, as `queryPermission` finds permissions. @public */
export function queryRole(id: string, { context }: PlaceOption = {}): IRole | undefined {
  const found = queryUtility(IRole, { name: id, context })
  return found ?? (context === undefined ? undefined : queryUtility(IRole, { name: id }))
}

/** The same, and it must be there. @throws SECURITY_UNKNOWN_ROLE @public */
export function getRole(id: string, { context }: PlaceOption = {}): IRole {
  return queryRole(id, { context }) ?? refuse(id, context)
}

function refuse(id: string, context: unknown): never {
  const where = context === undefined ? 'in the registry of this call' : `at ${describe(context)}`
  throw new UnknownRoleError(
    `No role ${JSON.stringify(id)} is registered ${where}: register one as a utility for IRole under that id`,
    { details: { role: id } },
  )
}
