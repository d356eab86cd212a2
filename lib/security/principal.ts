import { implementer } from '../component/index.js'
import { Contained } from '../content/index.js'
import { field, stored } from '../persistence/index.js'
import { principalChanges } from './changes.js'
import { assertId } from './ids.js'
import { IGroup, IPrincipal, IUnauthenticatedPrincipal } from './interfaces.js'

/** @public */
export interface PrincipalOptions {
  readonly title?: string
  readonly description?: string
  /** Ids of groups. */
  readonly groups?: readonly string[]
}

/**
 * A principal that is kept in a `PrincipalFolder`, under its name there: `id` is the folder's prefix
 * and that name.
 *
 * Source: `zope.pluggableauth.plugins.principalfolder.InternalPrincipal`, without passwords.
 * @public
 */
@stored('treehook.Principal')
@implementer(IPrincipal)
export class Principal extends Contained implements IPrincipal {
  @field accessor title = ''
  @field accessor description = ''
  // Private, and handed out as a copy: every change of it must be noticed here.
  @field private accessor memberOf: readonly string[] = []

  /** @throws SECURITY_INVALID_ID when the id of a group is none. */
  constructor({ title = '', description = '', groups = [] }: PrincipalOptions = {}) {
    super()
    this.title = title
    this.description = description
    this.groups = groups
  }

  /** Empty as long as it is in no folder. */
  get id(): string {
    const { prefix = '' } = (this.__parent__ ?? {}) as { readonly prefix?: string }
    return this.__name__ === undefined ? '' : prefix + this.__name__
  }

  /** The ids of the groups that it is in; a copy. */
  get groups(): readonly string[] {
    return Object.freeze([...this.memberOf])
  }

  /** @throws SECURITY_INVALID_ID */
  set groups(ids: readonly string[]) {
    this.memberOf = checkGroups(ids)
    principalChanges.raise()
  }
}

/** A principal that others can be in; it can be in groups itself. @public */
@stored('treehook.Group')
@implementer(IGroup)
export class Group extends Principal implements IGroup {}

/**
 * A principal as a value: what authentications give. It reads nothing, so it outlives transactions,
 * and says who was in which groups when it was asked for.
 * @public
 */
@implementer(IPrincipal)
export class PrincipalInfo implements IPrincipal {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly groups: readonly string[]

  /** @throws SECURITY_INVALID_ID */
  constructor(id: string, { title = id, description = '', groups = [] }: PrincipalOptions = {}) {
    assertId(id, 'a principal')
    this.id = id
    this.title = title
    this.description = description
    this.groups = checkGroups(groups)
    Object.freeze(this)
  }
}

/** The same of a group. @public */
@implementer(IGroup)
export class GroupInfo extends PrincipalInfo implements IGroup {}

/** The same of those who have not said who they are. @public */
@implementer(IUnauthenticatedPrincipal)
export class UnauthenticatedPrincipalInfo
  extends PrincipalInfo
  implements IUnauthenticatedPrincipal {}

/**
 * The program itself: may do everything, everywhere.
 * @see `zope.security.management.system_user`
 * @public
 */
export const systemPrincipal: PrincipalInfo = new PrincipalInfo(
  'zope.security.management.system_user',
  {
    title: 'System',
  },
)

function checkGroups(ids: readonly string[]): readonly string[] {
  for (const id of ids) assertId(id, 'a group')
  return Object.freeze([...new Set(ids)])
}
