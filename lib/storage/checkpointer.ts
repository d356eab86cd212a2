import { outsideAllScopes, TreehookError } from '../foundation/index.js'
import type { CommitRow } from './commit-row.js'
import { tidAt } from './commit-times.js'
import { CorruptRecordError } from './errors.js'
import { Generation } from './generation.js'
import type { History, PruneProgress } from './interfaces.js'
import { CHECKPOINT_KEY, commitKeys, KEY_BYTES } from './key-space.js'
import type { LevelDatabase } from './level-database.js'
import { LogAge } from './log-age.js'
import { writeObjectRows } from './object-rows.js'
import { Overlay } from './overlay.js'
import { type CheckpointRow, type CommitTime, encodeCheckpointRow, type Position } from './rows.js'
import { NO_TID, type Tid } from './tid.js'
import { type TrimmedStep, Trimmer } from './trim.js'
import { WriteBatch } from './write-batch.js'

/** What a {@link Checkpointer} begins with, and how it works. */
export interface CheckpointerOptions {
  readonly database: LevelDatabase
  /** As it is on disk, with the history that is kept from now on. */
  readonly row: CheckpointRow
  /** The commits after its redo tid, or after its checkpoint tid when their object rows are certain. */
  readonly overlay: Overlay
  readonly history: History | undefined
  /** Nothing is written. */
  readonly readOnly: boolean
  /** LevelDB's, where there are any: named in checkpoint rows, see `log-check.ts`. */
  readonly session?: number | undefined
  readonly writeBufferBytes: number
  /** How many bytes of commits bring a checkpoint on. */
  readonly checkpointBytes: number
  /** How long a pause in commits brings a checkpoint on. */
  readonly idleMs: number
  /** Makes all that was written survive a power loss; absent where nothing does. */
  readonly sync?: (() => Promise<void>) | undefined
  /** Resolves once no commit is on its way. */
  readonly writesSettled: () => Promise<unknown>
  /** Called once, when LevelDB refused what a checkpoint wrote. */
  readonly onFailure: (error: unknown) => void
}

/** Commits wait once this many times the bytes that bring a checkpoint on wait for it. */
const BACK_PRESSURE = 4

