import { connectionOf } from '../persistence/index.js'
import { Container } from './container.js'
import { ISite } from './interfaces.js'
import { MAX_DEPTH, parentOf, runsInCircle } from './location.js'
import { isViewStill, type PlaceView, viewOfPlaces } from './place-stamp.js'

/**
 * The nearest site: the object itself, or one above it; `undefined` when there is none. Within a
 * transaction it is remembered for containers, until one moves.
 * @throws CONTENT_CYCLE
 * @public
 */
export function siteOf(object: object): ISite | undefined {
  if (object instanceof Container) return siteOfContainer(object)
  if (isSite(object)) return object
  const parent = parentOf(object)
  return parent instanceof Container ? siteOfContainer(parent) : parent && nearestFrom(parent)
}

interface Nearest extends PlaceView {
  readonly site: ISite | undefined
}

const nearest = new WeakMap<Container, Nearest>()

function siteOfContainer(container: Container): ISite | undefined {
  const known = nearest.get(container)
  if (known !== undefined && isViewStill(known)) return known.site
  const site = nearestFrom(container)
  const connection = connectionOf(container)
  const view = connection && viewOfPlaces(connection)
  if (view !== undefined) nearest.set(container, { ...view, site })
  return site
}

/** Looks for the manager first, which takes a third of the time. */
function isSite(object: object): object is ISite {
  return 'siteManager' in object && ISite.providedBy(object)
}

function nearestFrom(object: object): ISite | undefined {
  // Not by `lineage`: an iterator costs more than the walk.
  let depth = 0
  for (let at: object | undefined = object; at !== undefined; at = parentOf(at)) {
    if (isSite(at)) return at
    if (++depth > MAX_DEPTH) throw runsInCircle(object)
  }
  return undefined
}
