import { type CommitRange, NO_TID, type Storage, type TransactionRow } from '../storage/index.js'

/** A transaction that can be undone, unless later ones stand in the way. @public */
export interface UndoLogEntry extends TransactionRow {
  /** The objects that it wrote, as it left them, in words: class, path and oid. Nodes of trees left out. */
  describe(): Promise<readonly string[]>
}

/** Which transactions an undo log has. @public */
export interface UndoLogOptions extends CommitRange {
  /** Those for which this is true. */
  readonly filter?: ((entry: UndoLogEntry) => boolean) | undefined
  /** Leaves out so many of those, the newest ones. Default 0. */
  readonly skip?: number | undefined
  /** No more than so many. Default: all. */
  readonly limit?: number | undefined
}

/**
 * The transactions that can be undone, newest first: those whose predecessor can still be read.
 * Without history there are none.
 *
 * Source: ZODB's `undoLog` and `undoInfo`; `skip` and `limit` stand for `first` and `last`.
 */
export async function* undoLog(
  storage: Storage,
  { filter = () => true, skip = 0, limit = Number.POSITIVE_INFINITY, after, upTo }: UndoLogOptions,
  describe: (row: TransactionRow) => Promise<readonly string[]>,
): AsyncGenerator<UndoLogEntry, void, undefined> {
  const { historyFrom } = storage
  if (historyFrom === undefined || limit <= 0) return
  const range = { after: max(after ?? NO_TID, historyFrom), upTo, reverse: true }
  let toSkip = skip
  let left = limit
  for await (const row of storage.transactions(range)) {
    const entry = { ...row, describe: () => describe(row) }
    if (!filter(entry) || toSkip-- > 0) continue
    yield entry
    if (--left <= 0) return
  }
}

function max<T extends number>(one: T, other: T): T {
  return one > other ? one : other
}
