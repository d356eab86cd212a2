import { CorruptRecordError } from './errors.js'
import type { Generation } from './generation.js'
import type { ClassRow, StorageRecord } from './interfaces.js'
import { classKeys, objectKeys, preservedKeys } from './key-space.js'
import type { Oid } from './oid.js'
import type { OverlayRevision } from './overlay.js'
import { encodeRecord, isRemoval, recordBytes } from './record.js'
import { encodeClassRow } from './rows.js'
import { NO_TID, type Tid } from './tid.js'
import type { WriteBatch } from './write-batch.js'

/** Records of one batch: other work gets its turn between two. */
const RECORDS_A_STEP = 256
/** More of them while less was written than so many times what came meanwhile: see {@link ObjectRowsTask.arrived}. */
const PACE = 2
/** And at most so many bytes, give or take a record. */
const BYTES_A_STEP = 1024 * 1024

/** Which records are to be brought to their objects' own rows. */
export interface ObjectRowsTask {
  /** Its overlay has them. */
  readonly generation: Generation
  /** Of commits up to this one. */
  readonly upTo: Tid
  /** Records of commits up to this one may be there already: they were when the storage was opened. */
  readonly writtenTo: Tid
  /** The oldest commit that the database is to be readable at; undefined when only the newest is. */
  readonly historyFrom: Tid | undefined
  readonly newBatch: () => WriteBatch
  readonly write: (batch: WriteBatch) => Promise<void>
  /**
   * Bytes of commits that came since this began. LevelDB takes batches of commits and of this in turn, so
   * that large commits would leave small steps behind.
   */
  readonly arrived: () => number
}

/**
 * Writes the newest record of each object that recent commits wrote, and their classes. Nothing depends
 * on how much of it reaches the disk until a checkpoint row says so.
 * @returns whether everything of commits up to `writtenTo` was there already.
 */
export async function writeObjectRows(task: ObjectRowsTask): Promise<boolean> {
  const writer = new ObjectRowWriter(task)
  writer.addClasses()
  for (const oid of [...task.generation.overlay.oids]) {
    writer.add(oid)
    if (writer.isFull) await writer.flush()
  }
  await writer.flush()
  return writer.wasIntact
}

class ObjectRowWriter {
  wasIntact = true
  readonly #task: ObjectRowsTask
  #batch: WriteBatch
  #records = 0
  #written = 0 // bytes of the batches before

  constructor(task: ObjectRowsTask) {
    this.#task = task
    this.#batch = task.newBatch()
  }

  get isFull(): boolean {
    const { bytes } = this.#batch
    if (bytes >= BYTES_A_STEP) return true
    return this.#records >= RECORDS_A_STEP && this.#written + bytes >= PACE * this.#task.arrived()
  }

  addClasses(): void {
    const { generation, upTo } = this.#task
    const { overlay } = generation
    for (let tid = (overlay.after + 1) as Tid; tid <= upTo; tid++) {
      for (const row of overlay.commit(tid)?.classes ?? []) this.#addClass(row, tid)
    }
  }

  add(oid: Oid): void {
    const revision = this.#task.generation.overlay.at(oid, this.#task.upTo)
    if (revision === undefined || this.#isWritten(oid, revision)) return
    this.#records++
    this.#preserveOlder(oid, revision)
    const record = revision.toRecord()
    const key = objectKeys.encode(oid)
    if (this.#isObject(record)) this.#batch.put(key, this.#encode(record))
    else this.#batch.del(key)
  }

  async flush(): Promise<void> {
    if (this.#batch.bytes > 0) await this.#task.write(this.#batch)
    this.#written += this.#batch.bytes
    this.#batch = this.#task.newBatch()
    this.#records = 0
    await new Promise(setImmediate)
  }

  /** History needs a row that says that the object was removed; else there is none. */
  #isObject(record: StorageRecord): boolean {
    const { historyFrom } = this.#task
    return !isRemoval(record) || (historyFrom !== undefined && record.tid > historyFrom)
  }

  #encode({ link, ...record }: StorageRecord): Buffer {
    const kept = this.#task.historyFrom === undefined ? record : { ...record, link }
    const bytes = Buffer.allocUnsafe(recordBytes(kept))
    encodeRecord(bytes, kept)
    return bytes
  }

  #addClass(row: ClassRow, tid: Tid): void {
    const key = classKeys.encode(row.classId)
    if (tid <= this.#task.writtenTo) {
      if (this.#task.generation.hasRow(key)) return
      this.wasIntact = false
    }
    this.#batch.put(key, encodeClassRow(row))
  }

  #isWritten(oid: Oid, revision: OverlayRevision): boolean {
    if (revision.tid > this.#task.writtenTo) return false
    const written = this.#stored(() => this.#task.generation.baseRecord(oid))
    if (written === undefined ? this.#isGone(revision) : written.tid === revision.tid) return true
    this.wasIntact = false
    return false
  }

  #isGone(revision: OverlayRevision): boolean {
    return !this.#isObject(revision.toRecord())
  }

  /**
   * Keeps the revision that was current when history began, or at the oldest commit to be read, before
   * its row is written over. Later ones have the rows of their commits.
   */
  #preserveOlder(oid: Oid, newest: OverlayRevision): void {
    const { generation, historyFrom = NO_TID } = this.#task
    if (historyFrom === NO_TID) return
    for (let at: OverlayRevision | undefined = newest; at !== undefined; at = at.older) {
      const previousTid = at.link?.previousTid ?? NO_TID
      if (at.tid <= historyFrom || previousTid === NO_TID || previousTid > historyFrom) continue
      const previous = this.#stored(() => generation.revision(oid, previousTid))
      if (previous !== undefined) {
        this.#batch.put(preservedKeys.encode(oid, previousTid), this.#encode(previous))
      }
    }
  }

  /** A damaged record must not keep a new one from being written: it counts as not there. */
  #stored(read: () => StorageRecord | undefined): StorageRecord | undefined {
    try {
      return read()
    } catch (error) {
      if (error instanceof CorruptRecordError) return undefined
      throw error
    }
  }
}
