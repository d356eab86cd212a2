import type { ChainedBatchWriteOptions } from 'classic-level'
import { invariant } from '../foundation/index.js'
import { type CommitBatch, encodeCommits } from './commit-batch.js'
import {
  CorruptRecordError,
  OutcomeUnknownError,
  StorageClosedError,
  StorageReadOnlyError,
} from './errors.js'
import type {
  ClassRow,
  Durability,
  Storage,
  StorageCommit,
  StorageSnapshot,
  TransactionRow,
} from './interfaces.js'
import { transactionKeys } from './key-space.js'
import { isDiskFull, isUnreadable } from './level-error.js'
import { type LevelDatabase, LevelSnapshot } from './level-snapshot.js'
import { type Contents, readContents } from './open-check.js'
import { DamagedRow, decodeTransactionRow, ForeignRow } from './rows.js'
import { formatTid, type Tid } from './tid.js'

/** Where a database is kept, and how to get hold of it. */
export interface DatabasePlace {
  /** For messages. */
  readonly location: string
  /** Takes the place for us alone and opens the database in it. May be called again after `close`. */
  open(): Promise<LevelDatabase>
  /** Closes the database, then lets go of the place. */
  close(): Promise<void>
}

/** Options of {@link LevelStorage}. */
export interface LevelStorageOptions {
  /** Refuse to write. @defaultValue false */
  readonly readOnly?: boolean
  /** LevelDB's write buffer, at most 2^32 - 1. @defaultValue {@link DEFAULT_WRITE_BUFFER_BYTES} */
  readonly writeBufferBytes?: number
}

/** LevelDB's own default. */
export const DEFAULT_WRITE_BUFFER_BYTES = 4 * 1024 * 1024

/**
 * What the storage is doing.
 *
 * | phase     | what is true                                        | leads to                          |
 * | --------- | --------------------------------------------------- | --------------------------------- |
 * | `new`     | holds nothing                                       | `opening`, `closed`               |
 * | `opening` | the place may be ours                               | `open`, or `new` when open failed |
 * | `open`    | contents are known, no write is on its way          | `writing`, `closed`               |
 * | `writing` | one batch is on its way                             | `open`, `inDoubt`                 |
 * | `inDoubt` | a batch failed and may be on disk; only old snapshots and rows are read | `closed` |
 * | `closed`  | the place is let go, or about to be                 | —                                 |
 */
type Phase = 'new' | 'opening' | 'open' | 'writing' | 'inDoubt' | 'closed'

/**
 * A storage on any abstract-level database that has `getSync` and explicit snapshots.
 * @public
 */
export class LevelStorage implements Storage {
  readonly #place: DatabasePlace
  readonly #readOnly: boolean
  readonly #writeBufferBytes: number
  readonly #snapshots = new Set<LevelSnapshot>()
  #phase: Phase = 'new'
  #database: LevelDatabase | undefined
  #contents: Contents | undefined
  /** Settles when the running open or write has; never rejects. */
  #busy: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  #failure: OutcomeUnknownError | undefined

  constructor(
    place: DatabasePlace,
    { readOnly = false, writeBufferBytes = DEFAULT_WRITE_BUFFER_BYTES }: LevelStorageOptions = {},
  ) {
    this.#place = place
    this.#readOnly = readOnly
    this.#writeBufferBytes = writeBufferBytes
  }

  get location(): string {
    return this.#place.location
  }

  get isOpen(): boolean {
    return this.#phase === 'open' || this.#phase === 'writing' || this.#phase === 'inDoubt'
  }

  get lastTid(): Tid {
    return this.#known().last.tid
  }

  get highestOid(): number {
    return this.#known().last.highestOid
  }

  get classes(): readonly ClassRow[] {
    return this.#known().classes
  }

  /** A UUID, given to the database when it was created. Valid once open. */
  get databaseId(): string {
    return this.#known().databaseId
  }

