import type { AbstractGetOptions, AbstractSnapshot } from 'abstract-level'
import { invariant } from '../foundation/index.js'
import { CommitDirectory } from './commit-directory.js'
import { CommitRow } from './commit-row.js'
import { CorruptRecordError } from './errors.js'
import type { RevisionLink, StorageRecord } from './interfaces.js'
import { commitKeys, KEY_BYTES, objectKeys, preservedKeys } from './key-space.js'
import type { LevelDatabase } from './level-database.js'
import { isUnreadable } from './level-error.js'
import type { Oid } from './oid.js'
import type { Overlay, OverlayRevision } from './overlay.js'
import { decodeRecord } from './record.js'
import { Remembered } from './remembered.js'
import { towards } from './revision-link.js'
import { DamagedRow, ForeignRow } from './sealed-row.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** The key of every read by number: `getSync` has copied it before it returns. */
const scratchKey = Buffer.allocUnsafe(KEY_BYTES)
/** How many bytes of commit rows are remembered for reads of old revisions, and how many of directories. */
const REMEMBERED_BYTES = 4 * 1024 * 1024

/**
 * What one checkpoint left in LevelDB, the base, and the commits since, the overlay. Together they are
 * the database at each commit from the checkpoint on, and at each older one that history is kept
 * for. LevelDB's snapshots are dear to hold for long and cheap to share: a generation has one,
 * which goes when the last snapshot of the generation is closed.
 */
export class Generation {
  readonly database: LevelDatabase
  readonly overlay: Overlay
  /** LevelDB's, for iterators. */
  readonly base: AbstractSnapshot
  /** Complete and reused: options made or completed for each read cost as much as half of the read. */
  readonly #options: AbstractGetOptions<Buffer, Buffer>
  readonly #rows = new Remembered<Tid, CommitRow>(REMEMBERED_BYTES)
  /** Of commits on the way back to old revisions: more of them fit than rows. */
  readonly #directories = new Remembered<Tid, CommitDirectory>(REMEMBERED_BYTES)
  #holders = 1

  /** Held once by whoever makes it. */
  constructor(database: LevelDatabase, overlay: Overlay) {
    this.database = database
    this.overlay = overlay
    this.base = database.snapshot()
    this.#options = { keyEncoding: 'buffer', valueEncoding: 'buffer', snapshot: this.base }
  }

  hold(): this {
    this.#holders++
    return this
  }

