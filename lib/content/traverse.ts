import { type Class, type Interface, provides } from '../component/index.js'
import type { Persistent } from '../persistence/index.js'
import { Container, RootFolder } from './container.js'
import { LocationError } from './errors.js'
import { IRoot } from './interfaces.js'
import { describe, parentOf, rootOf } from './location.js'
import { isInNamespace, namespaceStep } from './namespaces.js'
import { decodeName, pathOf } from './path.js'
import { PathMemo } from './path-memo.js'
import { isPlain, stepTo } from './step.js'

/** What may be asked of the object at the end of a path. */
export type Expected<T> = Class<T> | Interface<T>

/** As text, or as names from the context that are not decoded: a slash in one is a part of it. */
export type Path = string | readonly string[]

/**
 * The object at a path: from the root when it begins with `/`, else from `context`. `.` stays, `..`
 * goes up, a slash at the end is ignored. Items only: no property is ever read by name. Namespaces:
 *
 * | segment | leads to |
 * | --- | --- |
 * | `++etc++site` | a site's manager |
 * | `++etc++name` | the utility for `IEtcNamespace` of that name |
 * | `++item++name` | the item, whatever the container's traverser says |
 * | `++adapter++name` | the adapter to `ITraversable` of that name |
 * | `++view++name`, `@@name` | the adapter to `IView` of that name |
 * | `++acquire++name` | what the name leads to here, or else from above |
 * | `++annotation++key` | the annotation that is an object |
 * | `++yours++name` | what the adapter to `ITraversable` that is named `yours` says |
 *
 * Paths from the root folder are remembered, and what is remembered is never out of date.
 *
 * @param expected - the class or interface that the object must have.
 * @throws CONTENT_LOCATION saying how far the path went and what is there.
 * @see `zope.traversing.api.traverse`
 * @public
 */
export function traverse(context: object, path: Path): object
export function traverse<T>(context: object, path: Path, expected: Expected<T>): T
export function traverse<T>(context: object, path: Path, expected?: Expected<T>): unknown {
  const object = objectAt(context, path)
  if (expected !== undefined && !isExpected(object, expected)) {
    throw new LocationError(`At ${shown(path)} there is ${describe(object)}, not ${expected.name}`)
  }
  return object
}

/**
 * As {@link traverse}, with `undefined` when the path leads nowhere, or to something else.
 * @public
 */
export function queryTraverse(context: object, path: Path): object | undefined
export function queryTraverse<T>(context: object, path: Path, expected: Expected<T>): T | undefined
export function queryTraverse<T>(context: object, path: Path, expected?: Expected<T>): unknown {
  try {
    return expected === undefined ? traverse(context, path) : traverse(context, path, expected)
  } catch (error) {
    if (error instanceof LocationError) return undefined
    throw error
  }
}

/**
 * One step: the name is taken as it is, with any slash or percent sign in it.
 * @throws CONTENT_LOCATION
 * @see `zope.traversing.api.traverseName`
 * @public
 */
export function traverseName(context: object, name: string): object
export function traverseName<T>(context: object, name: string, expected: Expected<T>): T
export function traverseName<T>(context: object, name: string, expected?: Expected<T>): unknown {
  return expected === undefined ? traverse(context, [name]) : traverse(context, [name], expected)
}

function objectAt(context: object, path: Path): object {
  if (!(context instanceof RootFolder) || typeof path !== 'string') return walk(context, path)
  const memo = PathMemo.of(context)
  return memo.query(path) ?? walk(context, path, memo)
}

/** Step by step, whatever is remembered; for a plain way from a root folder, `memo` learns it. */
export function walk(context: object, path: Path, memo?: PathMemo): object {
  const { names, isAbsolute } = parse(path)
  let at: object = isAbsolute ? rootOf(context) : context
  const containers: Persistent[] | undefined = memo && []
  let isPlainSoFar = true
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!
    const item: object | undefined = isPlain(at) ? at.get(name) : undefined
    if (item === undefined) isPlainSoFar = false
    else containers?.push(at as Container)
    at = item ?? special(at, name) ?? refuse(at, name, path)
  }
  if (isPlainSoFar && names.length > 0) memo?.remember(path as string, containers!, at)
  return at
}

interface ParsedPath {
  readonly isAbsolute: boolean
  readonly names: readonly string[]
}

/** Paths are few and used often; splitting costs more than the walk through a warm tree. */
const parsed = new Map<Path, ParsedPath>()
const MAX_PARSED = 10_000

function parse(path: Path): ParsedPath {
  const known = parsed.get(path)
  if (known !== undefined) return known
  if (Array.isArray(path)) return ofNames(path)
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

function ofNames(path: readonly unknown[]): ParsedPath {
  for (const name of path) {
    if (typeof name === 'string' && name !== '') continue
    throw new LocationError(
      name === ''
        ? `The path ${shown(path)} has an empty name in it`
        : `The names of a path are text, not ${typeof name}`,
    )
  }
  return { isAbsolute: false, names: (path as readonly string[]).filter((name) => name !== '.') }
}

function special(at: object, name: string): object | undefined {
  if (name === '..') return parentOf(at)
  return isInNamespace(name) ? namespaceStep(at, name) : stepTo(at, name)
}

function isExpected<T>(object: object, expected: Expected<T>): boolean {
  return typeof expected === 'function'
    ? object instanceof (expected as unknown as abstract new () => unknown)
    : provides(object, expected as Interface)
}

function refuse(at: object, name: string, path: Path): never {
  const reached = safePath(at)
  const why = name === '..' ? aboveWhichIsNothing(at, reached) : missing(at, name, reached)
  throw new LocationError(`The path ${shown(path)} ${why}`, { details: { path, reached, name } })
}

function aboveWhichIsNothing(at: object, reached: string): string {
  return IRoot.providedBy(at)
    ? 'leads above the root folder'
    : `leads above ${reached}, which is in nothing`
}

function missing(at: object, name: string, reached: string): string {
  return (
    `ends at ${reached}: there is no ${JSON.stringify(name)} in it; ` +
    (at instanceof Container ? itemsOf(at) + lookalike(at, name) : 'it contains nothing')
  )
}

function itemsOf(container: Container): string {
  const names = [...take(container.keys(), 10)].map((key) => JSON.stringify(key))
  if (names.length === 0) return 'it is empty'
  const more = container.size - names.length
  return `it has ${names.join(', ')}${more > 0 ? `, and ${more} more` : ''}`
}

/** Names are what they are, code point by code point: those that only look the same are others. */
function lookalike(container: Container, name: string): string {
  const form = (['NFC', 'NFD', 'NFKC', 'NFKD'] as const).find((one) => {
    const other = name.normalize(one)
    return other !== name && container.has(other)
  })
  return form === undefined ? '' : `; the same name in Unicode normalization form ${form} is there`
}

function safePath(at: object): string {
  try {
    return pathOf(at)
  } catch (error) {
    if (error instanceof LocationError) return describe(at)
    throw error
  }
}

function shown(path: unknown): string {
  return JSON.stringify(path) ?? String(path)
}

function* take<T>(items: Iterable<T>, count: number): Generator<T, void, undefined> {
  let left = count
  for (const item of items) {
    if (left-- === 0) return
    yield item
  }
}
