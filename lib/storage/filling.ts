/**
 * Makes an empty storage what another one was at some commit: objects in their own rows, without the
 * commits that wrote them.
 *
 * | step | what is on disk                       | what an open says after a crash       |
 * | ---- | ------------------------------------- | ------------------------------------- |
 * | 1    | the format row is removed             | `STORAGE_CORRUPT`: it was not ended   |
 * | 2    | object and class rows, in tables      | the same                              |
 * | 3    | format and checkpoint row, in one batch | it is there                         |
 */
import type { StorageChanges, StorageContents } from './interfaces.js'
import { CHECKPOINT_KEY, classKeys, FORMAT_KEY, objectKeys } from './key-space.js'
import type { LevelDatabase } from './level-database.js'
import { LogAge } from './log-age.js'
import { encodeRecord, recordBytes } from './record.js'
import { encodeCheckpointRow, encodeClassRow, encodeFormatRow, FORMAT_VERSION } from './rows.js'
import { WriteBatch } from './write-batch.js'

/** Bytes of one batch, give or take a record. */
const BYTES_A_STEP = 512 * 1024

/**
 * Fills a database that has no commit. Once this has thrown, it cannot be opened any more.
 * @throws what LevelDB reports, and what `contents.changes` throws.
 */
export async function fill(database: LevelDatabase, contents: StorageContents): Promise<void> {
  await database.batch().del(FORMAT_KEY).write(SYNC)
  const rows = new RowWriter(database)
  for (const row of contents.classes) rows.put(classKeys.encode(row.classId), encodeClassRow(row))
  for await (const changes of contents.changes) await writeChanges(rows, changes)
  await rows.flush()
  await toTables(database)
  await database
    .batch()
    .put(FORMAT_KEY, encodeFormatRow({ version: FORMAT_VERSION, databaseId: contents.databaseId }))
    .put(CHECKPOINT_KEY, encodeCheckpointRow(checkpointRow(contents)))
    .write(SYNC)
}

/** classic-level's option. */
const SYNC = { sync: true } as object

async function writeChanges(rows: RowWriter, { records, removed = [] }: StorageChanges) {
  for (const { link: _, ...record } of records) {
    const bytes = Buffer.allocUnsafe(recordBytes(record))
    encodeRecord(bytes, record)
    rows.put(objectKeys.encode(record.oid), bytes)
    if (rows.isFull) await rows.flush()
  }
  for (const oid of removed) {
    rows.del(objectKeys.encode(oid))
    if (rows.isFull) await rows.flush()
  }
}

function checkpointRow({ tid, timeMs, highestOid, classes }: StorageContents) {
  const position = { tid, timeMs, highestOid, classes: classes.length }
  return { position, redoTid: tid, historyFrom: undefined, session: undefined }
}

/**
 * Waits until nothing is in a log of LevelDB's that a synced batch does not sync: to compact a range
 * without keys makes a table of what is in memory, and no more.
 */
async function toTables(database: LevelDatabase): Promise<void> {
  const { compactRange } = database as {
    compactRange?: (from: Buffer, to: Buffer) => Promise<void>
  }
  await compactRange?.call(database, BEHIND_ALL_KEYS, BEHIND_ALL_KEYS)
}

const BEHIND_ALL_KEYS = Buffer.from([0xff])

class RowWriter {
  readonly #database: LevelDatabase
  readonly #age = new LogAge(Number.MAX_SAFE_INTEGER)
  #batch: WriteBatch

  constructor(database: LevelDatabase) {
    this.#database = database
    this.#batch = this.#newBatch()
  }

  get isFull(): boolean {
    return this.#batch.bytes >= BYTES_A_STEP
  }

  put(key: Buffer, value: Buffer): void {
    this.#batch.put(key, value)
  }

  del(key: Buffer): void {
    this.#batch.del(key)
  }

  async flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = this.#newBatch()
    if (batch.bytes > 0) await batch.write({ sync: false })
  }

  #newBatch(): WriteBatch {
    return new WriteBatch(this.#database, this.#age)
  }
}
