import { type Class, type Interface, provides, queryAdapter } from '../component/index.js'
import { Container } from './container.js'
import { LocationError } from './errors.js'
import { IContainer, ISite, ITraversable } from './interfaces.js'
import { describe, parentOf, rootOf } from './location.js'
import { decodeName, pathOf } from './path.js'
import { registryAt } from './site.js'

/** What may be asked of the object at the end of a path. */
export type Expected<T> = Class<T> | Interface<T>

/**
 * The object at a path: from the root when it begins with `/`, else from `context`. `.` stays, `..`
 * goes up, a slash at the end is ignored. Items only: no property is ever read by name. Namespaces:
 * `++etc++site` is a site's manager, `++adapter++name` the adapter to `ITraversable` of that name.
 *
 * @param expected - the class or interface that the object must have.
 * @throws CONTENT_LOCATION saying how far the path went and what is there.
 * @see `zope.traversing.api.traverse`
 * @public
 */
export function traverse(context: object, path: string): object
export function traverse<T>(context: object, path: string, expected: Expected<T>): T
export function traverse<T>(context: object, path: string, expected?: Expected<T>): unknown {
  const { names, isAbsolute } = parse(path)
  let at: object = isAbsolute ? rootOf(context) : context
  for (const name of names) at = step(at, name, path)
  if (expected !== undefined && !isExpected(at, expected)) {
    throw new LocationError(
      `At ${JSON.stringify(path)} there is ${describe(at)}, not ${expected.name}`,
    )
  }
  return at
}

/** As {@link traverse}, with `undefined` when the path leads nowhere. @public */
export function queryTraverse(context: object, path: string): object | undefined {
  try {
    return traverse(context, path)
  } catch (error) {
    if (error instanceof LocationError) return undefined
    throw error
  }
}

interface ParsedPath {
  readonly isAbsolute: boolean
  readonly names: readonly string[]
}

/** Paths are few and used often; splitting costs more than the walk through a warm tree. */
const parsed = new Map<string, ParsedPath>()
const MAX_PARSED = 10_000

function parse(path: string): ParsedPath {
  const known = parsed.get(path)
  if (known !== undefined) return known
  if (typeof path !== 'string') throw new LocationError(`A path is text, not ${typeof path}`)
  const isAbsolute = path.startsWith('/')
  const segments = path.slice(isAbsolute ? 1 : 0).split('/')
  if (segments[segments.length - 1] === '') segments.pop()
  if (segments.includes('')) {
    throw new LocationError(
      `The path ${JSON.stringify(path)} has an empty name between two slashes`,
    )
  }
  const names = segments.filter((name) => name !== '.').map(decodeName)
  const result = { isAbsolute, names }
  if (parsed.size >= MAX_PARSED) parsed.clear()
  parsed.set(path, result)
  return result
}

function step(at: object, name: string, path: string): object {
  const next = at instanceof Container && !isTraversable(at) ? at.get(name) : undefined
  return next ?? special(at, name) ?? refuse(at, name, path)
}

/** The method first: without it nothing keeps the promise, and looking takes a tenth of asking. */
function isTraversable(at: object): at is ITraversable {
  return (at as Partial<ITraversable>).traverse !== undefined && ITraversable.providedBy(at)
}

function special(at: object, name: string): object | undefined {
  if (name === '..') return parentOf(at)
  if (name.startsWith('++')) return namespace(at, name)
  if (isTraversable(at)) return at.traverse(name) as object | undefined
  if (!(at instanceof Container) && IContainer.providedBy(at))
    return at.get(name) as object | undefined
  return adapted(at)?.traverse(name) as object | undefined
}

function namespace(at: object, segment: string): object | undefined {
  const end = segment.indexOf('++', 2)
  if (end === -1) return undefined
  const space = segment.slice(2, end)
  const name = segment.slice(end + 2)
  if (space === 'etc' && name === 'site') return ISite.providedBy(at) ? at.siteManager : undefined
  if (space === 'adapter') return adapted(at, name)
  return adapted(at, space)?.traverse(name) as object | undefined
}

/** From the registry of its place, or of this call when it is in no database. */
function adapted(at: object, name = ''): ITraversable | undefined {
  const context = typeof at === 'object' ? registryAt(at) : undefined
  return queryAdapter(at, ITraversable, { name, context })
}

function isExpected<T>(object: object, expected: Expected<T>): boolean {
  return typeof expected === 'function'
    ? object instanceof (expected as unknown as abstract new () => unknown)
    : provides(object, expected as Interface)
}

function refuse(at: object, name: string, path: string): never {
  const here = safePath(at)
  const names =
    at instanceof Container ? [...take(at.keys(), 10)].map((key) => JSON.stringify(key)) : []
  const there =
    at instanceof Container
      ? names.length === 0
        ? 'it is empty'
        : `it has ${names.join(', ')}${at.size > names.length ? `, and ${at.size - names.length} more` : ''}`
      : 'it contains nothing'
  throw new LocationError(
    `The path ${JSON.stringify(path)} ends at ${here}: there is no ${JSON.stringify(name)} in it; ${there}`,
    { details: { path, reached: here, name } },
  )
}

function safePath(at: object): string {
  try {
    return pathOf(at)
  } catch (error) {
    if (error instanceof LocationError) return describe(at)
    throw error
  }
}

function* take<T>(items: Iterable<T>, count: number): Generator<T, void, undefined> {
  let left = count
  for (const item of items) {
    if (left-- === 0) return
    yield item
  }
}
