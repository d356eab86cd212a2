import { TreehookError } from '../foundation/index.js'
import { type Persistent, setPathDescriber } from '../persistence/index.js'
import { LocationError } from './errors.js'
import { IRoot } from './interfaces.js'
import { describe, lineage, MAX_DEPTH, nameOf, parentOf } from './location.js'

/**
 * The path from the root folder, which is `/`: `/NOAA/NWS/OUN`. A slash or percent sign in a name
 * is written `%2F` or `%25`, and `traverse` reads it so.
 * @throws CONTENT_LOCATION when the object is not in the tree, or something above it has no name.
 * @public
 */
export function pathOf(object: object): string {
  return queryPath(object) ?? refuse(object)
}

/** As `pathOf`, with `undefined` when there is none. Builds no message, for messages are built with it. */
function queryPath(object: object): string | undefined {
  const names: string[] = []
  let at: object | undefined = object
  while (at !== undefined && names.length < MAX_DEPTH) {
    if (IRoot.providedBy(at)) return `/${names.reverse().join('/')}`
    const name = nameOf(at)
    if (name === undefined) return undefined
    names.push(encodeName(name))
    at = parentOf(at)
  }
  return undefined
}

function refuse(object: object): never {
  let top = object
  let nameless: object | undefined
  for (top of lineage(object)) if (nameOf(top) === undefined) nameless ??= top
  const it = (one: object): string => (one === object ? 'it' : describe(one))
  throw new LocationError(
    `${describe(object)} has no path: Not enough context to determine location root; ` +
      (nameless === undefined ? `${it(top)} is in nothing` : `${it(nameless)} has no name`),
  )
}

/** A name as paths write it. */
export function encodeName(name: string): string {
  return /[%/]/.test(name)
    ? name.replace(/[%/]/g, (found) => (found === '/' ? '%2F' : '%25'))
    : name
}

/** A name as containers have it. */
export function decodeName(name: string): string {
  return name.includes('%')
    ? name.replace(/%2F|%25/gi, (found) => (found === '%25' ? '%' : '/'))
    : name
}

/**
 * A path without `.`, `..` and slashes too many.
 * @throws CONTENT_LOCATION when it is not absolute, or `..` leads above the root.
 * @public
 */
export function canonicalPath(path: string): string {
  if (!path.startsWith('/')) {
    throw new LocationError(
      `${JSON.stringify(path)} is no absolute path: it must begin with a slash`,
    )
  }
  const names: string[] = []
  for (const name of path.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) {
      throw new LocationError(`${JSON.stringify(path)} leads above the root`)
    }
  }
  return `/${names.join('/')}`
}

/** A path and further names or paths, as one canonical path. @public */
export function joinPath(path: string, ...parts: readonly string[]): string {
  return canonicalPath([path, ...parts].join('/'))
}

setPathDescriber((object: Persistent) => {
  try {
    return queryPath(object)
  } catch (error) {
    // What is above can no longer be read, its transaction being over: the message goes without.
    if (error instanceof TreehookError) return undefined
    throw error
  }
})
