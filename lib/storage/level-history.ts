import type { Checkpointer } from './checkpointer.js'
import type { CommitRow } from './commit-row.js'
import { tidAt } from './commit-times.js'
import { walkCommits } from './commit-walk.js'
import { CorruptStorageError, unavailable } from './errors.js'
import type {
  CommitRange,
  RevisionInfo,
  StorageCommit,
  StorageRecord,
  TransactionRow,
} from './interfaces.js'
import type { Oid } from './oid.js'
import { isRemoval } from './record.js'
import type { CommitTime, Position } from './rows.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** The commits of an open storage and the revisions that they wrote, as far back as they are kept. */
export class LevelHistory {
  readonly #location: string
  readonly #checkpointer: Checkpointer
  readonly #newest: () => Position
  readonly #assertOpen: () => void

  /**
   * @param location - for messages.
   * @param newest - where the storage is now.
   * @param assertOpen - throws when nothing can be read any more.
   */
  constructor({
    location,
    checkpointer,
    newest,
    assertOpen,
  }: {
    readonly location: string
    readonly checkpointer: Checkpointer
    readonly newest: () => Position
    readonly assertOpen: () => void
  }) {
    this.#location = location
    this.#checkpointer = checkpointer
    this.#newest = newest
    this.#assertOpen = assertOpen
  }

  /** @throws STORAGE_HISTORY_UNAVAILABLE when the database cannot be read as that commit left it. */
  assertReaches(tid: Tid): void {
    const { historyFrom } = this.#checkpointer
    if (historyFrom === undefined) throw unavailable.off()
    if (tid < historyFrom.tid) throw unavailable.tooOld(tid, historyFrom.tid)
    this.#assertHappened(tid)
  }

  #assertHappened(tid: Tid): void {
    const newest = this.#newest().tid
    if (tid > newest) throw unavailable.future(tid, newest)
  }

  revision(oid: Oid, tid: Tid): StorageRecord | undefined {
    const record = this.#checkpointer.generation.revision(oid, tid)
    return record === undefined || isRemoval(record) ? undefined : record
  }

  /** Newest first. */
  revisions(oid: Oid, limit: number): readonly RevisionInfo[] {
    const { generation, historyFrom } = this.#checkpointer
    const found: RevisionInfo[] = []
    let record = generation.recordAt(oid, this.#newest().tid)
    while (record !== undefined && found.length < limit) {
      const { tid, state } = record
      found.push({ tid, bytes: state.length, removed: isRemoval(record) })
      record =
        historyFrom === undefined || tid <= historyFrom.tid
          ? undefined
          : generation.revisionBefore(record, historyFrom.tid)
    }
    return found
  }

  tidAt(timeMs: number): Tid {
    const newest = this.#newest()
    const oldest = this.#checkpointer.historyFrom ?? oldestInRedo(this.#checkpointer, newest)
    return tidAt(this.#checkpointer.generation, timeMs, { oldest, newest })
  }

  timeOf(tid: Tid): number | undefined {
    const { generation, historyFrom } = this.#checkpointer
    const newest = this.#newest()
    if (tid === newest.tid) return newest.timeMs
    if (tid === historyFrom?.tid) return historyFrom.timeMs
    return generation.commit(tid)?.timeMs
  }

  /** The commit from which on history is to be kept; the oldest one as it is when that is no longer known. */
  beginningAt(tid: Tid): CommitTime {
    const { generation, historyFrom } = this.#checkpointer
    if (historyFrom === undefined) throw unavailable.off()
    this.#assertHappened(tid)
    const timeMs = generation.commit(tid)?.timeMs
    return timeMs === undefined ? historyFrom : { tid, timeMs }
  }

  transactionRow(tid: Tid): TransactionRow | undefined {
    return this.#checkpointer.generation.commit(tid)?.toTransactionRow()
  }

  /** Those that are kept. */
  transactions({
    after = NO_TID,
    upTo = this.#newest().tid,
    reverse,
  }: CommitRange & { readonly reverse?: boolean | undefined }): AsyncIterable<TransactionRow> {
    const range = { after, upTo: Math.min(upTo, this.#newest().tid) as Tid, reverse }
    const rows = walkCommits(this.#checkpointer.generation, range)
    return mapped(this.#guarded(rows), (row) => row.toTransactionRow())
  }

  /** All commits of a range, whole. */
  commits(range: CommitRange): AsyncIterable<StorageCommit> {
    const { generation, redoTid, historyFrom } = this.#checkpointer
    const gone = Math.min(redoTid, historyFrom?.tid ?? redoTid) as Tid
    const { after = gone, upTo = this.#newest().tid } = range
    if (after < gone) throw unavailable.gone((after + 1) as Tid, (gone + 1) as Tid)
    this.#assertHappened(upTo)
    const rows = this.#whole(walkCommits(generation, { after, upTo }), { after, upTo })
    return mapped(this.#guarded(rows), (row) => row.toCommit())
  }

  /** All commits of a range, each the one after the last. */
  async *#whole(
    rows: AsyncIterable<CommitRow>,
    { after, upTo }: { readonly after: Tid; readonly upTo: Tid },
  ): AsyncGenerator<CommitRow, void, undefined> {
    let last = after
    for await (const row of rows) {
      if (row.tid !== last + 1) break
      yield row
      last = row.tid
    }
    if (last < upTo) throw this.#missingCommit((last + 1) as Tid)
  }

  /** Says that the storage is closed, once it is, whatever LevelDB says then. */
  async *#guarded<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      for await (const item of items) {
        this.#assertOpen()
        yield item
      }
    } catch (error) {
      this.#assertOpen()
      throw error
    }
  }

  #missingCommit(tid: Tid): CorruptStorageError {
    return new CorruptStorageError(
      `The row of transaction ${formatTid(tid)} is missing in ${this.#location}. Restore a backup to have it back.`,
      { details: { location: this.#location, tid: formatTid(tid) } },
    )
  }
}

/** Without history, the commits whose rows are there are those after the redo tid. */
function oldestInRedo({ generation, redoTid }: Checkpointer, newest: Position): CommitTime {
  if (redoTid === NO_TID) return { tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }
  const first = generation.commit((redoTid + 1) as Tid)
  return first === undefined ? newest : { tid: first.tid, timeMs: first.timeMs }
}

async function* mapped<T, U>(
  items: AsyncIterable<T>,
  map: (item: T) => U,
): AsyncGenerator<U, void, undefined> {
  for await (const item of items) yield map(item)
}
