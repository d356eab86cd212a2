import { implementer } from '../component/index.js'
import { Container } from '../content/index.js'
import { connectionOf, field, stored } from '../persistence/index.js'
import { principalChanges } from './changes.js'
import { assertId } from './ids.js'
import { IAuthentication } from './interfaces.js'
import { Group, GroupInfo, type Principal, PrincipalInfo } from './principal.js'

/**
 * The principals and groups of a site or a whole database, by name. Put it into a site's
 * `siteManager.default` and register it there, and everything in the site knows its principals:
 *
 * ```ts
 * const people = site.siteManager.default.set('people', new PrincipalFolder())
 * site.siteManager.registry.registerUtility(people, { provides: IAuthentication })
 * people.set('bob', new Principal({ title: 'Bob', groups: ['forecasters'] }))
 * ```
 *
 * Source: `zope.pluggableauth.plugins.principalfolder` and `groupfolder`.
 * @public
 */
@stored('treehook.PrincipalFolder')
@implementer(IAuthentication)
export class PrincipalFolder extends Container<Principal> implements IAuthentication {
  /** Begins the id of each principal: makes the ids of two folders differ. */
  @field accessor prefix = ''

  /** @throws SECURITY_INVALID_ID when the name has whitespace, and what `Container.set` throws. */
  override set<I extends Principal>(name: string, item: I): I {
    assertId(name, 'a principal')
    return super.set(name, item)
  }

  queryPrincipal(id: string): PrincipalInfo | undefined {
    const principal = id.startsWith(this.prefix)
      ? this.get(id.slice(this.prefix.length))
      : undefined
    if (principal === undefined) return undefined
    const { title, description, groups } = principal
    const options = { title, description, groups }
    return principal instanceof Group ? new GroupInfo(id, options) : new PrincipalInfo(id, options)
  }

  /** `undefined` once this transaction has changed the folder itself. */
  get stamp(): unknown {
    const isUnchanged = connectionOf(this)?.treeStamp(this) !== undefined
    return isUnchanged ? principalChanges.stamp : undefined
  }
}
