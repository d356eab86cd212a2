import type { OptionRule } from '../foundation/index.js'

/** Which `History` there is. */
export const aHistory: OptionRule = {
  accepts: isHistory,
  words: "'off', 'all', { maxAgeMs } of 0 or more, or { maxTransactions } of 1 or more",
}

function isHistory(history: unknown): boolean {
  if (typeof history !== 'object' || history === null) return history === 'off' || history === 'all'
  const { maxAgeMs, maxTransactions, ...others } = history as Record<string, unknown>
  if (Object.keys(others).length > 0) return false
  if (maxTransactions === undefined) return typeof maxAgeMs === 'number' && maxAgeMs >= 0
  return (
    maxAgeMs === undefined && Number.isSafeInteger(maxTransactions) && Number(maxTransactions) >= 1
  )
}
