import { type ComponentRegistry, changesInMemory, currentRegistry } from '../component/index.js'
import { annotationTreeOf, databaseRegistry, ISite, lineage, registryAt } from '../content/index.js'
import {
  type Connection,
  connectionOf,
  isPersistent,
  type Persistent,
  stateOf,
} from '../persistence/index.js'
import { grantChanges } from './changes.js'
import { GrantPlace } from './grant-place.js'
import { GrantTree } from './grant-tree.js'
import { grantTreeIn, keepsGrants } from './grants.js'
import { IGlobalGrants } from './interfaces.js'

/** What an object's place means for security. */
export interface Standing {
  /** The nearest place with grants: the object itself, or above. */
  readonly place: GrantPlace
  /** The nearest site, else the registry that serves the object. */
  readonly context: object
  /** Of the object and all that is above it; `undefined` where nothing may be remembered. */
  readonly connection: Connection | undefined
}

/**
 * The standing of an object, as of now.
 *
 * It is remembered for an object when all that it was concluded from is stored and unchanged in the
 * transaction: then it can only change with the transaction, with a first write in its connection or
 * what is put back there, with a change of grants, or with a change of registries in memory. Each of these has a
 * stamp. Objects that were changed are looked at each time.
 *
 * @throws CONTENT_CYCLE
 */
export function standingOf(object: object): Standing {
  const known = remembered.get(object)
  return known !== undefined && isCurrent(known) ? known.standing : conclude(object)
}

interface Remembered {
  readonly standing: Standing
  readonly connection: Connection
  readonly generation: number
  readonly writeStamp: number
  readonly registrations: number
  readonly grants: number
}

const remembered = new WeakMap<object, Remembered>()

function isCurrent({
  connection,
  generation,
  writeStamp,
  registrations,
  grants,
}: Remembered): boolean {
  return (
    generation === connection.generation &&
    writeStamp === connection.writeStamp &&
    registrations === changesInMemory.stamp &&
    grants === grantChanges.stamp
  )
}

/** Up to what is known or the top, and down again. */
function conclude(object: object): Standing {
  const unknown: object[] = []
  let standing: Standing | undefined
  for (const at of lineage(object)) {
    const known = remembered.get(at)
    if (known !== undefined && isCurrent(known)) {
      standing = known.standing
      break
    }
    unknown.push(at)
  }
  for (let at = unknown.pop(); at !== undefined; at = unknown.pop()) {
    standing = below(standing ?? top(at), at)
    // What is next to the object is enough: each costs as much as two steps of the walk.
    if (unknown.length < 2) remember(at, standing)
  }
  return standing as Standing
}

/** Above the first of a lineage: the whole database, or what serves this call. */
function top(object: object): Standing {
  const connection = isPersistent(object) ? connectionOf(object) : undefined
  const context =
    connection === undefined
      ? (registryAt(object) ?? currentRegistry())
      : databaseRegistry(connection.database)
  const isLasting = connection !== undefined && connection.isolation !== 'serializable'
  return {
    place: placeOfDatabase(context),
    context,
    connection: isLasting ? connection : undefined,
  }
}

function below(above: Standing, object: object): Standing {
  const annotations = keepsGrants(object) ? annotationTreeOf(object) : undefined
  const tree = annotations && grantTreeIn(annotations)
  const context = isSite(object) ? object : above.context
  const isLasting = isUnchanged(object, annotations, above.connection)
  const connection =
    isLasting && isTreeUnchanged(tree, above.connection) ? above.connection : undefined
  const hasGrants = tree !== undefined && tree.size > 0
  const place = hasGrants ? placeOf(tree, above.place, connection) : above.place
  return { place, context, connection }
}

/** Looks for the manager first, which takes a third of the time. */
function isSite(object: object): boolean {
  return 'siteManager' in object && ISite.providedBy(object)
}

function remember(object: object, standing: Standing): void {
  const { connection } = standing
  if (connection === undefined) return
  remembered.set(object, {
    standing,
    connection,
    generation: connection.generation,
    writeStamp: connection.writeStamp,
    registrations: changesInMemory.stamp,
    grants: grantChanges.stamp,
  })
}

/** Whether the object, and its annotations, are as the connection's transaction found them. */
function isUnchanged(
  object: object,
  annotations: Persistent | undefined,
  connection: Connection | undefined,
): boolean {
  if (connection === undefined || !isPersistent(object)) return false
  if (connectionOf(object) !== connection || stateOf(object) !== 'upToDate') return false
  if (annotations === undefined) return true
  return connectionOf(annotations) === connection && stateOf(annotations) !== 'changed'
}

function isTreeUnchanged(tree: GrantTree | undefined, connection: Connection | undefined): boolean {
  return tree === undefined || connection?.treeStamp(tree) !== undefined
}

/** The same place as long as its rows, and those above, are the same. */
function placeOf(
  tree: GrantTree,
  above: GrantPlace,
  connection: Connection | undefined,
): GrantPlace {
  const stamp = connection?.treeStamp(tree)
  const known = places.get(tree)
  if (stamp !== undefined && known?.stamp === stamp && known.above === above) return known.place
  const place = GrantPlace.of(tree, above)
  if (stamp !== undefined) places.set(tree, { place, above, stamp })
  return place
}

const places = new WeakMap<GrantTree, { place: GrantPlace; above: GrantPlace; stamp: unknown }>()

function placeOfDatabase(registry: ComponentRegistry): GrantPlace {
  const grants = registry.queryUtility(IGlobalGrants) ?? NOTHING
  const known = placesOfDatabases.get(grants)
  if (known?.stamp === grants.stamp) return known.place
  const place = GrantPlace.ofDatabase(grants)
  placesOfDatabases.set(grants, { place, stamp: grants.stamp })
  return place
}

const placesOfDatabases = new WeakMap<object, { place: GrantPlace; stamp: number }>()

/** Where nobody has said anything. */
const NOTHING = { tree: new GrantTree(), almighty: new Set<string>(), stamp: 0 }
