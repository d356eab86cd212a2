import { unavailable } from './errors.js'
import type { Generation } from './generation.js'
import type { CommitTime } from './rows.js'
import type { Tid } from './tid.js'

/**
 * The newest commit at or before a time, by halving: times never go back from one commit to the next.
 * @param known - `oldest` and `newest`: every commit after `oldest`, up to `newest`, has its row.
 * @throws STORAGE_HISTORY_UNAVAILABLE when that commit is older than `oldest`.
 */
export function tidAt(
  generation: Generation,
  timeMs: number,
  { oldest, newest }: { readonly oldest: CommitTime; readonly newest: CommitTime },
): Tid {
  if (newest.timeMs <= timeMs) return newest.tid
  if (oldest.timeMs > timeMs) throw unavailable.before(timeMs, oldest.tid)
  let low = oldest.tid as number // at or before the time
  let high = newest.tid as number // after it
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (timeOf(generation, middle as Tid) <= timeMs) low = middle
    else high = middle
  }
  return low as Tid
}

function timeOf(generation: Generation, tid: Tid): number {
  const row = generation.commit(tid)
  if (row === undefined) throw unavailable.gone(tid)
  return row.timeMs
}