  async open(): Promise<void> {
    if (this.#phase === 'closed') throw this.#closedError()
    invariant(this.#phase === 'new', 'a storage is opened once')
    this.#phase = 'opening'
    const opening = this.#open()
    this.#busy = opening.catch(() => undefined)
    await opening
  }

  async write(commits: readonly StorageCommit[], durability: Durability): Promise<void> {
    invariant(this.#phase !== 'writing', 'a write begins after the one before it has ended')
    if (this.#phase !== 'open') throw this.#closedError()
    if (this.#readOnly) throw this.#readOnlyError()
    if (commits.length === 0) return
    const contents = this.#known()
    const batch = encodeCommits(commits, {
      ...contents.last,
      writeBufferBytes: this.#writeBufferBytes,
    })
    this.#phase = 'writing'
    const writing = this.#submit(batch, durability)
    this.#busy = writing.catch(() => undefined)
    await writing
  }

  snapshot(): StorageSnapshot {
    if (this.#phase !== 'open' && this.#phase !== 'writing') throw this.#closedError()
    const snapshot = new LevelSnapshot(this.#openDatabase(), (closed) => {
      this.#snapshots.delete(closed)
    })
    this.#snapshots.add(snapshot)
    return snapshot
  }

  transactionRow(tid: Tid): TransactionRow | undefined {
    const database = this.#openDatabase()
    // A row above the newest acknowledged commit may belong to a batch that is not durable yet.
    if (tid > this.#known().last.tid) return undefined
    try {
      const bytes = database.getSync(transactionKeys.encode(tid))
      return bytes === undefined ? undefined : decodeTransactionRow(bytes).row
    } catch (error) {
      throw unreadableTransaction(tid, error)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    try {
      const database = await this.#place.open()
      this.#contents = await readContents(database, {
        location: this.location,
        writeBufferBytes: this.#writeBufferBytes,
        mayCreate: !this.#readOnly,
      })
      this.#database = database
      this.#phase = 'open'
    } catch (error) {
      await this.#place.close()
      this.#phase = 'new'
      throw error
    }
  }

  async #submit(
    { keys, values, last, classes }: CommitBatch,
    durability: Durability,
  ): Promise<void> {
    const options: ChainedBatchWriteOptions = { sync: durability === 'sync' }
    const contents = this.#known()
    try {
      // Chained, 3.0 ms for 1000 records: an array of operations takes 10.4 ms.
      const batch = this.#openDatabase().batch()
      keys.forEach((key, i) => {
        batch.put(key, values[i]!)
      })
      await batch.write(options)
    } catch (error) {
      this.#phase = 'inDoubt'
      this.#failure = this.#outcomeUnknownError(contents.last.tid, last.tid, error)
      throw this.#failure
    }
    this.#contents = {
      ...contents,
      last,
      classes: classes.length === 0 ? contents.classes : [...contents.classes, ...classes],
    }
    this.#phase = 'open'
  }

  async #close(): Promise<void> {
    while (this.#phase === 'opening' || this.#phase === 'writing') await this.#busy
    const wasOpen = this.isOpen
    this.#phase = 'closed'
    for (const snapshot of this.#snapshots) snapshot.close()
    if (wasOpen) await this.#place.close()
  }

  #known(): Contents {
    if (this.#contents === undefined) throw this.#closedError()
    return this.#contents
  }

  #openDatabase(): LevelDatabase {
    if (!this.isOpen || this.#database === undefined) throw this.#closedError()
    return this.#database
  }

  #closedError(): StorageClosedError {
    const details = { location: this.location }
    if (this.#phase === 'inDoubt') {
      return new StorageClosedError(
        `The storage ${this.location} closed itself when a write failed. Close it and open it again: the open ` +
          'says which commits survived.',
        { cause: this.#failure, details },
      )
    }
    const why = this.#phase === 'closed' ? 'is closed' : 'is not open yet'
    return new StorageClosedError(`The storage ${this.location} ${why}.`, { details })
  }

  #readOnlyError(): StorageReadOnlyError {
    return new StorageReadOnlyError(
      `The storage ${this.location} was opened for reading. Open it without readOnly to write.`,
      { details: { location: this.location } },
    )
  }

  #outcomeUnknownError(before: Tid, last: Tid, cause: unknown): OutcomeUnknownError {
    const first = (before + 1) as Tid
    const which =
      first === last
        ? `transaction ${formatTid(last)}`
        : `transactions ${formatTid(first)} to ${formatTid(last)}`
    const diskFull = isDiskFull(cause)
    const why = diskFull
      ? 'The disk is full: make room on it'
      : 'LevelDB reported a failure: see the cause'
    return new OutcomeUnknownError(
      `Writing ${which} to ${this.location} failed, and may be on disk all the same. ${why}, then ` +
        'open the storage again: the open says which commits survived.',
      {
        cause,
        details: {
          location: this.location,
          first: formatTid(first),
          last: formatTid(last),
          diskFull,
        },
      },
    )
  }
}

function unreadableTransaction(tid: Tid, error: unknown): unknown {
  const bad = error instanceof DamagedRow || error instanceof ForeignRow || isUnreadable(error)
  if (!bad) return error
  return new CorruptRecordError(
    `The row of transaction ${formatTid(tid)} cannot be read: ${String(error)}. The objects that it wrote ` +
      'are not affected; restore a backup to have its row back.',
    { cause: error, details: { tid: formatTid(tid) } },
  )
}
