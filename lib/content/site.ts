import { alsoProvides, defineInterface, implementer, notify } from '../component/index.js'
import { field, stored, treeSet } from '../persistence/index.js'
import type { Contained } from './contained.js'
import { Folder } from './container.js'
import { AlreadyASiteError } from './errors.js'
import { ISite, type ISiteManager } from './interfaces.js'
import { describe } from './location.js'
import { raisePlaceStamp } from './place-stamp.js'
import { SiteManager } from './site-manager.js'

/**
 * A folder with components of its own: what is registered here serves this folder and everything
 * below it.
 *
 * Source: `zope.site.folder.Folder` with `zope.site.site.SiteManagerContainer`.
 * @public
 */
@stored('treehook.Site')
@implementer(ISite)
export class Site<T extends Contained = Contained> extends Folder<T> implements ISite {
  @field accessor siteManager: SiteManager = newSiteManager(this)
}

/**
 * What {@link makeSite} can make a site of: its class declares the field. Source:
 * `zope.component.interfaces.IPossibleSite`.
 * @public
 */
export interface PossibleSite extends Folder {
  siteManager: SiteManager | undefined
}

/**
 * Makes a site of a folder that exists, with a manager of its own: from now on it provides `ISite`.
 * Tells {@link INewLocalSite}. A `Site` is one from its beginning; of that, `IObjectAddedEvent` tells.
 *
 * ```ts
 * @stored('employees.Office')
 * class Office extends Folder { @field accessor siteManager: SiteManager | undefined = undefined }
 * ```
 * @throws CONTENT_ALREADY_A_SITE
 * @see `zope.site.site.SiteManagerContainer.setSiteManager`
 * @public
 */
export function makeSite<T extends PossibleSite>(folder: T): T & ISite {
  if (folder.siteManager !== undefined) {
    throw new AlreadyASiteError(
      `${describe(folder)} is a site already; register components with its siteManager.registry`,
    )
  }
  const manager = newSiteManager(folder)
  folder.siteManager = manager
  if (!ISite.providedBy(folder)) alsoProvides(folder, ISite)
  raisePlaceStamp()
  notify(new NewLocalSite(manager))
  return folder as T & ISite
}

/** A folder was made a site. @see `zope.component.interfaces.INewLocalSite` @public */
export interface INewLocalSite {
  readonly manager: ISiteManager
}
export const INewLocalSite = defineInterface<INewLocalSite>('treehook.INewLocalSite', {
  members: ['manager'],
})

/** @see INewLocalSite @public */
@implementer(INewLocalSite)
export class NewLocalSite implements INewLocalSite {
  readonly manager: SiteManager

  constructor(manager: SiteManager) {
    this.manager = manager
  }
}

function newSiteManager(site: Folder): SiteManager {
  const manager = new SiteManager()
  manager.__parent__ = site
  manager.__name__ = '++etc++site'
  const folder = new Folder()
  folder.__parent__ = manager
  folder.__name__ = 'default'
  treeSet(manager, 'default', folder)
  return manager
}
