import {
  ComponentRegistry,
  globalRegistry,
  implementer,
  setContextLookup,
} from '../component/index.js'
import {
  BTree,
  connectionOf,
  field,
  isPersistent,
  type Key,
  type ObjectDatabase,
  stored,
  treeSet,
} from '../persistence/index.js'
import type { Contained } from './contained.js'
import { Container, Folder } from './container.js'
import { databaseRegistry } from './database-registry.js'
import { ISite, ISiteManager } from './interfaces.js'
import { lineage, parentOf } from './location.js'
import { placeStamp } from './place-stamp.js'
import { RegistrationTree } from './registration-tree.js'

/**
 * Keeps what is registered for one site, and in its `default` folder the components themselves.
 * Stands at `++etc++site` of its site.
 *
 * Source: `zope.site.site.LocalSiteManager`.
 * @public
 */
@stored('treehook.SiteManager')
@implementer(ISiteManager)
export class SiteManager extends Container implements ISiteManager {
  @field accessor registrations = new BTree<Key, never>()

  /** Where components of this site are kept. */
  get default(): Folder {
    return this.getItem('default') as Folder
  }

  /**
   * The site's components, then those of the next site up, the database's, the process's. As long
   * as the site is in no database, the process's only.
   */
  get registry(): ComponentRegistry {
    return registryOf(this)
  }
}

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

function newSiteManager(site: Site): SiteManager {
  const manager = new SiteManager()
  manager.__parent__ = site
  manager.__name__ = '++etc++site'
  const folder = new Folder()
  folder.__parent__ = manager
  folder.__name__ = 'default'
  treeSet(manager, 'default', folder)
  return manager
}

/** A site manager's registry, and when its base was last looked up. */
interface Standing {
  readonly registry: ComponentRegistry
  generation: number | undefined
  placeStamp: number
}

const standings = new WeakMap<SiteManager, Standing>()

function registryOf(manager: SiteManager): ComponentRegistry {
  const generation = connectionOf(manager)?.generation
  const known = standings.get(manager)
  // In one transaction a site moves only by hand of this process, which raises the stamp.
  const isCurrent =
    known !== undefined &&
    generation !== undefined &&
    known.generation === generation &&
    known.placeStamp === placeStamp()
  return isCurrent ? known.registry : refreshed(manager, known, generation)
}

function refreshed(
  manager: SiteManager,
  known: Standing | undefined,
  generation: number | undefined,
): ComponentRegistry {
  const next = nextRegistry(manager)
  const standing = known ?? { registry: newRegistry(manager, next), generation, placeStamp: 0 }
  // The site has moved, or its place is another in this transaction.
  if (standing.registry.bases[0] !== next) standing.registry.bases = [next]
  standing.generation = generation
  standing.placeStamp = placeStamp()
  standings.set(manager, standing)
  return standing.registry
}

function newRegistry(manager: SiteManager, next: ComponentRegistry): ComponentRegistry {
  const table = new RegistrationTree(manager.registrations)
  return new ComponentRegistry({ name: 'site', table, bases: [next] })
}

function nextRegistry(manager: SiteManager): ComponentRegistry {
  const database = databaseOf(manager)
  if (database === undefined) return globalRegistry
  const site = parentOf(manager)
  const above = site && parentOf(site)
  return (above && siteRegistryAt(above)) ?? databaseRegistry(database)
}

/** The registry that serves an object by its place; `undefined` when it is in no database. */
export function registryAt(object: object): ComponentRegistry | undefined {
  const database = databaseOf(object)
  return database && (siteRegistryAt(object) ?? databaseRegistry(database))
}

function siteRegistryAt(object: object): ComponentRegistry | undefined {
  for (const at of lineage(object)) {
    if (!ISite.providedBy(at)) continue
    const { siteManager } = at
    if (siteManager instanceof SiteManager) return siteManager.registry
  }
  return undefined
}

/** By the first of the lineage that is stored: what was put into the tree just now is not yet. */
function databaseOf(object: object): ObjectDatabase | undefined {
  for (const at of lineage(object)) {
    const connection = isPersistent(at) ? connectionOf(at) : undefined
    if (connection !== undefined) return connection.database
  }
  return undefined
}

setContextLookup(registryAt)
