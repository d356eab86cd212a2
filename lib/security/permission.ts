import { implementer, queryUtility } from '../component/index.js'
import { Contained, describe } from '../content/index.js'
import { field, stored } from '../persistence/index.js'
import { UnknownPermissionError } from './errors.js'
import { assertId } from './ids.js'
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

/** @public */
export interface PermissionOptions {
  readonly title?: string
  readonly description?: string
}

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
export class Permission implements IPermission {
  readonly id: string
  readonly title: string
  readonly description: string

  /** @throws SECURITY_INVALID_ID */
  constructor(id: string, { title = id, description = '' }: PermissionOptions = {}) {
    assertId(id, 'a permission')
    this.id = id
    this.title = title
    this.description = description
  }
}

/** A permission that is kept and registered in a site. @public */
@stored('treehook.LocalPermission')
@implementer(IPermission)
export class LocalPermission extends Contained implements IPermission {
  @field accessor id = ''
  @field accessor title = ''
  @field accessor description = ''

  /** @throws SECURITY_INVALID_ID */
  static of(id: string, options: PermissionOptions = {}): LocalPermission {
    return Object.assign(new LocalPermission(), new Permission(id, options))
  }
}

/** @public */
export interface PlaceOption {
  /** The object whose place decides; absent: the registry of this call. */
  readonly context?: unknown
}

/**
 * The permission of that id, or `undefined`: registered where the context is, else in the registry of
 * this call.
 * @public
 */
export function queryPermission(
  id: string,
  { context }: PlaceOption = {},
): IPermission | undefined {
  const found = queryUtility(IPermission, { name: id, context })
  return found ?? (context === undefined ? undefined : queryUtility(IPermission, { name: id }))
}

/** The same, and it must be there. @throws SECURITY_UNKNOWN_PERMISSION @public */
export function getPermission(id: string, { context }: PlaceOption = {}): IPermission {
  return queryPermission(id, { context }) ?? refuse(id, context)
}

function refuse(id: string, context: unknown): never {
  const where = context === undefined ? 'in the registry of this call' : `at ${describe(context)}`
  throw new UnknownPermissionError(
    `No permission ${JSON.stringify(id)} is registered ${where}: register one as a utility for IPermission under that id`,
    { details: { permission: id } },
  )
}
