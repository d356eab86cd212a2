import { inspect } from 'node:util'
import { InvalidKeyError } from '../errors.js'

/**
 * What a tree is ordered by. Numbers come before bigints, these before text, text before tuples;
 * text is compared by code unit, tuples part by part.
 * @public
 */
export type Key = string | number | bigint | readonly Key[]

/** Below zero, zero, or above, as in `Array.prototype.sort`. */
export function compareKeys(one: Key, other: Key): number {
  const difference = rank(one) - rank(other)
  if (difference !== 0) return difference
  if (typeof one === 'object' && typeof other === 'object') return compareTuples(one, other)
  if (one === other) return 0
  // NaN, which is no key but may be looked for, stands behind all numbers.
  return one < other || Number.isNaN(other) ? -1 : 1
}

function compareTuples(one: readonly Key[], other: readonly Key[]): number {
  const shared = Math.min(one.length, other.length)
  for (let index = 0; index < shared; index++) {
    const difference = compareKeys(one[index] as Key, other[index] as Key)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

function rank(key: Key): number {
  switch (typeof key) {
    case 'number':
      return 0
    case 'bigint':
      return 1
    case 'string':
      return 2
    default:
      return 3
  }
}

/**
 * A key as trees keep it: checked, a tuple copied and frozen.
 * @throws PERSISTENCE_INVALID_KEY
 */
export function importKey(key: unknown): Key {
  if (typeof key === 'string' && key.isWellFormed()) return key
  if (typeof key === 'bigint') return key
  if (typeof key === 'number' && !Number.isNaN(key)) return key === 0 ? 0 : key
  if (Array.isArray(key)) return Object.freeze(key.map(importKey))
  throw new InvalidKeyError(
    `${inspect(key)} is no key of a tree: keys are text without lone surrogates, numbers other than NaN, ` +
      'bigints, and arrays of these',
  )
}

/** Equal for equal keys and for no others, and a value that a `Map` can find. */
export function keyToken(key: Key): unknown {
  if (typeof key !== 'object') return key
  // No key of text begins like this: it is not well formed.
  return `\ud800${key.map((part) => `${typeof part}:${String(keyToken(part)).length}:${String(keyToken(part))}`).join(',')}`
}

/** The position of `key` in sorted `keys`; when absent, the bitwise complement of where it belongs. */
export function searchKeys(keys: readonly Key[], key: Key): number {
  let low = 0
  let high = keys.length - 1
  const isText = typeof key === 'string'
  while (low <= high) {
    const middle = (low + high) >>> 1
    const candidate = keys[middle] as Key
    if (candidate === key) return middle
    const difference =
      isText && typeof candidate === 'string'
        ? candidate < key
          ? -1
          : 1
        : compareKeys(candidate, key)
    if (difference === 0) return middle
    if (difference < 0) low = middle + 1
    else high = middle - 1
  }
  return ~low
}
