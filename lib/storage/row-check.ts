import type { CommitRow } from './commit-row.js'
import { CorruptRecordError } from './errors.js'
import { decodeCommitRow, type Generation } from './generation.js'
import type { RowProblem, RowsCheck } from './interfaces.js'
import { CHECKPOINT_KEY, classKeys, commitKeys, FORMAT_KEY, preservedKeys } from './key-space.js'
import { type Entry, entryPagesOf, type KeyRange } from './level-entries.js'
import { isUnreadable } from './level-error.js'
import { formatOid, type Oid } from './oid.js'
import { OidSet } from './oid-set.js'
import { decodeRecord, isRemoval } from './record.js'
import { decodeCheckpointRow, decodeClassRow, decodeFormatRow } from './rows.js'
import { DamagedRow, ForeignRow } from './sealed-row.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** What is checked, and against what. */
export interface RowCheckTask {
  readonly generation: Generation
  /** The newest commit. */
  readonly lastTid: Tid
  /** Rows of commits after this one must all be there. */
  readonly redoTid: Tid
  /** Revisions back to those that were current at this commit must all be there. */
  readonly historyFrom: Tid | undefined
  readonly onProblem: (problem: RowProblem) => void
  readonly signal: AbortSignal | undefined
}

/** Rows between two turns of the event loop. */
const ROWS_A_STEP = 64

/**
 * Reads every row but those of objects, and holds them against one another:
 *
 * - every row is what was once written, and stands under its own key,
 * - commits have their rows without a gap, up to the newest, from the redo tid or the first there is,
 * - no object's newest record is older than the newest commit row that names the object says,
 * - with history, every revision leads to the one before it.
 */
export async function checkRows(task: RowCheckTask): Promise<RowsCheck> {
  const check = new RowCheck(task)
  task.generation.hold()
  try {
    await check.describing()
    await check.commits()
    await check.preserved()
    return { rows: check.rows }
  } finally {
    task.generation.letGo()
  }
}

class RowCheck {
  rows = 0
  readonly #task: RowCheckTask
  /** Objects whose newest commit row was met. */
  readonly #named = new OidSet()
  #lowestTid: number // of the commit rows met, from the newest down
  #historyComplete = true

  constructor(task: RowCheckTask) {
    this.#task = task
    this.#lowestTid = task.lastTid + 1
  }

