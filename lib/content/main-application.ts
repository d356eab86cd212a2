import { type Connection, stored, treeSet } from '../persistence/index.js'
import { Folder } from './container.js'
import { runInSite } from './current-site.js'
import { SiteNotFoundError } from './errors.js'
import { parentOf } from './location.js'
import { IEtcNamespace } from './namespaces.js'
import { raisePlaceStamp } from './place-stamp.js'
import { rootFolderOf } from './root-folder.js'
import { Site } from './site.js'

/** Where the main application stands in the root mapping, besides its place in the tree. On disk. */
export const APPLICATION_KEY = 'application'

/** Under which name a main application keeps its host sites. On disk. */
export const HOST_SITES_NAME = '++etc++hostsites'

/**
 * A site made by `synchronizeHostPolicies` for a registry of the program.
 * Source: `nti.site.folder.HostPolicyFolder`.
 * @public
 */
@stored('treehook.HostSite')
export class HostSite extends Site {}

/**
 * The host sites of a main application: at `++etc++hostsites` of everything in it.
 * Source: `nti.site.folder.HostSitesFolder`.
 * @public
 */
@stored('treehook.HostSites')
export class HostSites extends Folder<HostSite> {}

/** @public */
export interface MainApplicationOptions {
  /** In the root folder. Default `application`. */
  readonly name?: string
  /** Default: a plain `Site`. */
  readonly make?: () => Site
  /** Called with the application as the current site, in its place, before anybody is told of it. */
  readonly setUp?: (application: Site) => void
}

/**
 * The site that the whole application is in, made when the database has none: in the root folder, with
 * a folder for host sites. Set up before its life-cycle events, of which there is one each.
 *
 * ```ts
 * await db.transaction(({ connection }) => installMainApplication(connection, { name: 'shop' }))
 * ```
 *
 * @returns the application; when it was there, as it is.
 * @throws CONTENT_DUPLICATE_NAME, CONTENT_INVALID_NAME, and what `setUp` throws.
 * @see `nti.site.hostpolicy.install_main_application_and_sites`
 * @public
 */
export function installMainApplication(
  connection: Connection,
  { name = 'application', make = () => new Site(), setUp }: MainApplicationOptions = {},
): Site {
  const known = queryMainApplication(connection)
  if (known !== undefined) return known
  const root = rootFolderOf(connection)
  const application = make()
  connection.add(application)
  place(application, root, name)
  runInSite(application, () => {
    addHostSites(application)
    setUp?.(application)
  })
  place(application, undefined, undefined)
  root.set(name, application)
  connection.rootMapping.set(APPLICATION_KEY, application)
  return application
}

/** The main application; `undefined` when none was installed, or it is no longer in the tree. @public */
export function queryMainApplication(connection: Connection): Site | undefined {
  const application = connection.rootMapping.get(APPLICATION_KEY)
  return application instanceof Site && parentOf(application) !== undefined
    ? application
    : undefined
}

/**
 * The main application, and it must be there.
 * @throws CONTENT_SITE_NOT_FOUND
 * @public
 */
export function mainApplicationOf(connection: Connection): Site {
  const application = queryMainApplication(connection)
  if (application !== undefined) return application
  throw new SiteNotFoundError(
    `The database in ${connection.database.location} has no main application; call installMainApplication`,
  )
}

function place(application: Site, root: Folder | undefined, name: string | undefined): void {
  application.__parent__ = root
  application.__name__ = name
  raisePlaceStamp()
}

/** An item, so that what happens to the application reaches the host sites; no user may set such a name. */
function addHostSites(application: Site): void {
  const hostSites = new HostSites()
  hostSites.__parent__ = application
  hostSites.__name__ = HOST_SITES_NAME
  treeSet(application, HOST_SITES_NAME, hostSites)
  application.siteManager.registry.registerUtility(hostSites, {
    provides: IEtcNamespace,
    name: 'hostsites',
  })
}
