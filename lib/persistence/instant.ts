import { inspect } from 'node:util'
import { formatTid, NO_TID, type Tid } from '../storage/index.js'
import { FutureInstantError, InvalidInstantError } from './errors.js'

/**
 * A moment in the history of a database: as a commit left it, or as it was at a time, what was
 * committed in that millisecond included. With `before`, without that commit, or what was committed
 * in that millisecond and later.
 * @public
 */
export type Instant = Tid | Date | { readonly before: Tid | Date }

/** What an instant is compared with. */
export interface Timeline {
  /** The newest commit. */
  readonly lastTid: Tid
  readonly nowMs: number
  /** The newest commit at or before a time. */
  tidAt(timeMs: number): Tid
}

/**
 * The commit that left the database as it was at an instant.
 * @throws PERSISTENCE_INVALID_INSTANT when it is none; PERSISTENCE_FUTURE_INSTANT when it has not
 *   come yet; STORAGE_HISTORY_UNAVAILABLE when nobody knows any more.
 */
export function tidOfInstant(instant: Instant, timeline: Timeline): Tid {
  if (isBefore(instant)) return tidBefore(instant.before, timeline)
  if (instant instanceof Date) return tidAtTime(instant, timeline)
  return assertPast(instant, timeline)
}

function tidBefore(end: Tid | Date, timeline: Timeline): Tid {
  if (end instanceof Date) return tidAtTime(new Date(end.getTime() - 1), timeline)
  assertTid(end)
  if (end <= NO_TID) throw invalid(end)
  return assertPast((end - 1) as Tid, timeline)
}

function tidAtTime(time: Date, timeline: Timeline): Tid {
  const timeMs = time.getTime()
  if (Number.isNaN(timeMs)) throw invalid(time)
  if (timeMs > timeline.nowMs) {
    throw new FutureInstantError(
      `${time.toISOString()} has not come yet: it is ${new Date(timeline.nowMs).toISOString()}. Ask for an ` +
        'earlier time, or read what is newest with db.view.',
      { details: { timeMs, nowMs: timeline.nowMs } },
    )
  }
  // A commit may be acknowledged, and not yet published.
  return Math.min(timeline.tidAt(timeMs), timeline.lastTid) as Tid
}

function assertPast(tid: Tid, { lastTid }: Timeline): Tid {
  assertTid(tid)
  if (tid <= lastTid) return tid
  throw new FutureInstantError(
    `Transaction ${formatTid(tid)} has not happened yet: the newest is ${formatTid(lastTid)}. Ask for that or ` +
      'an earlier one.',
    { details: { tid: formatTid(tid), newest: formatTid(lastTid) } },
  )
}

/**
 * One tid, or several, as a list.
 * @throws PERSISTENCE_INVALID_INSTANT
 */
export function listOfTids(tids: Tid | readonly Tid[]): readonly Tid[] {
  const all: readonly unknown[] = Array.isArray(tids) ? tids : [tids]
  return all.map((tid) => {
    assertTid(tid)
    return tid
  })
}

/**
 * Checks what a caller gives as the tid of a transaction.
 * @throws PERSISTENCE_INVALID_INSTANT
 */
export function assertTid(tid: unknown): asserts tid is Tid {
  if (!Number.isSafeInteger(tid) || (tid as number) < NO_TID) throw invalid(tid)
}

function isBefore(instant: Instant): instant is { readonly before: Tid | Date } {
  return typeof instant === 'object' && instant !== null && !(instant instanceof Date)
}

function invalid(instant: unknown): InvalidInstantError {
  return new InvalidInstantError(
    `${inspect(instant)} is no instant: give the tid of a transaction, a Date, or { before: … } with one of them.`,
  )
}
