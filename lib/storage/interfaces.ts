import type { BlobStore } from './blob-store.js'
import type { Oid } from './oid.js'
import type { Tid } from './tid.js'

/**
 * One revision of one object, as the storage keeps it. What `state` says is the business of the
 * layer above: the storage knows no objects.
 * @public
 */
export interface StorageRecord {
  readonly oid: Oid
  /** The commit that wrote this revision: the object's serial. */
  readonly tid: Tid
  /** Names a {@link ClassRow}. Positive. */
  readonly classId: number
  /** Encoded state. Owned by the record: nobody writes into it. */
  readonly state: Uint8Array
  /**
   * The way to the revisions before this one, made with `nextLink`. Kept only by a storage that keeps
   * history; one that is missing in a commit is looked up, which costs a read.
   */
  readonly link?: RevisionLink | undefined
}

/** Where the revisions before a revision are. @public */
export interface RevisionLink {
  /** The commit that wrote the revision before; `NO_TID` for none. */
  readonly previousTid: Tid
  /** How many revisions came before. */
  readonly number: number
  /**
   * The commit that wrote the last revision before this one whose number is a multiple of 16:
   * a reader far in the past skips those between. `NO_TID` for none.
   */
  readonly farTid: Tid
}

/** One revision in an object's history. @public */
export interface RevisionInfo {
  /** The commit that wrote it. */
  readonly tid: Tid
  /** Bytes of its state; 0 where the commit removed the object. */
  readonly bytes: number
  /** True where the commit removed the object. */
  readonly removed: boolean
}

/** A class as records name it. Written once, never changed: a class with new fields is a new row. */
export interface ClassRow {
  /** Positive, rising by one. */
  readonly classId: number
  /** The stored name: `employees.Employee`. */
  readonly name: string
  /** The fields in the order in which records of this row hold them. */
  readonly fields: readonly string[]
}

/** What a commit says about itself. */
export interface CommitMetadata {
  /** Wall time, ms since the epoch. */
  readonly timeMs: number
  /** Who, as text; empty when nobody was named. */
  readonly user: string
  /** Why, as text; empty when nothing was noted. */
  readonly description: string
  /** Further facts, plain data. */
  readonly extension: Readonly<Record<string, unknown>>
}

/** One transaction, self-contained: nothing but this is needed to apply it elsewhere. */
export interface StorageCommit {
  /** The predecessor's plus one. */
  readonly tid: Tid
  readonly metadata: CommitMetadata
  readonly records: readonly Omit<StorageRecord, 'tid'>[]
  /** Class rows that records of this commit are the first to need. */
  readonly classes: readonly ClassRow[]
  /** Objects that are no more. They exist, or did; none of them is among `records`. */
  readonly removed?: readonly Oid[] | undefined
}

/** What becomes of objects: records take the place of earlier ones of their objects. @public */
export interface StorageChanges {
  readonly records: Iterable<StorageRecord>
  /** Objects that are no more; they are not among `records`. */
  readonly removed?: Iterable<Oid> | undefined
}

/** All of a database as one commit left it, for {@link Storage.fill}. @public */
export interface StorageContents {
  readonly databaseId: string
  /** That commit. */
  readonly tid: Tid
  /** When it was; minus infinity before the first. */
  readonly timeMs: number
  /** At least that of the objects there ever were; -1 for none. */
  readonly highestOid: number
  /** By rising id, from 1. */
  readonly classes: readonly ClassRow[]
  /** Applied in turn. Revisions before the last one of an object are not kept. */
  readonly changes: AsyncIterable<StorageChanges>
}

/** A committed transaction's own row. */
export interface TransactionRow extends CommitMetadata {
  readonly tid: Tid
  /** The objects it wrote, ascending. */
  readonly oids: readonly Oid[]
  /** The objects it removed, ascending. */
  readonly removed: readonly Oid[]
}

/** A part of the commits. @public */
export interface CommitRange {
  /** The commit before the first one. @defaultValue the one before the oldest that is there */
  readonly after?: Tid | undefined
  /** The last one. @defaultValue the newest commit */
  readonly upTo?: Tid | undefined
}

/**
 * Which earlier revisions are kept.
 *
 * | value                 | the database can be read as it was                           |
 * | --------------------- | ------------------------------------------------------------ |
 * | `'off'`               | not at all: what was kept of earlier revisions is dropped     |
 * | `'all'`               | at every commit since history is kept                        |
 * | `{ maxAgeMs }`        | at commits up to so much older than the newest               |
 * | `{ maxTransactions }` | at so many of the newest commits                             |
 * @public
 */
export type History =
  | 'off'
  | 'all'
  | { readonly maxAgeMs: number }
  | { readonly maxTransactions: number }