  /** Format, checkpoint and class rows, and what has no kind. */
  async describing(): Promise<void> {
    await this.#each({ lt: commitKeys.range.gte }, ([key, bytes]) => {
      if (key.equals(FORMAT_KEY)) this.#decode(key, 'format row', () => decodeFormatRow(bytes))
      else if (key.equals(CHECKPOINT_KEY)) {
        this.#decode(key, 'checkpoint row', () => decodeCheckpointRow(bytes))
      } else this.#classRow(key, bytes)
    })
    await this.#each({ gte: Buffer.from([preservedKeys.range.lt[0] as number]) }, ([key]) => {
      this.#unknown(key)
    })
  }

  /** From the newest back, so that the first that names an object is the one that counts. */
  async commits(): Promise<void> {
    const { generation, lastTid } = this.#task
    const { overlay } = generation
    for (let tid = lastTid; tid > overlay.after; tid--) {
      const row = overlay.commit(tid)
      if (row !== undefined) this.#commit(row)
    }
    const range = { ...commitKeys.range, reverse: true }
    await this.#each(range, ([key, bytes]) => {
      const tid = commitKeys.decode(key)
      if (tid === undefined) return this.#unknown(key)
      if (tid > overlay.after) return // the overlay has it
      const row = this.#decode(key, `row of transaction ${formatTid(tid)}`, () =>
        decodeCommitRow(tid, bytes),
      )
      if (row !== undefined) this.#commit(row)
      else this.#lowestTid = tid
    })
    const needed = Math.min(this.#task.redoTid, this.#task.historyFrom ?? this.#task.redoTid)
    this.#noteGap(needed)
  }

  async preserved(): Promise<void> {
    await this.#each(preservedKeys.range, ([key, bytes]) => {
      const name = preservedKeys.decode(key)
      if (name === undefined) return this.#unknown(key)
      const { oid, tid } = name
      const record = this.#decode(key, `revision ${formatTid(tid)} of oid ${formatOid(oid)}`, () =>
        decodeRecord(bytes, oid),
      )
      if (record !== undefined && record.tid !== tid) {
        this.#report({
          kind: 'damagedRow',
          oid,
          tid,
          message: `The row of revision ${formatTid(tid)} holds revision ${formatTid(record.tid)}`,
        })
      }
    })
  }

  #classRow(key: Buffer, bytes: Buffer): void {
    const classId = classKeys.decode(key)
    if (classId === undefined) {
      this.#unknown(key)
      return
    }
    const row = this.#decode(key, `row of class ${classId}`, () => decodeClassRow(bytes))
    if (row === undefined || row.classId === classId) return
    const message = `The row of class ${classId} is that of class ${row.classId}`
    this.#report({ kind: 'damagedRow', message })
  }

  #commit(row: CommitRow): void {
    this.#noteGap(row.tid)
    this.#lowestTid = row.tid
    try {
      for (const record of row.toCommit().records) this.#link(record.oid, record.link, row.tid)
    } catch (error) {
      this.#report({
        kind: 'damagedRow',
        tid: row.tid,
        message: `The row of transaction ${formatTid(row.tid)} cannot be decoded: ${String(error)}`,
      })
      return
    }
    for (let index = 0; index < row.entries; index++) {
      const oid = row.oidAt(index)
      if (this.#named.add(oid)) this.#newest(oid, row.tid, isRemoval(row.recordAt(index)))
    }
  }

  /** @param to - the next lower commit whose row is there. */
  #noteGap(to: number): void {
    const from = Math.max(to, Math.min(this.#task.redoTid, this.#task.historyFrom ?? Infinity)) + 1
    if (from >= this.#lowestTid) return
    const [first, last] = [formatTid(from as Tid), formatTid((this.#lowestTid - 1) as Tid)]
    this.#historyComplete = false
    this.#report({
      kind: 'missingTransaction',
      tid: from as Tid,
      message:
        first === last
          ? `The row of transaction ${first} is missing`
          : `The rows of transactions ${first} to ${last} are missing`,
    })
  }

  #newest(oid: Oid, tid: Tid, removed: boolean): void {
    const { generation, lastTid } = this.#task
    if (tid > generation.overlay.after) return // read from this row itself
    try {
      const record = generation.recordAt(oid, lastTid)
      const found = record === undefined || isRemoval(record) ? undefined : record.tid
      if (removed ? found === undefined || found > tid : found !== undefined && found >= tid) return
      const message = removed
        ? `Transaction ${formatTid(tid)} removed it, and its revision ${formatTid(found ?? NO_TID)} is there`
        : found === undefined
          ? `Transaction ${formatTid(tid)} wrote it, and it is not there`
          : `Transaction ${formatTid(tid)} wrote it, and the newest revision there is ${formatTid(found)}`
      const kind = !removed && found === undefined ? 'lostObject' : 'outdatedObject'
      this.#report({ kind, oid, tid, message })
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error // a damaged one: the walk over objects says so
    }
  }

  /** With history: the revision before must be there. */
  #link(oid: Oid, link: { readonly previousTid: Tid } | undefined, tid: Tid): void {
    const { historyFrom, generation } = this.#task
    if (historyFrom === undefined || tid <= historyFrom || !this.#historyComplete) return
    if (link === undefined || link.previousTid === NO_TID) return
    try {
      if (generation.revision(oid, link.previousTid) !== undefined) return
      const message = `Its revision of transaction ${formatTid(link.previousTid)} belongs to the history that is kept, and is missing`
      this.#report({ kind: 'missingRevision', oid, tid: link.previousTid, message })
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error
      const message = `Its revision of transaction ${formatTid(link.previousTid)} is damaged: ${error.message}`
      this.#report({ kind: 'missingRevision', oid, tid: link.previousTid, message })
    }
  }

  #decode<T>(key: Buffer, what: string, decode: () => T): T | undefined {
    try {
      return decode()
    } catch (error) {
      const isOurs =
        error instanceof DamagedRow ||
        error instanceof ForeignRow ||
        error instanceof CorruptRecordError
      const why = isOurs ? error.message : 'it holds something else'
      const tid = commitKeys.decode(key)
      const named = preservedKeys.decode(key)
      this.#report({
        kind: 'damagedRow',
        ...(tid !== undefined && { tid }),
        ...named,
        message: `The ${what} cannot be read: ${why}`,
      })
      return undefined
    }
  }

  #unknown(key: Buffer): void {
    const message = `There is a row with the key ${key.toString('hex')}, which treehook does not write`
    this.#report({ kind: 'unknownRow', message })
  }

  #report(problem: RowProblem): void {
    this.#task.onProblem(problem)
  }

  async #each(range: KeyRange, read: (entry: Entry) => void): Promise<void> {
    const { generation, signal } = this.#task
    try {
      for await (const page of entryPagesOf(generation.database, range, generation.base)) {
        for (const entry of page) {
          signal?.throwIfAborted()
          read(entry)
          if (++this.rows % ROWS_A_STEP === 0) await new Promise(setImmediate)
        }
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const message = `LevelDB cannot read the rows from ${rangeText(range)}: ${String(error)}`
      this.#report({ kind: 'damagedRow', message })
    }
  }
}

function rangeText({ gte, lt, lte }: KeyRange): string {
  const [from, to] = [gte, lt ?? lte].map((key) => (key as Buffer | undefined)?.toString('hex'))
  return `${from ?? 'the first'} to ${to ?? 'the last'}`
}
