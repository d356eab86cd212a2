import { InvalidRangeError } from '../errors.js'
import { importKey, type Key } from './keys.js'

/** Which part of a tree. Bounds are included unless said otherwise. @public */
export interface RangeOptions {
  readonly min?: Key
  readonly max?: Key
  readonly excludeMin?: boolean
  readonly excludeMax?: boolean
  /** From the highest key down. */
  readonly reverse?: boolean
  /** How many at most. */
  readonly limit?: number
}

/**
 * @throws PERSISTENCE_INVALID_KEY when a bound is no key.
 * @throws PERSISTENCE_INVALID_RANGE when the limit is no whole number from 0 on.
 */
export function checkRange({ min, max, limit }: RangeOptions): void {
  if (min !== undefined) importKey(min)
  if (max !== undefined) importKey(max)
  if (limit === undefined || limit === Number.POSITIVE_INFINITY) return
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new InvalidRangeError(`limit is ${limit}; give a whole number from 0 on, or leave it out`)
  }
}
