import { queryAdapter } from '../component/index.js'
import { Container } from './container.js'
import { IContainer, ITraversable } from './interfaces.js'
import { registryAt } from './site-manager.js'

/**
 * What a name leads to from an object, by its own rule: what an `ITraversable` says, else the item of
 * a container, else what the adapter to `ITraversable` says. No property is ever read by name.
 */
export function stepTo(at: object, name: string): object | undefined {
  if (isTraversable(at)) return at.traverse(name) as object | undefined
  return itemIn(at, name) ?? (traverserOf(at)?.traverse(name) as object | undefined)
}

/** The item of a container, whoever would traverse it otherwise. */
export function itemIn(at: object, name: string): object | undefined {
  if (at instanceof Container) return at.get(name)
  return IContainer.providedBy(at) ? (at.get(name) as object | undefined) : undefined
}

/** The adapter of that name: from the registry of its place, or of this call when it is in no database. */
export function traverserOf(at: object, name = ''): ITraversable | undefined {
  return queryAdapter(at, ITraversable, { name, context: placeOf(at) })
}

/** Whose registry answers for an object. */
export function placeOf(at: unknown): object | undefined {
  return typeof at === 'object' && at !== null ? registryAt(at) : undefined
}

/** True when what it leads to is in its own tree, and nowhere else as long as the name is there. */
export function isPlain(at: object): at is Container {
  return (
    at instanceof Container &&
    at.get === Container.prototype.get &&
    (at as Partial<ITraversable>).traverse === undefined
  )
}

/** The method first: without it nothing keeps the promise, and looking takes a tenth of asking. */
function isTraversable(at: object): at is ITraversable {
  return (at as Partial<ITraversable>).traverse !== undefined && ITraversable.providedBy(at)
}
