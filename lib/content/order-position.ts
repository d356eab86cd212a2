/**
 * Where an item stands in an order: a whole number, and a fraction of digits behind it. There is
 * always a position between two different ones, so that an item is put anywhere without touching
 * another. The fraction is empty, or ends in a digit other than `0`.
 *
 * Both are the first parts of a key of a tree, which compares text by code unit.
 */
export type OrderPosition = readonly [whole: number, fraction: string]

/** On disk: what fractions are written with, in the order in which text is compared. */
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const BASE = DIGITS.length

/**
 * A position behind `low` and before `high`; without bounds there, with most room.
 * @param low - below `high`; equal ones have nothing between them.
 */
export function positionBetween(
  low: OrderPosition | undefined,
  high: OrderPosition | undefined,
): OrderPosition {
  if (low === undefined) return high === undefined ? [0, ''] : [high[0] - 1, '']
  if (high === undefined || high[0] - low[0] > 1) return [low[0] + 1, '']
  return [low[0], fractionBetween(low[1], high[0] === low[0] ? high[1] : undefined)]
}

/** @param high - `undefined` for the next whole number. */
function fractionBetween(low: string, high: string | undefined): string {
  let bound = high
  let shared = ''
  for (let at = 0; ; at++) {
    const [from, to] = [digitAt(low, at), bound === undefined ? BASE : digitAt(bound, at)]
    const middle = Math.floor((from + to) / 2)
    if (middle > from) return shared + DIGITS[middle]
    shared += DIGITS[from]
    // Whatever follows is below `high` now.
    if (to > from) bound = undefined
  }
}

function digitAt(fraction: string, at: number): number {
  const digit = fraction[at]
  return digit === undefined ? 0 : DIGITS.indexOf(digit)
}

export function isSamePosition(one: OrderPosition, other: OrderPosition): boolean {
  return one[0] === other[0] && one[1] === other[1]
}
