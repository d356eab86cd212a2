import { describe } from '../content/index.js'
import { UnauthorizedError } from './errors.js'
import { queryPrincipal } from './find-principal.js'
import { currentInteraction, getInteraction, Interaction } from './interaction.js'
import type { Decision, IPrincipal } from './interfaces.js'
import { PERMISSION_PUBLIC, PERMISSION_VIEW, queryPermission } from './permission.js'

/**
 * Whether all who take part in the interaction of this call have a permission on an object. The public
 * permission everybody has, also outside an interaction.
 *
 * @throws SECURITY_NO_INTERACTION, SECURITY_UNKNOWN_PERMISSION
 * @see `zope.security.management.checkPermission`
 * @public
 */
export function checkPermission(permissionId: string, object: object): boolean {
  return permissionId === PERMISSION_PUBLIC || getInteraction().isAllowed(permissionId, object)
}

/**
 * The same, and they must have it.
 * @throws SECURITY_UNAUTHORIZED, which names the object and who lacks the permission;
 *   SECURITY_NO_INTERACTION, SECURITY_UNKNOWN_PERMISSION
 * @public
 */
export function requirePermission(permissionId: string, object: object): void {
  if (checkPermission(permissionId, object)) return
  const principals = getInteraction().participations.map(({ principal }) => principal.id)
  throw new UnauthorizedError(
    `${principals.join(' and ')} ${principals.length === 1 ? 'has' : 'have'} no permission ${permissionId} on ` +
      `${describe(object)}; allow it there or above with grantsOf`,
    { details: { permission: permissionId, principals } },
  )
}

/** @public */
export interface DecideOptions {
  /** Without an owner nothing is asked, and everything is granted. */
  readonly principalId?: string | undefined
  /** @defaultValue `zope.View` */
  readonly permissionId?: string | undefined
  /**
   * Whether an unknown principal is taken for the unauthenticated one.
   * @defaultValue false
   */
  readonly fallbackToUnauthenticated?: boolean
}

/**
 * What is to be done on behalf of somebody who is absent: whether that principal has the permission
 * and, when an interaction is running, all who take part in it, too. `undecidable` when no
 * authentication knows the principal, or no such permission is registered. Never throws for those.
 *
 * Source: `nti.webhooks.subscriptions`, whose owners without a permission are never granted anything
 * and whose permissions without an owner fail.
 * @public
 */
export function decide(
  object: object,
  { principalId, permissionId = PERMISSION_VIEW, fallbackToUnauthenticated = false }: DecideOptions,
): Decision {
  if (principalId === undefined) return 'granted'
  const options = { context: object, fallbackToUnauthenticated }
  const principal = queryPrincipal(principalId, options)
  if (principal === undefined) return 'undecidable'
  if (queryPermission(permissionId, { context: object }) === undefined) return 'undecidable'
  return isAllowedWith(principal, permissionId, object) ? 'granted' : 'denied'
}

/** In the running interaction, which is as before afterwards, or in one of its own. */
function isAllowedWith(principal: IPrincipal, permissionId: string, object: object): boolean {
  const running = currentInteraction()
  if (running === undefined) {
    return new Interaction(principal, { context: object }).isAllowed(permissionId, object)
  }
  return running.with(principal, () => running.isAllowed(permissionId, object))
}
