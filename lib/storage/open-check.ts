/**
 * What a storage learns when it opens, and the checks that nothing is missing.
 *
 * LevelDB opens a damaged log without an error and forgets the batches in it. What a log can lose is
 * bounded: a batch leaves it for a table, which is synced first, once the write buffer is full. So
 * these must hold of the newest commits, over as many bytes as logs can hold:
 *
 * - each tid has a transaction row, and none is above the last row's,
 * - each such row can be read, and agrees with its key and with itself,
 * - as many commits were made as the last tid says,
 * - the newest revision of an object a commit wrote is the object's record (up to a limit),
 * - class rows are numbered from 1 without a gap, as many as the last row says.
 */
import type { ChainedBatchWriteOptions } from 'classic-level'
import { TreehookError } from '../foundation/index.js'
import {
  CorruptRecordError,
  CorruptStorageError,
  StorageFullError,
  UnknownFormatError,
} from './errors.js'
import type { ClassRow, TransactionRow } from './interfaces.js'
import { classKeys, FORMAT_KEY, LAST_KEY, objectKeys, transactionKeys } from './key-space.js'
import { isDiskFull, isUnreadable } from './level-error.js'
import type { LevelDatabase } from './level-snapshot.js'
import { formatOid, type Oid } from './oid.js'
import { decodeRecord } from './record.js'
import {
  type CheckedTransactionRow,
  DamagedRow,
  decodeClassRow,
  decodeFormatRow,
  decodeLastRow,
  decodeTransactionRow,
  encodeFormatRow,
  ForeignRow,
  type FormatRow,
  firstLastRow,
  type LastRow,
  newFormatRow,
} from './rows.js'
import { formatTid, type Tid } from './tid.js'

/** What an open storage knows without reading. */
export interface Contents {
  readonly databaseId: string
  readonly last: LastRow
  /** By rising id. */
  readonly classes: readonly ClassRow[]
}

/** LevelDB has at most two logs, each of one write buffer and the batch that filled it. */
const TAIL_WRITE_BUFFERS = 4
/** Bounds the time of an open: some 50 ms on a slow machine. */
const SAMPLED_OBJECTS = 10_000
const ROWS_A_STEP = 1000

/**
 * Reads a database, after making a new one when there is nothing and `mayCreate`.
 * @throws STORAGE_UNKNOWN_FORMAT, having written nothing.
 * @throws STORAGE_CORRUPT
 */
export async function readContents(
  database: LevelDatabase,
  {
    location,
    writeBufferBytes,
    mayCreate,
  }: { readonly location: string; readonly writeBufferBytes: number; readonly mayCreate: boolean },
): Promise<Contents> {
  const check = new OpenCheck(database, location)
  try {
    const format =
      (await check.format()) ?? (mayCreate ? await create(database) : check.refuseEmpty())
    const last = (await check.last()) ?? firstLastRow(writeBufferBytes)
    const classes = await check.classes(last)
    await check.tail(last)
    return { databaseId: format.databaseId, last, classes }
  } catch (error) {
    throw check.explain(error)
  }
}

