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
} from '../persistence/index.js'
import { Container, type Folder } from './container.js'
import { databaseRegistry } from './database-registry.js'
import { CycleError } from './errors.js'
import { IComponents, type ISite, ISiteManager } from './interfaces.js'
import { describe, lineage, parentOf } from './location.js'
import { siteOf } from './nearest-site.js'
import { PlaceView, raisePlaceStamp } from './place-stamp.js'
import { RegistrationTree } from './registration-tree.js'

/**
 * What a site asks besides the next site up: another site's manager, or a registry of the program by
 * the name under which the database's registry, or the global one, has it as an `IComponents`.
 * @public
 */
export type SiteBase = SiteManager | string

const NO_BASES: readonly SiteBase[] = []

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
  /** Absent in most: reading an array in a writing transaction makes a proxy of it. */
  @field accessor __bases__: readonly SiteBase[] | undefined = undefined

  /** Asked after this site's own components and before the next site up; see {@link setBases}. */
  get ownBases(): readonly SiteBase[] {
    return this.__bases__ ?? NO_BASES
  }

  /** Where components of this site are kept. */
  get default(): Folder {
    return this.getItem('default') as Folder
  }

  /**
   * The site's components, then those of its own bases, of the next site up, the database's, the
   * process's. As long as the site is in no database, its own bases' and the process's only. It is
   * in step with where the site is now whenever it is asked for here, or by a look-up with a context.
   * @throws CONTENT_CYCLE when bases lead back to where they started.
   */
  get registry(): ComponentRegistry {
    return registryOf(this)
  }

  /**
   * What is asked before the next site up, the nearest first. A name that this program does not have
   * is passed over.
   * @throws CONTENT_CYCLE when one is based on this site; then nothing has changed.
   */
  setBases(bases: readonly SiteBase[]): void {
    const before = [...this.ownBases]
    place(this, bases)
    try {
      registryOf(this)
    } catch (error) {
      place(this, before)
      throw error
    }
  }
}

function place(manager: SiteManager, bases: readonly SiteBase[]): void {
  manager.__bases__ = bases
  raisePlaceStamp()
}

/** A site manager's registry, and under which circumstances its bases were looked up. */
interface Standing {
  readonly registry: ComponentRegistry
  readonly view: PlaceView
  inMemory: readonly unknown[] // stamps of the registries in which names are looked up
}

const standings = new WeakMap<SiteManager, Standing>()
const underWay = new Set<SiteManager>()

function registryOf(manager: SiteManager): ComponentRegistry {
  const known = standings.get(manager)
  return known !== undefined && isCurrent(known) ? known.registry : refreshed(manager, known)
}

function isCurrent({ view, inMemory }: Standing): boolean {
  const { isStill, connection } = view
  return (
    isStill &&
    inMemory[0] === globalRegistry.table.stamp &&
    inMemory[1] === (connection && databaseRegistry(connection.database).table.stamp)
  )
}

function refreshed(manager: SiteManager, known: Standing | undefined): ComponentRegistry {
  if (underWay.has(manager)) throw basedOnItself(manager)
  underWay.add(manager)
  try {
    const bases = basesOf(manager)
    const standing = known ?? newStanding(manager, bases)
    const { registry } = standing
    const isSame =
      registry.bases.length === bases.length &&
      registry.bases.every((base, index) => base === bases[index])
    // The site has moved, has other bases, or its place is another in this transaction.
    if (!isSame) registry.bases = bases
    const connection = connectionOf(manager)
    standing.view.look(connection)
    standing.inMemory = [
      globalRegistry.table.stamp,
      connection && databaseRegistry(connection.database).table.stamp,
    ]
    return registry
  } finally {
    underWay.delete(manager)
  }
}

function newStanding(manager: SiteManager, bases: readonly ComponentRegistry[]): Standing {
  const table = new RegistrationTree(manager.registrations)
  const registry = new ComponentRegistry({ name: 'site', table, bases })
  const standing = { registry, view: new PlaceView(), inMemory: [] }
  standings.set(manager, standing)
  return standing
}

function basesOf(manager: SiteManager): readonly ComponentRegistry[] {
  const database = databaseOf(manager)
  const inMemory = database === undefined ? globalRegistry : databaseRegistry(database)
  const site = parentOf(manager)
  const above = database && site && parentOf(site)
  const next = (above && siteRegistryAt(above)) ?? inMemory
  const { ownBases } = manager
  if (ownBases.length === 0) return [next]
  const own = ownBases.flatMap((base) =>
    typeof base === 'string'
      ? (inMemory.queryUtility(IComponents, { name: base }) ?? [])
      : base.registry,
  )
  return [...new Set([...own, next])]
}

function basedOnItself(manager: SiteManager): CycleError {
  return new CycleError(
    `${describe(manager)} is based on itself: over its own bases, or those of a site above it. ` +
      'Give it others with setBases.',
  )
}

/**
 * The registry that serves an object by its place: the nearest site's, or the database's; `undefined`
 * when it is in no database.
 * @throws CONTENT_CYCLE when a site is based on itself.
 * @see `zope.component.getSiteManager` with a context
 * @public
 */
export function registryAt(object: object): ComponentRegistry | undefined {
  const database = databaseOf(object)
  return database && (siteRegistryAt(object) ?? databaseRegistry(database))
}

function siteRegistryAt(object: object): ComponentRegistry | undefined {
  for (let site = siteOf(object); site !== undefined; site = siteAbove(site)) {
    const registry = (site.siteManager as ISiteManager | undefined)?.registry
    if (registry !== undefined) return registry
  }
  return undefined
}

function siteAbove(site: ISite): ISite | undefined {
  const parent = parentOf(site)
  return parent && siteOf(parent)
}

/** By the first of the lineage that is stored: what was put into the tree just now is not yet. */
function databaseOf(object: object): ObjectDatabase | undefined {
  const own = isPersistent(object) ? connectionOf(object) : undefined
  if (own !== undefined) return own.database
  for (const at of lineage(object)) {
    const connection = isPersistent(at) ? connectionOf(at) : undefined
    if (connection !== undefined) return connection.database
  }
  return undefined
}

setContextLookup(registryAt)
