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
}

/** A committed transaction's own row. */
export interface TransactionRow extends CommitMetadata {
  readonly tid: Tid
  /** The objects it wrote. */
  readonly oids: readonly Oid[]
}

/** How a write is kept. `sync` survives power loss, `relaxed` a killed process only. */
export type Durability = 'sync' | 'relaxed'

/**
 * The storage as it was at one commit. Reads are synchronous. Must be closed.
 */
export interface StorageSnapshot {
  /** The newest commit that is visible here. */
  readonly tid: Tid
  /**
   * The newest revision of an object, or `undefined` when there is none.
   * @throws STORAGE_CORRUPT_RECORD when the bytes are not those once written for this oid.
   * @throws STORAGE_UNKNOWN_FORMAT when a newer treehook wrote them.
   * @throws STORAGE_CLOSED after `close`.
   */
  load(oid: Oid): StorageRecord | undefined
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
 * ended: LevelDB reorders writes that are not awaited. A batch can be read before its promise
 * resolves, so only the writer calls `snapshot()`, in the same synchronous step in which `write`
 * was acknowledged.
 *
 * ZODB: `ZODB.interfaces.IStorage`, cut down to what one ordered writer needs.
 * @public
 */
export interface Storage {
  /** For messages: the directory, or `memory`. */
  readonly location: string
  /** True once `open` succeeded and until `close`. */
  readonly isOpen: boolean
  /** The newest commit on disk; {@link NO_TID} in a new storage. Valid once open. */
  readonly lastTid: Tid
  /** The highest oid ever written; -1 in a new storage. Valid once open. */
  readonly highestOid: number
  /** All class rows, by rising id. Valid once open. */
  readonly classes: readonly ClassRow[]

  /**
   * @throws STORAGE_LOCKED when the directory is in use, in this process or another.
   * @throws STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE when the path cannot hold a database.
   * @throws STORAGE_UNKNOWN_FORMAT when a newer treehook wrote it, or it is no treehook database.
   * @throws STORAGE_CORRUPT when commits are missing that must be there.
   */
  open(): Promise<void>

  /**
   * Writes commits, all or none, and resolves once they are as durable as asked.
   * @throws STORAGE_OUTCOME_UNKNOWN when LevelDB reports a failure: the batch may be on disk all the
   *   same. The storage has closed itself to further writes; the next open says what survived.
   * @throws STORAGE_CLOSED, STORAGE_READ_ONLY
   */
  write(commits: readonly StorageCommit[], durability: Durability): Promise<void>

  /** The storage as it is now. For the writer only, see above. */
  snapshot(): StorageSnapshot

  /** A committed transaction's row, or `undefined`. Synchronous. */
  transactionRow(tid: Tid): TransactionRow | undefined

  /** Waits for a running write, then lets go of the directory. Idempotent. */
  close(): Promise<void>
}
