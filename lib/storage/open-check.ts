/**
 * What a storage learns when it opens, and the checks that nothing is missing.
 *
 * LevelDB opens a damaged log without an error and forgets the batches in it. What a log can lose is
 * bounded: a batch leaves it for a table, which is synced first. Commit rows stay until what a
 * checkpoint made of them is in tables, so these must hold:
 *
 * - every commit after the redo tid has its row, up to the newest row and the checkpoint tid;
 *   where nothing is missing of what LevelDB wrote in the session that made the checkpoint, those
 *   after the checkpoint tid are looked at alone: all that the checkpoint wrote is there,
 * - each such row can be read, and agrees with its key,
 * - class rows, with those in commit rows, are numbered from 1 without a gap.
 *
 * A power loss may take relaxed commits and leave later ones, since LevelDB syncs one log and not
 * those before it. Where no row says that a missing commit had been synced, the commits after it go,
 * with a process warning: the database is what the last commit before it left.
 *
 * Records of these commits are read from their rows from now on, and brought to object rows again by the
 * next checkpoint: that heals object rows that were lost with a log.
 */
import { TreehookError } from '../foundation/index.js'
import type { CommitRow } from './commit-row.js'
import { CorruptStorageError, diskFailed, StorageFullError, UnknownFormatError } from './errors.js'
import { decodeCommitRow } from './generation.js'
import type { ClassRow, History } from './interfaces.js'
import { CHECKPOINT_KEY, classKeys, commitKeys, FORMAT_KEY, objectKeys } from './key-space.js'
import type { LevelDatabase } from './level-database.js'
import { entriesOf, entryPagesOf } from './level-entries.js'
import { isDiskFailure, isDiskFull, isUnreadable } from './level-error.js'
import type { Oid } from './oid.js'
import { Overlay } from './overlay.js'
import { decodeRecord } from './record.js'
import {
  type CheckpointRow,
  type CommitTime,
  decodeCheckpointRow,
  decodeClassRow,
  decodeFormatRow,
  encodeCheckpointRow,
  encodeFormatRow,
  type FormatRow,
  NO_POSITION,
  newFormatRow,
  type Position,
} from './rows.js'
import { DamagedRow, ForeignRow } from './sealed-row.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** What an open storage knows without reading. */
export interface Contents {
  readonly databaseId: string
  /** With the history that is kept from now on. */
  readonly checkpoint: CheckpointRow
  /** The commits that were read: those after the redo tid, or after the checkpoint tid. */
  readonly overlay: Overlay
  /** After the newest commit. */
  readonly position: Position
  /** By rising id. */
  readonly classes: readonly ClassRow[]
}

/**
 * Reads a database, after making a new one when there is nothing and it may be written.
 * @throws STORAGE_UNKNOWN_FORMAT, having written nothing.
 * @throws STORAGE_CORRUPT
 */
export async function readContents(
  database: LevelDatabase,
  {
    location,
    history,
    readOnly,
    syncedTid,
    session,
    wholeSession,
  }: {
    readonly location: string
    readonly history: History | undefined
    readonly readOnly: boolean
    /** A commit that must be there, with all before it. */
    readonly syncedTid: Tid
    /** LevelDB's session, and the one before it, when nothing of that is missing. */
    readonly session: number | undefined
    readonly wholeSession: number | undefined
  },
): Promise<Contents> {
  const check = new OpenCheck(database, location)
  try {
    const format =
      (await check.format()) ?? (readOnly ? check.refuseEmpty() : await create(database))
    const stored = check.checkpoint()
    const isWhole = stored.session !== undefined && stored.session === wholeSession
    const after = isWhole ? stored.position.tid : stored.redoTid
    const overlay = await check.redo(stored, { after, syncedTid, readOnly })
    const position = overlay.commit(overlay.lastTid)?.position ?? stored.position
    const classes = await check.classes(overlay, position)
    const historyFrom = historyKept({ stored, overlay, position, history, readOnly })
    // LevelDB has made tables of what was in its logs: that holds in its new session too.
    const checkpoint = { ...stored, historyFrom, session: isWhole ? session : stored.session }
    const isNewHistory = historyFrom !== undefined && stored.historyFrom === undefined
    if (!readOnly && (isNewHistory || checkpoint.session !== stored.session)) {
      await writeCheckpointRow(database, checkpoint, { sync: isNewHistory })
    }
    return { databaseId: format.databaseId, checkpoint, overlay, position, classes }
  } catch (error) {
    throw check.explain(error)
  }
}