/** How far a pruning has come. @public */
export interface PruneProgress {
  /** The oldest commit that the database can still be read at. */
  readonly historyFrom: Tid
  /** Transactions whose rows were removed so far. */
  readonly transactions: number
  /** Revisions that were kept by themselves so far, since later transactions need them. */
  readonly preserved: number
}

/** A row that is not what was once written, or not there. */
export interface RowProblem {
  readonly kind:
    | 'damagedRow'
    | 'unknownRow'
    | 'missingTransaction'
    | 'missingRevision'
    | 'lostObject'
    | 'outdatedObject'
  readonly oid?: Oid
  readonly tid?: Tid
  /** A sentence without its full stop. */
  readonly message: string
}

/** What was read to check a storage's rows. */
export interface RowsCheck {
  readonly rows: number
}

/**
 * How a write is kept. `sync` survives power loss, with all commits before it. `relaxed` survives a killed
 * process only: after a power loss the database opens at some earlier commit, at or after the last one
 * that was synced or checkpointed.
 */
export type Durability = 'sync' | 'relaxed'

/** Which records of a snapshot. @public */
export interface RecordsOptions {
  /** Begin with this oid. */
  readonly from?: Oid | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * The storage as it was at one commit. Reads of one object are synchronous. Must be closed.
 * @public
 */
export interface StorageSnapshot {
  /** The newest commit that is visible here. */
  readonly tid: Tid
  /**
   * The newest revision of an object that is visible here, or `undefined` when there is none.
   * @throws STORAGE_CORRUPT_RECORD when the bytes are not those once written for this oid.
   * @throws STORAGE_UNKNOWN_FORMAT when a newer treehook wrote them.
   * @throws STORAGE_CLOSED after `close`.
   */
  load(oid: Oid): StorageRecord | undefined
  /**
   * All objects, by rising oid. Gives way to other work now and then. A damaged record ends it:
   * begin again with the oid after.
   * @throws what `load` throws; the signal's reason when aborted.
   */
  records(options?: RecordsOptions): AsyncIterable<StorageRecord>
  /**
   * The same, some at a time: to be preferred where all are read, since each `await` less is most of
   * what a record costs. The records of a page are decoded as it is iterated, which happens before the
   * next is asked for; each iterator throws what `load` throws.
   */
  recordPages(options?: RecordsOptions): AsyncIterable<Iterable<StorageRecord>>
  /** Idempotent. */
  close(): void
}

/**
 * Records by oid and tid. A storage serves one writer, which calls in this order:
 *
 * ```
 * open ─► ( write ─► snapshot )* ─► close
 * ```
 *
 * `write` is atomic over all commits it is given, and no second `write` begins before the first has
 * ended. What it acknowledged is visible to every call that follows. All other methods may be
 * called at any time while the storage is open; none of them waits for a write.
 *
 * ZODB: `ZODB.interfaces.IStorage`, `IStorageIteration`, `IStorageUndoable`, cut down to what one
 * ordered writer needs.
 * @public
 */
export interface Storage {
  /** For messages: the directory, or `memory`. */
  readonly location: string
  /** True once `open` succeeded and until `close`. */
  readonly isOpen: boolean
  /** True when it was opened for reading, and refuses to write. @defaultValue false */
  readonly isReadOnly?: boolean
  /** A UUID, given to the database when it was created. Valid once open. */
  readonly databaseId: string
  /** The newest commit on disk; {@link NO_TID} in a new storage. Valid once open. */
  readonly lastTid: Tid
  /** The highest oid ever written; -1 in a new storage. Valid once open. */
  readonly highestOid: number
  /** All class rows, by rising id. Valid once open. */
  readonly classes: readonly ClassRow[]
  /**
   * The oldest commit that the database can be read at, `undefined` when no history is kept.
   * Valid once open.
   */
  readonly historyFrom: Tid | undefined
  /**
   * The newest commit that a power loss cannot take back, nor any before it. `undefined`: all that were
   * acknowledged. Valid once open.
   */
  readonly syncedTid?: Tid | undefined
  /** The contents of blobs, which are no part of the records. Valid once open. */
  readonly blobs: BlobStore

  /**
   * @throws STORAGE_LOCKED when the directory is in use, in this process or another.
   * @throws STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE when the path cannot hold a database.
   * @throws STORAGE_UNKNOWN_FORMAT when a newer treehook wrote it, or it is no treehook database.
   * @throws STORAGE_CORRUPT when commits are missing that must be there.
   */
  open(): Promise<void>

