import { aWholeNumber, checkOptions, type OptionRules } from '../foundation/index.js'
import {
  formatOid,
  ObjectNotFoundError,
  type Oid,
  type RevisionInfo,
  type Storage,
  type Tid,
} from '../storage/index.js'
import { InvalidDatabaseOptionError } from './errors.js'

/**
 * One revision of an object, and the transaction that wrote it.
 *
 * Source: the rows of ZODB's `IStorage.history`, with the extension.
 * @public
 */
export interface HistoryEntry {
  /** The commit that wrote the revision. */
  readonly tid: Tid
  /**
   * When, in ms since the epoch. `undefined` when what the commit said about itself is no longer
   * kept, as of a revision that is older than the history and still current at its beginning.
   */
  readonly timeMs: number | undefined
  /** Who; empty when nobody was named. */
  readonly user: string
  /** Why; empty when nothing was noted. */
  readonly description: string
  readonly extension: Readonly<Record<string, unknown>>
  /** Of the stored state; 0 where the object was removed. */
  readonly bytes: number
  /** The commit removed the object. */
  readonly removed: boolean
}

/** @public */
export interface HistoryOptions {
  /** No more than so many, the newest ones. Default: all. */
  readonly limit?: number | undefined
}

const OPTION_RULES: OptionRules<HistoryOptions> = { limit: aWholeNumber(0) }

/**
 * The revisions of an object, newest first.
 * @throws PERSISTENCE_INVALID_OPTION; STORAGE_OBJECT_NOT_FOUND when there never was such an object, or nothing is left of it.
 */
export function historyOf(
  storage: Storage,
  oid: Oid,
  options: HistoryOptions,
): readonly HistoryEntry[] {
  checkOptions(options, OPTION_RULES, InvalidDatabaseOptionError)
  const revisions = storage.revisions(oid, options)
  if (revisions.length === 0 && options.limit !== 0) {
    throw new ObjectNotFoundError(
      `The database in ${storage.location} has no revision of an object with oid ${formatOid(oid)}: it was ` +
        'never stored, or was removed before the history begins',
      { details: { oid: formatOid(oid) } },
    )
  }
  return revisions.map((revision) => entryOf(revision, storage))
}

function entryOf({ tid, bytes, removed }: RevisionInfo, storage: Storage): HistoryEntry {
  const row = storage.transactionRow(tid)
  return {
    tid,
    timeMs: row?.timeMs,
    user: row?.user ?? '',
    description: row?.description ?? '',
    extension: row?.extension ?? {},
    bytes,
    removed,
  }
}