async function create(database: LevelDatabase): Promise<FormatRow> {
  const format = newFormatRow()
  const row = {
    position: NO_POSITION,
    redoTid: NO_TID,
    historyFrom: undefined,
    session: undefined,
  }
  const batch = database.batch()
  batch.put(FORMAT_KEY, encodeFormatRow(format)).put(CHECKPOINT_KEY, encodeCheckpointRow(row))
  await batch.write(SYNC)
  return format
}

/** @param sync - history begins on disk before a commit relies on it. */
async function writeCheckpointRow(
  database: LevelDatabase,
  row: CheckpointRow,
  { sync }: { readonly sync: boolean },
): Promise<void> {
  await database.put(CHECKPOINT_KEY, encodeCheckpointRow(row), sync ? SYNC : {})
}

/** classic-level's option. */
const SYNC = { sync: true } as object

/** The oldest commit that can be read, as asked for and as far as what is there allows. */
function historyKept({
  stored,
  overlay,
  position,
  history,
  readOnly,
}: {
  readonly stored: CheckpointRow
  readonly overlay: Overlay
  readonly position: Position
  readonly history: History | undefined
  readonly readOnly: boolean
}): CommitTime | undefined {
  if (history === 'off') return undefined
  const isNew = stored.historyFrom === undefined
  if (isNew && (history === undefined || readOnly)) return undefined
  const kept = stored.historyFrom ?? position
  const unlinked = newestUnlinked(overlay)
  const from = unlinked !== undefined && unlinked.tid > kept.tid ? unlinked : kept
  return { tid: from.tid, timeMs: from.timeMs }
}

/** The newest commit that was made while no history was kept: the way back ends there. */
function newestUnlinked(overlay: Overlay): CommitRow | undefined {
  for (let tid = overlay.lastTid; tid > overlay.after; tid--) {
    const row = overlay.commit(tid)
    if (row?.isLinked === false) return row
  }
  return undefined
}

class OpenCheck {
  readonly #database: LevelDatabase
  readonly #location: string

  constructor(database: LevelDatabase, location: string) {
    this.#database = database
    this.#location = location
  }

