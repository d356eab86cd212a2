import { currentRegistry } from '../component/index.js'
import { IPermission, type IPrincipal, type ISecurityPolicy } from './interfaces.js'
import { type LocalSubject, registryOf, subjectAt } from './local-subject.js'
import { getPermission } from './permission.js'
import { type Standing, standingOf } from './standing.js'

/**
 * Decides by grants and denials along the lineage of the object, the nearest first, and those of the
 * whole database at last: of the principal itself, then of its groups, then of roles. What nobody
 * allows is denied. Decisions are remembered, and never stale.
 *
 * `isAllowed` throws SECURITY_UNKNOWN_PERMISSION for a permission that is registered neither where the
 * object is nor in the registry of this call.
 *
 * Source: `zope.securitypolicy.zopepolicy.ZopeSecurityPolicy`, whose answers are as old as their
 * interaction.
 * @public
 */
export const lineagePolicy: ISecurityPolicy = {
  isAllowed(principal: IPrincipal, permissionId: string, object: object): boolean {
    const standing = standingOf(object)
    const local = subjectAt(principal, standing)
    if (!local.permissions.has(permissionId)) assertKnown(permissionId, standing, local)
    return standing.place.isAllowed(local.subject, permissionId)
  },
}

/** A name that is not one of a permission would be denied for ever, and nobody would know why. */
function assertKnown(id: string, { context }: Standing, { permissions }: LocalSubject): void {
  const here = currentRegistry().queryUtility(IPermission, { name: id })
  const there = here ?? registryOf(context).queryUtility(IPermission, { name: id })
  if (there === undefined) getPermission(id)
  permissions.add(id)
}
