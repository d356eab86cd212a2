import {
  type ComponentRegistry,
  defineInterface,
  queryAdapter,
  queryUtility,
} from '../component/index.js'
import { LocationError } from './errors.js'
import { ISite } from './interfaces.js'
import { describe, parentOf } from './location.js'
import { itemIn, placeOf, stepTo, traverserOf } from './step.js'

/**
 * What stands at `++etc++name` of objects: a utility of that name. `++etc++site` is a site's manager
 * where no utility is named `site`.
 *
 * Source: `zope.traversing.interfaces.IEtcNamespace`.
 * @public
 */
export type IEtcNamespace = object
export const IEtcNamespace = defineInterface<IEtcNamespace>('treehook.IEtcNamespace')

/**
 * A way to look at an object, reached at `++view++name` or `@@name`: the adapter of that name to
 * `IView`. Declare what else it can do in an interface that extends this one.
 * @public
 */
export type IView = object
export const IView = defineInterface<IView>('treehook.IView')

/** Whether a segment of a path is one of a namespace, and so never the name of an item. */
export function isInNamespace(segment: string): boolean {
  return segment.startsWith('++') || segment.startsWith('@@')
}

/**
 * What `++space++name` or `@@name` leads to; `undefined` for nothing, and for a space that nobody
 * knows: one of your own is the adapter to `ITraversable` that has its name.
 */
export function namespaceStep(at: object, segment: string): object | undefined {
  if (segment.startsWith('@@')) return viewOf(at, segment.slice(2))
  const end = segment.indexOf('++', 2)
  if (end === -1) return undefined
  const space = segment.slice(2, end)
  const name = segment.slice(end + 2)
  const known = SPACES.get(space)
  if (known !== undefined) return known(at, name)
  return traverserOf(at, space)?.traverse(name) as object | undefined
}

const SPACES: ReadonlyMap<string, (at: object, name: string) => object | undefined> = new Map([
  ['etc', etc],
  ['item', itemIn],
  ['adapter', traverserOf],
  ['view', viewOf],
  ['acquire', acquired],
])

function etc(at: object, name: string): object | undefined {
  const utility = queryUtility(IEtcNamespace, { name, context: placeOf(at) })
  if (utility !== undefined) return utility
  return name === 'site' && ISite.providedBy(at) ? at.siteManager : undefined
}

function viewOf(at: object, name: string): object | undefined {
  const context = placeOf(at) as ComponentRegistry | undefined
  // A view that is the object itself is none.
  return name === '' ? undefined : queryAdapter(at, IView, { name, context })
}

/** What the name leads to from the object, or from the nearest above from which it leads anywhere. */
function acquired(at: object, name: string): object | undefined {
  let steps = 0
  for (let above: object | undefined = at; above !== undefined; above = parentOf(above)) {
    if (++steps > MOST_ACQUIRED) {
      throw new LocationError(
        `${describe(at)} acquires from no more than ${MOST_ACQUIRED} objects above it, and ` +
          `${JSON.stringify(name)} is in none of them`,
      )
    }
    const found = stepTo(above, name)
    if (found !== undefined && found !== null) return found
  }
  return undefined
}

const MOST_ACQUIRED = 200