  letGo(): void {
    this.#holders--
    invariant(this.#holders >= 0, 'a generation is let go as often as it is held')
    // Its promise says nothing new: reads are synchronous, and iterators hold the generation.
    if (this.#holders === 0) void this.base.close()
  }

  /**
   * The newest revision of an object that a commit up to `tid` wrote; one of class 0 where that commit
   * removed it.
   * @throws STORAGE_CORRUPT_RECORD, STORAGE_UNKNOWN_FORMAT
   */
  recordAt(oid: Oid, tid: Tid): StorageRecord | undefined {
    const revision = this.overlay.at(oid, tid)
    if (revision !== undefined) return revision.toRecord()
    return this.baseRecordAt(oid, tid, this.#read(objectKeys.write(scratchKey, oid), oid))
  }

  /** The same for an object that the overlay has no such revision of, from the bytes of its row. */
  baseRecordAt(oid: Oid, tid: Tid, bytes: Buffer | undefined): StorageRecord | undefined {
    const newest = bytes === undefined ? undefined : decodeRecord(bytes, oid)
    if (newest !== undefined && newest.tid <= tid) return newest
    const link = newest?.link ?? oldest(this.overlay.newest(oid))?.link
    if (link !== undefined) return this.#walk(oid, link, tid)
    if (newest !== undefined) throw tooNew(oid, newest.tid)
    return undefined
  }

  /**
   * The revision of an object that commit `tid` wrote, if it is still there.
   * @throws STORAGE_CORRUPT_RECORD, STORAGE_UNKNOWN_FORMAT
   */
  revision(oid: Oid, tid: Tid): StorageRecord | undefined {
    if (tid > this.overlay.after) return this.overlay.commit(tid)?.find(oid)
    const current = this.baseRecord(oid)
    if (current?.tid === tid) return current
    const preserved = this.#read(preservedKeys.encode(oid, tid), oid)
    if (preserved !== undefined) return decodeRecord(preserved, oid)
    return this.commit(tid)?.find(oid)
  }

  /**
   * The revision that another one replaced; undefined when there was none.
   * @param historyFrom - one older than the revision that was current then is not looked for.
   * @throws STORAGE_CORRUPT_RECORD, STORAGE_UNKNOWN_FORMAT
   */
  revisionBefore({ oid, link }: StorageRecord, historyFrom: Tid): StorageRecord | undefined {
    if (link === undefined || link.previousTid === NO_TID) return undefined
    const record = this.revision(oid, link.previousTid)
    if (record === undefined && link.previousTid > historyFrom)
      throw notThere(oid, link.previousTid)
    return record
  }

  /** What is in an object's own row. */
  baseRecord(oid: Oid): StorageRecord | undefined {
    const bytes = this.#read(objectKeys.write(scratchKey, oid), oid)
    return bytes === undefined ? undefined : decodeRecord(bytes, oid)
  }

  /** Whether a row of any kind was there. */
  hasRow(key: Buffer): boolean {
    return this.database.getSync(key, this.#options) !== undefined
  }

  /** A commit's row, if it is still there. @throws STORAGE_CORRUPT_RECORD */
  commit(tid: Tid): CommitRow | undefined {
    if (tid > this.overlay.after) return this.overlay.commit(tid)
    const known = this.#rows.get(tid)
    if (known !== undefined) return known
    const row = this.#readCommit(tid)
    if (row !== undefined) this.#rows.add(tid, row)
    return row
  }

  #readCommit(tid: Tid): CommitRow | undefined {
    try {
      const bytes = this.database.getSync(commitKeys.write(scratchKey, tid), this.#options)
      return bytes === undefined ? undefined : decodeCommitRow(tid, bytes)
    } catch (error) {
      throw unreadableCommit(tid, error)
    }
  }

  /** From a revision newer than `tid` back to the one that was current then. */
  #walk(oid: Oid, from: RevisionLink, tid: Tid): StorageRecord | undefined {
    for (let link = from; ; ) {
      const next = towards(link, tid)
      if (next === NO_TID) return undefined
      const directory = next > tid ? this.#directory(next) : undefined
      if (directory?.has(oid)) {
        const further = directory.linkOf(oid)
        if (further === undefined) return undefined
        link = further
        continue
      }
      const record = this.revision(oid, next)
      if (record === undefined) throw notThere(oid, next)
      if (record.tid <= tid) return record
      // One without a link was the first that history knows.
      if (record.link === undefined) return undefined
      link = record.link
    }
  }

  /** `undefined` when the row is gone or damaged: there may be a preserved one. */
  #directory(tid: Tid): CommitDirectory | undefined {
    const known = this.#directories.get(tid)
    if (known !== undefined) return known
    try {
      const row = this.commit(tid)
      if (row === undefined) return undefined
      const directory = new CommitDirectory(row)
      this.#directories.add(tid, directory)
      return directory
    } catch (error) {
      if (error instanceof CorruptRecordError) return undefined
      throw error
    }
  }

  #read(key: Buffer, oid: Oid): Buffer | undefined {
    try {
      return this.database.getSync(key, this.#options)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      throw CorruptRecordError.of({ oid, why: 'LevelDB cannot read it', cause: error })
    }
  }
}

/**
 * The row of a commit.
 * @throws DamagedRow, ForeignRow, also when it is another commit's.
 */
export function decodeCommitRow(tid: Tid, bytes: Buffer): CommitRow {
  const row = CommitRow.decode(bytes)
  if (row.tid !== tid) throw new DamagedRow(`it belongs to transaction ${formatTid(row.tid)}`)
  return row
}

/** What is wrong with the row of a commit, in our words; anything else as it is. */
export function unreadableCommit(tid: Tid, error: unknown): unknown {
  const bad = error instanceof DamagedRow || error instanceof ForeignRow || isUnreadable(error)
  if (!bad) return error
  return new CorruptRecordError(
    `The row of transaction ${formatTid(tid)} cannot be read: ${String(error)}. The newest revisions of ` +
      'objects are not affected; restore a backup to have it back.',
    { cause: error, details: { tid: formatTid(tid) } },
  )
}

function oldest(revision: OverlayRevision | undefined): OverlayRevision | undefined {
  let found = revision
  while (found?.older !== undefined) found = found.older
  return found
}

function notThere(oid: Oid, tid: Tid): CorruptRecordError {
  return CorruptRecordError.of({
    oid,
    why: `its revision of transaction ${formatTid(tid)} is missing`,
  })
}

function tooNew(oid: Oid, tid: Tid): CorruptRecordError {
  return CorruptRecordError.of({
    oid,
    why: `it is of transaction ${formatTid(tid)}, which is not there`,
  })
}
