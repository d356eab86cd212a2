import { connectionOf } from '../persistence/index.js'
import { Container } from './container.js'
import { ISite } from './interfaces.js'
import { MAX_DEPTH, parentOf, runsInCircle } from './location.js'
import { PlaceView } from './place-stamp.js'

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

class Nearest {
  readonly view = new PlaceView()
  site: ISite | undefined
}

const nearest = new WeakMap<Container, Nearest>()

function siteOfContainer(container: Container): ISite | undefined {
  let known = nearest.get(container)
  if (known?.view.isStill) return known.site
  if (known === undefined) {
    known = new Nearest()
    nearest.set(container, known)
  }
  known.site = nearestFrom(container)
  known.view.look(connectionOf(container))
  return known.site
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
