import type {
  Connection,
  ObjectDatabase,
  TransactionContext,
  TransactionOptions,
} from '../persistence/index.js'
import type { RootFolder } from './container.js'
import { runInSite } from './current-site.js'
import { getHostSite, hostSitesTopDown } from './host-sites.js'
import { ISite } from './interfaces.js'
import { type HostSite, mainApplicationOf } from './main-application.js'
import { rootFolderOf } from './root-folder.js'
import type { Site } from './site.js'
import { siteForNames } from './site-selection.js'
import { traverse } from './traverse.js'

/** @public */
export interface JobOptions extends TransactionOptions {
  /** The path of the site. Default: the main application. */
  readonly at?: string
  /** In place of a path: see `siteForNames`. */
  readonly siteNames?: readonly string[]
  /** The job only reads: nothing is committed, and a write is refused. */
  readonly readOnly?: boolean
}

/** What a job works with. @public */
export interface JobContext extends TransactionContext {
  readonly site: ISite
  readonly root: RootFolder
}

/**
 * Calls `job` in a transaction of its own, with a site as the current one, until its promise settles;
 * again, when it conflicts. The transaction's note is the job's name, unless one is given.
 *
 * @returns what the job returned.
 * @throws CONTENT_SITE_NOT_FOUND without main application; CONTENT_LOCATION when there is no site at
 *   the path; what `transaction` or `view` throw.
 * @see `nti.site.runner.run_job_in_site`
 * @public
 */
export function runJobInSite<T>(
  database: Pick<ObjectDatabase, 'transaction' | 'view'>,
  job: (context: JobContext) => T | PromiseLike<T>,
  { at, siteNames, readOnly = false, ...options }: JobOptions = {},
): Promise<T> {
  const run = (context: TransactionContext): T | PromiseLike<T> => {
    const { connection, transaction, rootMapping } = context
    const site = chosenSite(connection, at, siteNames)
    const root = rootFolderOf(connection)
    return runInSite(site, () => job({ connection, transaction, rootMapping, site, root }))
  }
  if (readOnly) return database.view(run)
  return database.transaction(run, { ...(job.name !== '' && { note: job.name }), ...options })
}

/**
 * Calls `job` for each host site, as the current site, one after the other in the running transaction:
 * those that others are based on come before these.
 *
 * @returns pairs of a site and what the job returned for it.
 * @see `nti.site.hostpolicy.run_job_in_all_host_sites`, which returns the results only
 * @public
 */
export async function runInAllHostSites<T>(
  application: Site,
  job: (site: HostSite) => T | PromiseLike<T>,
): Promise<readonly (readonly [site: HostSite, result: T])[]> {
  const results: (readonly [HostSite, T])[] = []
  for (const site of hostSitesTopDown(application)) {
    results.push([site, await runInSite(site, () => job(site))])
  }
  return results
}

/**
 * Calls `job` with a host site as the current one, in the running transaction.
 * @throws CONTENT_SITE_NOT_FOUND
 * @see `nti.site.hostpolicy.run_job_in_host_site`
 * @public
 */
export function runInHostSite<R>(application: Site, name: string, job: (site: HostSite) => R): R {
  const site = getHostSite(application, name)
  return runInSite(site, () => job(site))
}

function chosenSite(
  connection: Connection,
  at: string | undefined,
  siteNames: readonly string[] | undefined,
): ISite {
  if (at !== undefined) return traverse(rootFolderOf(connection), at, ISite)
  const application = mainApplicationOf(connection)
  return siteNames === undefined ? application : siteForNames(application, siteNames)
}
