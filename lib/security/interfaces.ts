import { defineInterface } from '../component/index.js'
import type { GlobalGrants } from './global-grants.js'

/**
 * Who acts: a person, a program, or a group of principals. Everything else about principals is the
 * application's; security uses the `id` and the `groups`.
 *
 * Source: `zope.security.interfaces.IPrincipal` and `IGroupAwarePrincipal`.
 * @public
 */
export interface IPrincipal {
  /** Never changes, and means nobody else in the database. No whitespace. */
  readonly id: string
  readonly title: string
  readonly description?: string
  /** The ids of the groups that it is in. */
  readonly groups?: readonly string[]
}
export const IPrincipal = defineInterface<IPrincipal>('treehook.IPrincipal', {
  members: ['id', 'title'],
})

/** A principal that others are in; it may be in groups itself. @public */
export interface IGroup extends IPrincipal {}
export const IGroup = defineInterface<IGroup>('treehook.IGroup', { extends: [IPrincipal] })

/** Stands for those who have not said who they are. @public */
export interface IUnauthenticatedPrincipal extends IPrincipal {}
export const IUnauthenticatedPrincipal = defineInterface<IUnauthenticatedPrincipal>(
  'treehook.IUnauthenticatedPrincipal',
  { extends: [IPrincipal] },
)

/**
 * Knows principals by id: a utility. Of a place all are asked, the nearest first, until one knows the
 * principal; none needs to ask another.
 *
 * Source: `zope.authentication.interfaces.IAuthentication`, without what requests are made of.
 * @public
 */
export interface IAuthentication {
  /** The principal as a plain value that outlives the transaction; `undefined` for an unknown id. */
  queryPrincipal(id: string): IPrincipal | undefined
  readonly unauthenticatedPrincipal?: IPrincipal | undefined
  /**
   * Differs after each change of what it answers. Without it, or while it is `undefined`, nothing is
   * remembered and it is asked at every check.
   */
  readonly stamp?: unknown
}
export const IAuthentication = defineInterface<IAuthentication>('treehook.IAuthentication', {
  members: ['queryPrincipal'],
})

/** A kind of access, registered as a utility under its id. @public */
export interface IPermission {
  /** Prefixed by a package: `shop.Refund`. Stored with grants; keep it. */
  readonly id: string
  readonly title: string
  readonly description: string
}
export const IPermission = defineInterface<IPermission>('treehook.IPermission', {
  members: ['id', 'title', 'description'],
})

/** Permissions that go together, registered as a utility under its id. @public */
export interface IRole {
  /** Prefixed by a package: `shop.Cashier`. Stored with grants; keep it. */
  readonly id: string
  readonly title: string
  readonly description: string
}
export const IRole = defineInterface<IRole>('treehook.IRole', {
  members: ['id', 'title', 'description'],
})

/** Says yes or no; nothing said is `unset`. @public */
export type Setting = 'allow' | 'deny' | 'unset'

/**
 * What is allowed or denied: a permission to a principal, a role to a principal, or a permission to
 * all who have a role. A principal may be a group.
 * @public
 */
export type Grant =
  | { readonly principal: string; readonly permission: string; readonly role?: undefined }
  | { readonly principal: string; readonly role: string; readonly permission?: undefined }
  | { readonly role: string; readonly permission: string; readonly principal?: undefined }

/** One row of the grants of a place. @public */
export interface GrantRow {
  readonly grant: Grant
  readonly setting: 'allow' | 'deny'
}

/**
 * Grants and denials of one place: an object, or a whole database. They count for it and for
 * everything below.
 *
 * Source: `IPrincipalPermissionManager`, `IPrincipalRoleManager` and `IRolePermissionManager` of
 * `zope.securitypolicy`.
 * @public
 */
export interface Grants {
  /** @throws SECURITY_INVALID_GRANT, SECURITY_UNKNOWN_PERMISSION, SECURITY_UNKNOWN_ROLE */
  allow(grant: Grant): void
  /** @throws SECURITY_INVALID_GRANT, SECURITY_UNKNOWN_PERMISSION, SECURITY_UNKNOWN_ROLE */
  deny(grant: Grant): void
  /**
   * Neither allows nor denies any more; the permission or role need not be known.
   * @returns whether there was something to take back.
   * @throws SECURITY_INVALID_GRANT
   */
  unset(grant: Grant): boolean
  /** What is said here itself. @throws SECURITY_INVALID_GRANT */
  setting(grant: Grant): Setting
  /** Takes back all that is said here of one principal. @returns how many rows. */
  unsetPrincipal(principalId: string): number
  /** How many rows. */
  readonly size: number
  /** Every row: by kind, principal or role, and what they are granted. */
  [Symbol.iterator](): Iterator<GrantRow>
}

/** The grants of a whole database, which count where no object above says otherwise: a utility. @public */
export type IGlobalGrants = GlobalGrants
export const IGlobalGrants = defineInterface<IGlobalGrants>('treehook.IGlobalGrants', {
  members: ['allow', 'deny', 'unset', 'setting', 'allowEverything'],
})

/**
 * Decides. As a utility it takes the place of {@link lineagePolicy}: interactions use the one that is
 * registered where they begin.
 *
 * Source: `zope.security.interfaces.ISecurityPolicy`.
 * @public
 */
export interface ISecurityPolicy {
  /** Whether one principal has a permission on an object. The public one is never asked for. */
  isAllowed(principal: IPrincipal, permissionId: string, object: object): boolean
}
export const ISecurityPolicy = defineInterface<ISecurityPolicy>('treehook.ISecurityPolicy', {
  members: ['isAllowed'],
})

/** One principal's part in an interaction; in one at a time. @public */
export interface Participation {
  readonly principal: IPrincipal
}

/**
 * What is known of an access: `undecidable` when its principal or permission is unknown.
 * @public
 */
export type Decision = 'granted' | 'denied' | 'undecidable'
