import { type Persistent, setPathDescriber } from '../persistence/index.js'
import { CycleError, LocationError } from './errors.js'
import { IRoot } from './interfaces.js'
import { describe, lineage, nameOf } from './location.js'

/**
 * The path from the root folder, which is `/`: `/NOAA/NWS/OUN`. A slash or percent sign in a name
 * is written `%2F` or `%25`, and `traverse` reads it so.
 * @throws CONTENT_LOCATION when the object is not in the tree, or something above it has no name.
 * @public
 */
export function pathOf(object: object): string {
  const names: string[] = []
  for (const at of lineage(object)) {
    if (IRoot.providedBy(at)) return `/${names.reverse().join('/')}`
    const name = nameOf(at)
    if (name === undefined) {
      throw new LocationError(
        `${describe(object)} has no path: ${at === object ? 'it' : describe(at)} has no name, so it is in no folder`,
      )
    }
    names.push(encodeName(name))
  }
  throw new LocationError(
    `${describe(object)} has no path: Not enough context to determine location root`,
  )
}

/** A name as paths write it. */
export function encodeName(name: string): string {
  return /[%/]/.test(name) ? name.replace(/[%/]/g, (found) => (found === '/' ? '%2F' : '%25')) : name
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
    throw new LocationError(`${JSON.stringify(path)} is no absolute path: it must begin with a slash`)
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
    return pathOf(object)
  } catch (error) {
    // No place, or a circle: the message goes without a path.
    if (error instanceof LocationError || error instanceof CycleError) return undefined
    throw error
  }
})

