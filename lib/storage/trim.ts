import type { CommitRow } from './commit-row.js'
import { walkCommits } from './commit-walk.js'
import { CorruptRecordError } from './errors.js'
import type { Generation } from './generation.js'
import type { StorageRecord } from './interfaces.js'
import { commitKeys, objectKeys, preservedKeys } from './key-space.js'
import type { Oid } from './oid.js'
import { encodeRecord, isRemoval, recordBytes } from './record.js'
import { NO_TID, type Tid } from './tid.js'
import type { WriteBatch } from './write-batch.js'

/** Rows that are removed in one step, at most. */
const ROWS_A_STEP = 500
/** Steps of one call, at most: checkpoints wait for it. */
const STEPS_A_TURN = 10
/** Bytes of commit rows that are looked into in one step, give or take one row. */
const BYTES_A_STEP = 1024 * 1024

/** What is to go. */
export interface TrimTask {
  readonly generation: Generation
  /** Rows of commits up to this one go. Their records are in object rows, for certain. */
  readonly upTo: Tid
  /** The oldest commit that the database is to be readable at; undefined when only the newest is. */
  readonly historyFrom: Tid | undefined
  /** Writes one step, all or nothing. */
  readonly write: (batch: WriteBatch) => Promise<void>
  readonly newBatch: () => WriteBatch
  /** Called between steps; throws to stop. */
  readonly onStep: (step: TrimmedStep) => void
}

/** What one step did. */
export interface TrimmedStep {
  /** Commits whose rows it removed. */
  readonly transactions: number
  /** Revisions that it kept by themselves. */
  readonly preserved: number
}

/**
 * Removes commit rows that are no longer needed. A revision that was current at the oldest commit
 * to be read, and was replaced since, is kept by itself.
 */
export class Trimmer {
  #trimmedTo: Tid | undefined
  /** What may be left of a history that is no longer kept. */
  #leftovers: 'unknown' | 'some' | 'none' = 'unknown'

  /** Does a part. @returns whether that was all: else to be called again. */
  async trim(task: TrimTask): Promise<boolean> {
    if (task.historyFrom !== undefined) return await this.#trimHistory(task)
    if (this.#leftovers === 'unknown') {
      this.#leftovers = (await hasPreserved(task)) ? 'some' : 'none'
    }
    if (this.#leftovers === 'none') return await this.#trimRedo(task)
    const isAll = (await removePreserved(task)) && (await this.#trimHistory(task))
    if (isAll) this.#leftovers = 'none'
    return isAll
  }

  /** Nothing is to be kept: rows need not be read. */
  async #trimRedo(task: TrimTask): Promise<boolean> {
    let at = await this.#start(task)
    for (let step = 0; step < STEPS_A_TURN && at < task.upTo; step++) {
      const end = Math.min(at + ROWS_A_STEP, task.upTo) as Tid
      const batch = task.newBatch()
      for (let tid = at + 1; tid <= end; tid++) batch.del(commitKeys.encode(tid as Tid))
      await task.write(batch)
      this.#trimmedTo = end
      task.onStep({ transactions: end - at, preserved: 0 })
      at = end
    }
    return at >= task.upTo
  }

  async #trimHistory(task: TrimTask): Promise<boolean> {
    const start = await this.#start(task)
    let step = new TrimStep(task, start)
    let steps = 0
    for await (const row of walkCommits(task.generation, { after: start, upTo: task.upTo })) {
      step.add(row)
      if (!step.isFull) continue
      step = await this.#finish(step, task)
      if (++steps === STEPS_A_TURN) return false
    }
    await this.#finish(step, task)
    if (start < task.upTo) this.#trimmedTo = task.upTo
    return true
  }

