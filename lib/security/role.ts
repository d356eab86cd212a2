import { implementer } from '../component/index.js'
import { stored } from '../persistence/index.js'
import {
  Description,
  type DescriptionOptions,
  LocalDescription,
  type PlaceOption,
  placeText,
  queryRegistered,
} from './description.js'
import { UnknownRoleError } from './errors.js'
import { IRole } from './interfaces.js'

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
export class Role extends Description implements IRole {}

/** A role that is kept and registered in a site. @public */
@stored('treehook.LocalRole')
@implementer(IRole)
export class LocalRole extends LocalDescription implements IRole {
  /** @throws SECURITY_INVALID_ID */
  static of(id: string, options: DescriptionOptions = {}): LocalRole {
    return Object.assign(new LocalRole(), new Role(id, options))
  }
}

/** The role of that id, as `queryPermission` finds permissions. @public */
export function queryRole(id: string, place: PlaceOption = {}): IRole | undefined {
  return queryRegistered(IRole, id, place)
}

/** The same, and it must be there. @throws SECURITY_UNKNOWN_ROLE @public */
export function getRole(id: string, place: PlaceOption = {}): IRole {
  return queryRole(id, place) ?? refuse(id, place)
}

function refuse(id: string, place: PlaceOption): never {
  throw new UnknownRoleError(
    `No role ${JSON.stringify(id)} is registered ${placeText(place)}: register one as a utility for IRole under that id`,
    { details: { role: id } },
  )
}