  /** `undefined` in a database without any row. */
  async format(): Promise<FormatRow | undefined> {
    const bytes = this.#database.getSync(FORMAT_KEY)
    if (bytes !== undefined) return this.#decode('format row', () => decodeFormatRow(bytes))
    const [anyKey] = await this.#database.keys({ limit: 1 }).all()
    if (anyKey === undefined) return undefined
    if (this.#hasCheckpointRow())
      throw this.#corrupt('its format row is missing, as after a copy or restore that did not end')
    throw this.#unknownFormat('it holds rows of another program')
  }

  refuseEmpty(): never {
    throw this.#unknownFormat('it is empty, and was opened for reading')
  }

  checkpoint(): CheckpointRow {
    const bytes = this.#database.getSync(CHECKPOINT_KEY)
    if (bytes === undefined) throw this.#corrupt('its checkpoint row is missing')
    return this.#decode('checkpoint row', () => decodeCheckpointRow(bytes))
  }

  /** The commits whose records may not be in object rows. */
  async redo(
    { position }: CheckpointRow,
    {
      after,
      syncedTid,
      readOnly,
    }: { readonly after: Tid; readonly syncedTid: Tid; readonly readOnly: boolean },
  ): Promise<Overlay> {
    const overlay = new Overlay(after)
    const missing: (readonly [from: Tid, to: Tid])[] = []
    const behind: Tid[] = []
    let synced = Math.max(syncedTid, position.tid) as Tid
    let expected = after + 1
    const range = { gt: commitKeys.encode(after), lt: commitKeys.range.lt }
    for await (const page of entryPagesOf(this.#database, range)) {
      for (const [key, bytes] of page) {
        const row = this.#commit(key, bytes)
        synced = Math.max(synced, row.syncedTid ?? NO_TID) as Tid
        if (row.tid > expected) missing.push([expected as Tid, (row.tid - 1) as Tid])
        if (missing.length === 0) overlay.add(row)
        else behind.push(row.tid)
        expected = row.tid + 1
      }
    }
    if (expected <= synced) missing.push([expected as Tid, synced])
    if (missing.length === 0) return overlay
    const wasSynced = overlay.lastTid < synced || (await this.#hasObjectAfter(overlay.lastTid))
    if (wasSynced) throw this.#missingTransactions(missing)
    if (!readOnly) await this.#remove(behind)
    this.#warnOfCut(overlay.lastTid, behind)
    return overlay
  }

  /** Whether an object row is of a later commit: a checkpoint synced that before. */
  async #hasObjectAfter(tid: Tid): Promise<boolean> {
    for await (const [key, bytes] of entriesOf(this.#database, objectKeys.range)) {
      const oid = objectKeys.decode(key)
      if (oid !== undefined && tidOfRecord(bytes, oid) > tid) return true
    }
    return false
  }

  async #remove(tids: readonly Tid[]): Promise<void> {
    const batch = this.#database.batch()
    for (const tid of tids) batch.del(commitKeys.encode(tid))
    await batch.write(SYNC)
  }

  #warnOfCut(tid: Tid, behind: readonly Tid[]): void {
    process.emitWarning(
      `The database in ${this.#location} goes on from transaction ${formatTid(tid)}: a power loss took relaxed ` +
        `commits after it, and ${behind.length} that came later were removed.`,
      { type: 'TreehookWarning', code: 'STORAGE_TAIL_CUT' },
    )
  }

  /** Of checkpoints, and of the commits since. */
  async classes(overlay: Overlay, { classes: count }: Position): Promise<readonly ClassRow[]> {
    const rows = new Map<number, ClassRow>()
    for await (const [key, bytes] of entriesOf(this.#database, classKeys.range)) {
      const classId = classKeys.decode(key)
      const row = this.#decode(`row of class ${classId}`, () => decodeClassRow(bytes))
      if (row.classId !== classId) throw this.#corrupt(`the row of class ${classId} is another's`)
      rows.set(classId, row)
    }
    for (let tid = (overlay.after + 1) as Tid; tid <= overlay.lastTid; tid++) {
      for (const row of overlay.commit(tid)?.classes ?? []) rows.set(row.classId, row)
    }
    return Array.from({ length: count }, (_, index) => {
      const row = rows.get(index + 1)
      if (row === undefined) throw this.#corrupt(`the row of class ${index + 1} is missing`)
      return row
    })
  }

  /** What LevelDB said, in our words; anything else as it is. */
  explain(error: unknown): unknown {
    if (error instanceof TreehookError) return error
    if (isDiskFull(error)) {
      return new StorageFullError(
        `The disk that holds ${this.#location} is full. Make room on it and open the database again.`,
        { cause: error, details: { location: this.#location } },
      )
    }
    if (isDiskFailure(error)) return diskFailed(this.#location, error)
    return isUnreadable(error) ? this.#corrupt('LevelDB cannot read its files', {}, error) : error
  }

  #commit(key: Buffer, bytes: Buffer): CommitRow {
    const tid = commitKeys.decode(key)
    if (tid === undefined) throw this.#corrupt(`a transaction has the key ${key.toString('hex')}`)
    return this.#decode(`row of transaction ${formatTid(tid)}`, () => decodeCommitRow(tid, bytes))
  }

  #hasCheckpointRow(): boolean {
    const bytes = this.#database.getSync(CHECKPOINT_KEY)
    if (bytes === undefined) return false
    try {
      decodeCheckpointRow(bytes)
      return true
    } catch {
      return false
    }
  }

  #decode<T>(name: string, decode: () => T): T {
    try {
      return decode()
    } catch (error) {
      if (error instanceof ForeignRow)
        throw this.#unknownFormat(`its ${name}: ${error.message}`, error)
      const why = error instanceof DamagedRow ? error.message : 'it holds something else'
      throw this.#corrupt(`its ${name} cannot be read: ${why}`, {}, error)
    }
  }

  #missingTransactions(missing: readonly (readonly [from: Tid, to: Tid])[]): CorruptStorageError {
    const ranges = missing.map(([from, to]) =>
      from === to ? formatTid(from) : `${formatTid(from)} to ${formatTid(to)}`,
    )
    return this.#corrupt(`transactions are missing: ${ranges.join(', ')}`, { missing: ranges })
  }

  #corrupt(
    why: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
  ): CorruptStorageError {
    return new CorruptStorageError(
      `The database in ${this.#location} is damaged: ${why}. Restore a backup. As a last resort ` +
        "classic-level's ClassicLevel.repair makes LevelDB readable again, and loses what it cannot read.",
      { cause, details: { location: this.#location, ...details } },
    )
  }

  #unknownFormat(why: string, cause?: unknown): UnknownFormatError {
    return new UnknownFormatError(
      `${this.#location} holds no database that this treehook can open: ${why}. Open it with the program ` +
        'that wrote it, or choose another directory. Nothing was written.',
      { cause, details: { location: this.#location } },
    )
  }
}

/** `NO_TID` of a record that cannot be read: who reads it is told. */
function tidOfRecord(bytes: Buffer, oid: Oid): Tid {
  try {
    return decodeRecord(bytes, oid).tid
  } catch (error) {
    if (error instanceof TreehookError) return NO_TID
    throw error
  }
}