async function create(database: LevelDatabase): Promise<FormatRow> {
  const format = newFormatRow()
  const options: ChainedBatchWriteOptions = { sync: true }
  await database.batch().put(FORMAT_KEY, encodeFormatRow(format)).write(options)
  return format
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
    if (this.#hasLastRow()) throw this.#corrupt('its format row is missing')
    throw this.#unknownFormat('it holds rows of another program')
  }

  refuseEmpty(): never {
    throw this.#unknownFormat('it is empty, and was opened for reading')
  }

  /** `undefined` before the first commit. */
  async last(): Promise<LastRow | undefined> {
    const bytes = this.#database.getSync(LAST_KEY)
    if (bytes === undefined) {
      const [key] = await this.#database.keys({ gt: LAST_KEY, limit: 1 }).all()
      if (key !== undefined) throw this.#corrupt('its last row is missing, though there are others')
      return undefined
    }
    const last = this.#decode('last row', () => decodeLastRow(bytes))
    if (last.commits !== last.tid) {
      throw this.#corrupt(
        `its last row counts ${last.commits} commits up to tid ${formatTid(last.tid)}`,
      )
    }
    return last
  }

  async classes(last: LastRow): Promise<ClassRow[]> {
    const rows: ClassRow[] = []
    for (const [key, bytes] of await this.#database.iterator(classKeys.range).all()) {
      const classId = rows.length + 1
      const row = this.#decode(`row of class ${classId}`, () => decodeClassRow(bytes))
      if (classKeys.decode(key) !== classId || row.classId !== classId) {
        throw this.#corrupt(`the row of class ${classId} is missing`)
      }
      rows.push(row)
    }
    if (rows.length !== last.classes) {
      throw this.#corrupt(`${rows.length} of its ${last.classes} class rows are there`)
    }
    return rows
  }

  /** Walks the transaction rows back from the newest. */
  async tail(last: LastRow): Promise<void> {
    const enough = TAIL_WRITE_BUFFERS * last.writeBufferBytes
    const objects = new ObjectSample(this.#database)
    const missing: (readonly [from: Tid, to: Tid])[] = []
    let expected = last.tid as number
    let walkedBytes = 0
    const iterator = this.#database.iterator({ ...transactionKeys.range, reverse: true })
    try {
      while (expected > 0 && walkedBytes < enough) {
        const entries = await iterator.nextv(ROWS_A_STEP)
        if (entries.length === 0) {
          missing.push([1 as Tid, expected as Tid])
          break
        }
        for (const [key, bytes] of entries) {
          if (walkedBytes >= enough) break
          const tid = this.#tidOf(key, expected)
          if (tid < expected) missing.push([(tid + 1) as Tid, expected as Tid])
          const row = this.#transactionRow(tid, bytes)
          objects.add(row.row)
          expected = tid - 1
          // A commit may exceed the write buffer, and a log then ends with it: it counts as one full.
          walkedBytes += Math.min(row.bytes + bytes.length, last.writeBufferBytes)
        }
      }
    } finally {
      await iterator.close()
    }
    if (missing.length > 0) throw this.#missingTransactions(missing, last)
    if (objects.lost.length > 0) throw this.#lostObjects(objects.lost)
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
    return isUnreadable(error) ? this.#corrupt('LevelDB cannot read its files', {}, error) : error
  }

  #tidOf(key: Buffer, expected: number): Tid {
    const tid = transactionKeys.decode(key)
    if (tid === undefined) throw this.#corrupt(`a transaction has the key ${key.toString('hex')}`)
    if (tid > expected) {
      throw this.#corrupt(`transaction ${formatTid(tid)} is newer than its last row`)
    }
    return tid
  }

  #transactionRow(tid: Tid, bytes: Buffer): CheckedTransactionRow {
    const name = `row of transaction ${formatTid(tid)}`
    const checked = this.#decode(name, () => decodeTransactionRow(bytes))
    if (checked.row.tid !== tid) {
      throw this.#corrupt(`the ${name} belongs to transaction ${formatTid(checked.row.tid)}`)
    }
    if (checked.row.oids.length !== checked.records) {
      throw this.#corrupt(
        `the ${name} names ${checked.row.oids.length} of ${checked.records} objects`,
      )
    }
    return checked
  }

  #hasLastRow(): boolean {
    const bytes = this.#database.getSync(LAST_KEY)
    if (bytes === undefined) return false
    try {
      decodeLastRow(bytes)
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

  #missingTransactions(
    missing: readonly (readonly [from: Tid, to: Tid])[],
    last: LastRow,
  ): CorruptStorageError {
    const ranges = missing.map(([from, to]) =>
      from === to ? formatTid(from) : `${formatTid(from)} to ${formatTid(to)}`,
    )
    return this.#corrupt(
      `transactions before the newest, ${formatTid(last.tid)}, are missing: ${ranges.join(', ')}`,
      { missing: ranges },
    )
  }

  #lostObjects(lost: readonly Oid[]): CorruptStorageError {
    const oids = lost.map(formatOid)
    const shown = oids.slice(0, 5).join(', ')
    return this.#corrupt(
      `${oids.length} objects are older than the transactions that wrote them: oid ${shown}` +
        (oids.length > 5 ? ', …' : ''),
      { oids },
    )
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

/** Compares objects with the newest of the transactions that wrote them. */
class ObjectSample {
  /** Objects whose newest revision is not there. */
  readonly lost: Oid[] = []
  readonly #database: LevelDatabase
  readonly #seen = new Set<Oid>()

  constructor(database: LevelDatabase) {
    this.#database = database
  }

  /** Rows come newest first, so the first that names an object wrote its record. */
  add({ tid, oids }: TransactionRow): void {
    for (const oid of oids) {
      if (this.#seen.size >= SAMPLED_OBJECTS) return
      if (this.#seen.has(oid)) continue
      this.#seen.add(oid)
      if (!this.#isWrittenBy(tid, oid)) this.lost.push(oid)
    }
  }

  #isWrittenBy(tid: Tid, oid: Oid): boolean {
    try {
      const bytes = this.#database.getSync(objectKeys.encode(oid))
      return bytes !== undefined && decodeRecord(bytes, oid).tid === tid
    } catch (error) {
      // One damaged record must not keep all others from being read: loading it says so.
      if (error instanceof CorruptRecordError || isUnreadable(error)) return true
      throw error
    }
  }
}
