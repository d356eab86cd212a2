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
import { UnknownPermissionError } from './errors.js'
import { IPermission } from './interfaces.js'

/** Granted to everyone, always: asking for it costs nothing. @public */
export const PERMISSION_PUBLIC = 'zope.Public'
/** Seeing that an object is there, and reading it. @public */
export const PERMISSION_VIEW = 'zope.View'
/** Changing grants. @public */
export const PERMISSION_SECURITY = 'zope.Security'
/** Changing objects. @public */
export const PERMISSION_MANAGE_CONTENT = 'zope.ManageContent'
/** @public */
export const PERMISSION_MANAGE_SERVICES = 'zope.ManageServices'
/** Changing what is registered in a site. @public */
export const PERMISSION_MANAGE_SITE = 'zope.ManageSite'
/** Creating objects. @public */
export const PERMISSION_CREATE = 'nti.actions.create'
/** Deleting objects. @public */
export const PERMISSION_DELETE = 'nti.actions.delete'

/**
 * A permission in memory; register it under its id:
 *
 * ```ts
 * db.registry.registerUtility(new Permission('shop.Refund'), { provides: IPermission, name: 'shop.Refund' })
 * ```
 *
 * Source: `zope.security.permission.Permission`.
 * @public
 */
@implementer(IPermission)
export class Permission extends Description implements IPermission {}

/** A permission that is kept and registered in a site. @public */
@stored('treehook.LocalPermission')
@implementer(IPermission)
export class LocalPermission extends LocalDescription implements IPermission {
  /** @throws SECURITY_INVALID_ID */
  static of(id: string, options: DescriptionOptions = {}): LocalPermission {
    return Object.assign(new LocalPermission(), new Permission(id, options))
  }
}

/**
 * The permission of that id, or `undefined`: registered where the context is, else in the registry of
 * this call.
 * @public
 */
export function queryPermission(id: string, place: PlaceOption = {}): IPermission | undefined {
  return queryRegistered(IPermission, id, place)
}

/** The same, and it must be there. @throws SECURITY_UNKNOWN_PERMISSION @public */
export function getPermission(id: string, place: PlaceOption = {}): IPermission {
  return queryPermission(id, place) ?? refuse(id, place)
}

function refuse(id: string, place: PlaceOption): never {
  throw new UnknownPermissionError(
    `No permission ${JSON.stringify(id)} is registered ${placeText(place)}: register one as a utility for IPermission under that id`,
    { details: { permission: id } },
  )
}
