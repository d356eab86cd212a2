import { fromHex64, toHex64 } from '../foundation/index.js'

declare const tidBrand: unique symbol

/**
 * The identity of a committed transaction: a counter that rises by one with each commit, so that
 * order of tids is order of commits. Below 2^53; 64 bits on disk. Wall time stands in the
 * transaction's own row, because clocks go back.
 * @public
 */
export type Tid = number & { readonly [tidBrand]: true }

/** Before the first commit. @public */
export const NO_TID = 0 as Tid

/**
 * @param value - also as messages print it.
 * @throws RangeError when it is no whole number from 0 to 2^53 - 1, or not its 16 hex digits.
 * @public
 */
export function toTid(value: number | string): Tid {
  const number = typeof value === 'string' ? fromHex64(value) : value
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`${value} is no tid`)
  return number as Tid
}

/** 16 hex digits, as every message prints a tid. @public */
export function formatTid(tid: Tid): string {
  return toHex64(tid)
}