/**
 * Brings commits from the redo log to object rows, beside new commits: those go into the overlays of the
 * generation that is and of the one that will be when the checkpoint is done. Then trims the log.
 *
 * | row               | may go when                                                             |
 * | ----------------- | ----------------------------------------------------------------------- |
 * | commit            | a checkpoint has its records, and what that wrote has left LevelDB's logs (`log-age.ts`); with history, when no reader may ask for it (`trim.ts`) |
 * | object, preserved | nobody can ask for it any more                                          |
 *
 * Writes of a checkpoint are not synced: a lost one is made again from the redo log. But the commits
 * they are made of are, first: an object row may stay when a power loss takes the row of its commit.
 * What removes commit rows carries the checkpoint row that allows it, so that neither is there without
 * the other.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  readonly #age: LogAge
  readonly #trimmer = new Trimmer()
  readonly #covered: { readonly tid: Tid; readonly mark: number }[] = []
  #row: CheckpointRow
  #generation: Generation
  /** The overlay of the generation to come, while a checkpoint is made. */
  #next: Overlay | undefined
  /** Settles when the work begun so far has; never rejects. */
  #work: Promise<unknown> = Promise.resolve()
  #scheduled: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isQuiet = false
  #isStopped: boolean
  #hasFailed = false
  #syncedTid: Tid
  /** Until the first checkpoint: what was in object rows when the storage was opened. */
  #writtenTo: Tid

  constructor(options: CheckpointerOptions) {
    this.#options = options
    this.#row = options.row
    this.#writtenTo = options.row.position.tid
    // LevelDB syncs what it finds in its logs when it opens: it makes tables of it.
    this.#syncedTid = Math.max(options.row.position.tid, options.overlay.lastTid) as Tid
    this.#age = new LogAge(options.writeBufferBytes)
    this.#generation = new Generation(options.database, options.overlay)
    this.#isStopped = options.readOnly
    if (options.overlay.bytes > 0 || this.#hasRowsLeft) this.#watchForPause()
  }

  /** What new snapshots read. */
  get generation(): Generation {
    return this.#generation
  }

  /** The oldest commit that the database can be read at, when history is kept. */
  get historyFrom(): CommitTime | undefined {
    return this.#row.historyFrom
  }

  /** Every commit after this one has its row. */
  get redoTid(): Tid {
    return this.#row.redoTid
  }

  /** The newest commit that survives a power loss, with all before it. */
  get syncedTid(): Tid {
    return this.#syncedTid
  }

  #newBatch(): WriteBatch {
    return new WriteBatch(this.#options.database, this.#age)
  }

  /** Writes commits, all or none, and shows them to new snapshots in the step in which that is acknowledged. */
  async append(rows: readonly CommitRow[], { sync }: { readonly sync: boolean }): Promise<void> {
    const [first] = rows
    if (rows.length === 1 && first !== undefined) await this.#putOne(first, sync)
    else await this.#putAll(rows, sync)
    const [before, last] = [(first?.tid ?? NO_TID) - 1, rows[rows.length - 1]?.tid]
    if (sync && last !== undefined) {
      // LevelDB has synced its newest log alone.
      if (this.#syncedTid < before) await this.#options.sync?.()
      this.#syncedTid = Math.max(this.#syncedTid, last) as Tid
    }
    this.#add(rows)
  }

  async #putOne({ tid, bytes }: CommitRow, sync: boolean): Promise<void> {
    this.#age.add(KEY_BYTES + bytes.length)
    await this.#options.database.put(commitKeys.encode(tid), bytes, { sync } as object)
  }

  async #putAll(rows: readonly CommitRow[], sync: boolean): Promise<void> {
    const batch = this.#newBatch()
    for (const { tid, bytes } of rows) batch.put(commitKeys.encode(tid), bytes)
    await batch.write({ sync })
  }

  #add(rows: readonly CommitRow[]): void {
    for (const row of rows) {
      this.#generation.overlay.add(row)
      this.#next?.add(row)
    }
    this.#isQuiet = false
    if (this.#waiting.bytes >= this.#options.checkpointBytes) this.#schedule()
    else this.#watchForPause()
  }

  /** Resolves when commits may go on; undefined when they need not wait. */
  get tooFarBehind(): Promise<void> | undefined {
    const isBehind = this.#waiting.bytes > BACK_PRESSURE * this.#options.checkpointBytes
    return isBehind ? this.#scheduled : undefined
  }

  /** @throws whatever LevelDB reports. */
  checkpoint(): Promise<void> {
    return this.#inTurn(() => this.#checkpoint())
  }

  /**
   * Makes `before` the oldest commit that can be read, and removes what only older ones need.
   * @param assertGoesOn - called between steps; throws to stop.
   */
  async prune(
    before: CommitTime,
    onProgress: (progress: PruneProgress) => void,
    assertGoesOn: () => void,
  ): Promise<PruneProgress> {
    await this.#inTurn(async () => {
      assertGoesOn()
      await this.#beginHistoryWith(before)
    })
    const done = { transactions: 0, preserved: 0 }
    const progress = (): PruneProgress => ({
      historyFrom: this.historyFrom?.tid ?? NO_TID,
      ...done,
    })
    const onStep = (step: TrimmedStep): void => {
      done.transactions += step.transactions
      done.preserved += step.preserved
      onProgress(progress())
      assertGoesOn()
    }
    for (let isAll = false; !isAll; ) {
      isAll = await this.#inTurn(() => this.#trim(onStep))
      assertGoesOn()
    }
    await this.#inTurn(async () => this.#renewBase())
    return progress()
  }

  /** Begins nothing more by itself. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Waits for what runs, and makes a last checkpoint when `isSound` and commits wait for one. */
  async close({ isSound }: { readonly isSound: boolean }): Promise<void> {
    this.stop()
    for (let work: unknown; work !== this.#work; ) {
      work = this.#work
      await work
    }
    const isNeeded = this.#generation.overlay.lastTid > this.#row.position.tid
    // Its failure loses nothing: the next open reads the commits from the redo log.
    if (isSound && isNeeded) await this.checkpoint().catch(() => undefined)
    this.#generation.letGo()
  }

  /** Whether commit rows of an earlier session can go once a checkpoint says so. */
  get #hasRowsLeft(): boolean {
    return this.#writtenTo > this.#row.redoTid
  }

  /** The overlay whose commits the next checkpoint will write. */
  get #waiting(): Overlay {
    return this.#next ?? this.#generation.overlay
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#work.then(work)
    this.#work = result.catch(() => undefined)
    return result
  }

  /** A checkpoint in the background. */
  #schedule(): void {
    if (this.#scheduled !== undefined || this.#isStopped) return
    this.#scheduled = outsideAllScopes(() => this.checkpoint())
      .catch(() => undefined) // told through `onFailure`
      .finally(() => {
        this.#scheduled = undefined
        if (this.#waiting.bytes >= this.#options.checkpointBytes) this.#schedule()
      })
  }

  #watchForPause(): void {
    if (this.#timer !== undefined || this.#isStopped) return
    this.#timer = outsideAllScopes(() =>
      setTimeout(() => {
        this.#timer = undefined
        if (this.#isQuiet) return this.#schedule()
        this.#isQuiet = true
        this.#watchForPause()
      }, this.#options.idleMs).unref(),
    )
  }

  async #checkpoint(): Promise<void> {
    const { overlay } = this.#generation
    const upTo = overlay.lastTid
    if (overlay.bytes === 0 && !this.#hasRowsLeft) return
    const next = new Overlay(upTo)
    this.#next = next
    try {
      await this.#syncUpTo(upTo)
      const wasIntact = await this.#writeObjectRows(upTo)
      const position = overlay.commit(upTo)?.position ?? this.#row.position
      await this.#writeCheckpointRow(position, wasIntact)
      this.#turnOver(next)
    } catch (error) {
      this.#fail(error)
      throw error
    } finally {
      this.#next = undefined
    }
    await this.#trimInBackground()
  }

  async #syncUpTo(tid: Tid): Promise<void> {
    if (this.#syncedTid >= tid) return
    await this.#options.sync?.()
    this.#syncedTid = Math.max(this.#syncedTid, tid) as Tid
  }

  async #writeObjectRows(upTo: Tid): Promise<boolean> {
    return writeObjectRows({
      generation: this.#generation,
      upTo,
      writtenTo: this.#writtenTo,
      historyFrom: this.#row.historyFrom?.tid,
      newBatch: () => this.#newBatch(),
      write: (batch) => this.#write(batch),
      arrived: () => this.#next?.bytes ?? 0,
    })
  }

  async #writeCheckpointRow(position: Position, wasIntact: boolean): Promise<void> {
    const historyFrom = this.#historyBound(position)
    const { session } = this.#options
    const row = { position, redoTid: this.#newRedoTid(wasIntact), historyFrom, session }
    const batch = this.#newBatch()
    batch.put(CHECKPOINT_KEY, encodeCheckpointRow(row))
    await this.#write(batch)
    this.#row = row
    this.#writtenTo = NO_TID
    this.#covered.push({ tid: position.tid, mark: this.#age.now })
  }

  /**
   * How far no commit needs to be made again. What was found in object rows when the storage was opened
   * is in tables: LevelDB makes its logs tables when it opens.
   */
  #newRedoTid(wasIntact: boolean): Tid {
    let redoTid = wasIntact ? Math.max(this.#row.redoTid, this.#writtenTo) : this.#row.redoTid
    while (this.#covered[0] !== undefined && this.#age.hasLeft(this.#covered[0].mark)) {
      redoTid = Math.max(redoTid, this.#covered.shift()?.tid as Tid)
    }
    return redoTid as Tid
  }

  /** What follows reads object rows as they are now. */
  #turnOver(overlay: Overlay): void {
    const before = this.#generation
    this.#generation = new Generation(this.#options.database, overlay)
    before.letGo()
  }

  /** So that LevelDB need not keep what was removed. */
  #renewBase(): void {
    this.#turnOver(this.#generation.overlay)
  }

  /** The oldest commit to be read once `newest` is in object rows. */
  #historyBound(newest: Position): CommitTime | undefined {
    const { history } = this.#options
    const current = this.#row.historyFrom
    if (current === undefined || history === undefined || typeof history === 'string')
      return current
    try {
      const tid =
        'maxTransactions' in history
          ? ((newest.tid - history.maxTransactions + 1) as Tid)
          : this.#tidBefore(newest, history.maxAgeMs, current)
      const timeMs = tid > current.tid ? this.#generation.commit(tid)?.timeMs : undefined
      return timeMs === undefined ? current : { tid, timeMs }
    } catch (error) {
      // A damaged row of some commit in between: history stays longer.
      if (error instanceof TreehookError) return current
      throw error
    }
  }

  #tidBefore(newest: Position, maxAgeMs: number, oldest: CommitTime): Tid {
    const timeMs = newest.timeMs - maxAgeMs
    if (timeMs < oldest.timeMs) return oldest.tid
    return tidAt(this.#generation, timeMs, { oldest, newest })
  }

  async #beginHistoryWith(oldest: CommitTime): Promise<void> {
    const { historyFrom } = this.#row
    if (historyFrom === undefined || historyFrom.tid >= oldest.tid) return
    this.#row = { ...this.#row, historyFrom: oldest }
    const batch = this.#newBatch()
    batch.put(CHECKPOINT_KEY, encodeCheckpointRow(this.#row))
    await this.#write(batch)
  }

  /** Stops when the storage closes; goes on in the next session. */
  async #trimInBackground(): Promise<void> {
    if (this.#isStopped) return
    const stopped = new Error('The storage is closing')
    try {
      const isAll = await this.#trim(() => {
        if (this.#isStopped) throw stopped
      })
      // What is left goes in turns of its own: a checkpoint may be due.
      if (!isAll) void this.#inTurn(() => this.#trimInBackground()).catch(() => undefined)
    } catch (error) {
      // A damaged commit row stays, with those after it: whoever reads or prunes them is told.
      if (error !== stopped && !(error instanceof CorruptRecordError)) throw error
    }
  }

  async #trim(onStep: (step: TrimmedStep) => void): Promise<boolean> {
    // A commit on its way may name a removal that goes now as the revision before its own.
    await this.#options.writesSettled()
    const { redoTid, historyFrom } = this.#row
    return await this.#trimmer.trim({
      generation: this.#generation,
      upTo: Math.min(redoTid, historyFrom?.tid ?? redoTid) as Tid,
      historyFrom: historyFrom?.tid,
      newBatch: () => this.#newBatch(),
      write: (batch) => {
        batch.put(CHECKPOINT_KEY, encodeCheckpointRow(this.#row))
        return this.#write(batch)
      },
      onStep,
    })
  }

  async #write(batch: WriteBatch): Promise<void> {
    try {
      await batch.write({ sync: false })
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    this.stop()
    this.#options.onFailure(error)
  }
}