  async #finish(step: TrimStep, task: TrimTask): Promise<TrimStep> {
    if (step.transactions === 0) return step
    const { batch, preserved } = step.toBatch()
    await task.write(batch)
    this.#trimmedTo = step.lastTid
    task.onStep({ transactions: step.transactions, preserved })
    return new TrimStep(task, step.lastTid)
  }

  /** The commit before the first whose row is there: rows may be left from before the last opening. */
  async #start({ generation, upTo }: TrimTask): Promise<Tid> {
    if (this.#trimmedTo === undefined) {
      const { database, overlay } = generation
      const [first] = await database.keys({ ...commitKeys.range, limit: 1 }).all()
      const tid = first === undefined ? undefined : commitKeys.decode(first)
      this.#trimmedTo = (tid === undefined ? Math.min(upTo, overlay.after) : tid - 1) as Tid
    }
    return this.#trimmedTo
  }
}

/** Some commit rows that go together. */
class TrimStep {
  transactions = 0
  lastTid: Tid
  readonly #task: TrimTask
  readonly #after: Tid
  readonly #batch: WriteBatch
  /** The newest revision of each object in these rows. */
  readonly #newest = new Map<Oid, { record: StorageRecord; row: CommitRow }>()
  #bytes = 0

  constructor(task: TrimTask, after: Tid) {
    this.#task = task
    this.#after = after
    this.lastTid = after
    this.#batch = task.newBatch()
  }

  get isFull(): boolean {
    return this.transactions >= ROWS_A_STEP || this.#bytes >= BYTES_A_STEP
  }

  add(row: CommitRow): void {
    this.transactions++
    this.lastTid = row.tid
    this.#bytes += row.bytes.length
    this.#batch.del(commitKeys.encode(row.tid))
    for (let index = 0; index < row.entries; index++) {
      const record = row.recordAt(index)
      this.#newest.set(record.oid, { record, row })
      this.#dropPreserved(record)
    }
  }

  /** The revision before, when an earlier step kept it by itself: nobody needs it now. */
  #dropPreserved({ oid, link }: StorageRecord): void {
    if (link === undefined || link.previousTid === NO_TID || link.previousTid > this.#after) return
    this.#batch.del(preservedKeys.encode(oid, link.previousTid))
  }

  toBatch(): { readonly batch: WriteBatch; readonly preserved: number } {
    let preserved = 0
    for (const { record, row } of this.#newest.values()) {
      if (this.#isCurrent(record)) {
        if (isRemoval(record)) this.#batch.del(objectKeys.encode(record.oid))
      } else if (this.#isNeeded(record, row)) {
        const bytes = Buffer.allocUnsafe(recordBytes(record))
        encodeRecord(bytes, record)
        this.#batch.put(preservedKeys.encode(record.oid, record.tid), bytes)
        preserved++
      }
    }
    return { batch: this.#batch, preserved }
  }

  /** Whether the object's own row has it. */
  #isCurrent({ oid, tid }: StorageRecord): boolean {
    const { overlay } = this.#task.generation
    if (overlay.newest(oid) !== undefined) return false
    return readable(() => this.#task.generation.baseRecord(oid))?.tid === tid
  }

  #isNeeded({ oid, tid }: StorageRecord, row: CommitRow): boolean {
    const { generation, historyFrom } = this.#task
    if (historyFrom === undefined) return false
    // One of a row without links may have a later one up to `historyFrom` that does not name it.
    if (row.isLinked) return true
    return readable(() => generation.recordAt(oid, historyFrom))?.tid === tid
  }
}

async function hasPreserved({ generation }: TrimTask): Promise<boolean> {
  const keys = generation.database.keys({ ...preservedKeys.range, limit: 1 })
  return (await keys.all()).length > 0
}

/** Removes what a history left that is no longer kept. @returns whether that was all. */
async function removePreserved(task: TrimTask): Promise<boolean> {
  const { database } = task.generation
  for (let step = 0; step < STEPS_A_TURN; step++) {
    const keys = await database.keys({ ...preservedKeys.range, limit: ROWS_A_STEP }).all()
    if (keys.length === 0) return true
    const batch = task.newBatch()
    for (const key of keys) batch.del(key)
    await task.write(batch)
    task.onStep({ transactions: 0, preserved: 0 })
  }
  return false
}

/** A damaged record must not keep others from being trimmed: it counts as not there. */
function readable(read: () => StorageRecord | undefined): StorageRecord | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
}