  /**
   * Writes commits, all or none, and resolves once they are as durable as asked. A commit's time is
   * at least that of the one before it. Waits first when checkpoints cannot keep up.
   * @throws STORAGE_OUTCOME_UNKNOWN when LevelDB reports a failure: the batch may be on disk all the
   *   same. The storage has closed itself to further writes; the next open says what survived.
   * @throws STORAGE_CLOSED, also when an earlier write or checkpoint failed; STORAGE_READ_ONLY
   */
  write(commits: readonly StorageCommit[], durability: Durability): Promise<void>

  /** The storage as the newest acknowledged commit left it. Costs no read. */
  snapshot(): StorageSnapshot

  /**
   * The storage as commit `tid` left it. Old revisions are found by their links, so that a read costs
   * some lookups more for each 16 newer revisions of the object.
   * @throws STORAGE_HISTORY_UNAVAILABLE when that commit is older than {@link historyFrom}, has not
   *   happened yet, or when no history is kept.
   */
  snapshotAt(tid: Tid): StorageSnapshot

  /**
   * The revision of an object that commit `tid` wrote; `undefined` when it wrote none, removed the
   * object, or when that revision is no longer kept.
   * @throws STORAGE_CORRUPT_RECORD, STORAGE_UNKNOWN_FORMAT
   */
  loadRevision(oid: Oid, tid: Tid): StorageRecord | undefined

  /**
   * The revisions of an object, newest first, back to the one that was current at
   * {@link historyFrom}. Without history, the newest one at most.
   * @throws STORAGE_CORRUPT_RECORD, STORAGE_UNKNOWN_FORMAT
   */
  revisions(oid: Oid, options?: { readonly limit?: number | undefined }): readonly RevisionInfo[]

  /**
   * The newest commit at or before a time; {@link NO_TID} before the first. Synchronous.
   * @throws STORAGE_HISTORY_UNAVAILABLE when that commit is no longer known.
   */
  tidAt(timeMs: number): Tid

  /**
   * When a commit was; `undefined` when that is no longer known. Always known of the newest commit and
   * of {@link historyFrom}. Synchronous.
   */
  timeOf(tid: Tid): number | undefined

  /** A committed transaction's row, or `undefined` when it is not there any more, or not yet. Synchronous. */
  transactionRow(tid: Tid): TransactionRow | undefined

  /**
   * The rows of transactions, those that are there: without history the newest few.
   * Later commits and prunings do not change a walk that has begun.
   */
  transactions(
    options?: CommitRange & { readonly reverse?: boolean | undefined },
  ): AsyncIterable<TransactionRow>

  /**
   * Whole commits in order, as needed to copy a database or to follow it.
   * @throws STORAGE_HISTORY_UNAVAILABLE, from the call itself, when one of them is gone.
   */
  commits(options?: CommitRange): AsyncIterable<StorageCommit>

  /**
   * Makes this storage, which has no commit, what another one was, its id and tids included; for
   * copying and restoring. No other write runs meanwhile. History begins there, where it is kept.
   * What was filled in part cannot be opened: throw it away.
   * @throws STORAGE_NOT_EMPTY when it has commits; STORAGE_READ_ONLY, STORAGE_CLOSED;
   *   what LevelDB reports, or `changes` throws: the storage takes no more writes then.
   */
  fill(contents: StorageContents): Promise<void>

  /**
   * Brings all commits acknowledged so far from the redo log to their objects' own rows. Happens by
   * itself as commits accumulate, when they pause, and at `close`; nothing depends on it but the
   * time of the next open.
   * @throws what LevelDB reports, in our words. No commit is lost; later writes are refused.
   */
  checkpoint(): Promise<void>

  /**
   * Forgets what only reading the database at commits before `before` needs. Readers that have begun
   * keep what they read. Works in steps and gives way to commits; when aborted, or interrupted by a
   * crash, what was done so far counts, and the next call goes on from there. Rows that a crash
   * recovery may need still go with later checkpoints.
   * @param options - `before`: the oldest commit that can be read afterwards.
   * @throws STORAGE_HISTORY_UNAVAILABLE when no history is kept, or `before` has not happened yet.
   * @throws the signal's reason when aborted.
   */
  pruneHistory(options: {
    readonly before: Tid
    readonly onProgress?: ((progress: PruneProgress) => void) | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<PruneProgress>

  /**
   * Reads every row but those of objects, and tells of those that are damaged, missing, or contradict
   * one another. Gives way to commits, and sees the storage as it is when it begins.
   */
  checkRows(options: {
    readonly onProblem: (problem: RowProblem) => void
    readonly signal?: AbortSignal | undefined
  }): Promise<RowsCheck>

  /** Waits for a running write, makes a checkpoint, lets go of the directory. Idempotent. */
  close(): Promise<void>
}
