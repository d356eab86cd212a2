import type { History } from './interfaces.js'

/** @throws RangeError when it is none of those that there are. */
export function assertHistory(history: History | undefined): void {
  if (history === undefined || history === 'off' || history === 'all') return
  const { maxAgeMs, maxTransactions } = history as {
    maxAgeMs?: unknown
    maxTransactions?: unknown
  }
  const isAge = typeof maxAgeMs === 'number' && maxAgeMs >= 0
  const isCount = Number.isSafeInteger(maxTransactions) && (maxTransactions as number) >= 1
  if (isAge === isCount) {
    throw new RangeError(
      "history is 'off', 'all', { maxAgeMs } of 0 or more, or { maxTransactions } of 1 or more",
    )
  }
}
