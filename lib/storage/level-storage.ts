import { invariant } from '../foundation/index.js'
import type { BlobStore } from './blob-store.js'
import { Checkpointer } from './checkpointer.js'
import { CommitLinks } from './commit-links.js'
import { CommitRow } from './commit-row.js'
import { tidAt } from './commit-times.js'
import { walkCommits } from './commit-walk.js'
import {
  CheckpointFailedError,
  CorruptStorageError,
  NotEmptyError,
  OutcomeUnknownError,
  StorageClosedError,
  StorageReadOnlyError,
  unavailable,
} from './errors.js'
import { fill } from './filling.js'
import type { Generation } from './generation.js'
import type {
  ClassRow,
  CommitRange,
  Durability,
  History,
  PruneProgress,
  RevisionInfo,
  RowProblem,
  RowsCheck,
  Storage,
  StorageCommit,
  StorageContents,
  StorageRecord,
  StorageSnapshot,
  TransactionRow,
} from './interfaces.js'
import type { LevelDatabase } from './level-database.js'
import { isDiskFull } from './level-error.js'
import { LevelSnapshot } from './level-snapshot.js'
import { MemoryBlobs } from './memory-blobs.js'
import type { Oid } from './oid.js'
import { type Contents, readContents } from './open-check.js'
import { isRemoval } from './record.js'
import { checkRows } from './row-check.js'
import type { CommitTime, Position } from './rows.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** Where a database is kept, and how to get hold of it. */
export interface DatabasePlace {
  /** For messages. */
  readonly location: string
  /** Takes the place for us alone and opens the database in it. May be called again after `close`. */
  open(): Promise<LevelDatabase>
  /** Where the contents of blobs are, once it is open; absent where they are kept in memory. */
  readonly blobs?: BlobStore | undefined
  /** Makes what was written survive a power loss; absent where nothing does. */
  sync?(): Promise<void>
  /**
   * The newest commit that must be there, as the files knew before LevelDB opened them. Known once it
   * is open.
   */
  readonly syncedTid?: Tid | undefined
  /** Closes the database, then lets go of the place. */
  close(): Promise<void>
}

/** Options of {@link LevelStorage}. */
export interface LevelStorageOptions {
  /** Refuse to write. @defaultValue false */
  readonly readOnly?: boolean
  /** LevelDB's write buffer, at most 2^32 - 1. @defaultValue {@link DEFAULT_WRITE_BUFFER_BYTES} */
  readonly writeBufferBytes?: number
  /** Which earlier revisions are kept. @defaultValue as the database is: a new one keeps none */
  readonly history?: History | undefined
  /** How many bytes of commits bring a checkpoint on. @defaultValue 4 MiB */
  readonly checkpointBytes?: number | undefined
  /** How long a pause in commits brings a checkpoint on. @defaultValue 1000 */
  readonly idleMs?: number | undefined
}

/** LevelDB's own default. */
export const DEFAULT_WRITE_BUFFER_BYTES = 4 * 1024 * 1024
const DEFAULT_CHECKPOINT_BYTES = 4 * 1024 * 1024
const DEFAULT_IDLE_MS = 1000

/**
 * What the storage is doing.
 *
 * | phase     | what is true                                        | leads to                          |
 * | --------- | --------------------------------------------------- | --------------------------------- |
 * | `new`     | holds nothing                                       | `opening`, `closed`               |
 * | `opening` | the place may be ours                               | `open`, or `new` when open failed |
 * | `open`    | contents are known, no write is on its way          | `writing`, `inDoubt`, `closed`    |
 * | `writing` | one batch is on its way                             | `open`, `inDoubt`                 |
 * | `inDoubt` | a batch failed and may be on disk: acknowledged commits are read, none is written | `closed` |
 * | `closed`  | the place is let go, or about to be                 | —                                 |
 */
type Phase = 'new' | 'opening' | 'open' | 'writing' | 'inDoubt' | 'closed'

/** What a storage has while it is open. */
interface Opened {
  readonly databaseId: string
  readonly database: LevelDatabase
  readonly checkpointer: Checkpointer
}

/**
 * A storage on any abstract-level database that has `getSync` and explicit snapshots.
 * @public
 */
export class LevelStorage implements Storage {
  readonly #place: DatabasePlace
  readonly #options: LevelStorageOptions
  readonly #snapshots = new Set<LevelSnapshot>()
  #phase: Phase = 'new'
  #opened: Opened | undefined
  #memoryBlobs: MemoryBlobs | undefined
  #position: Position | undefined
  #classes: readonly ClassRow[] = []
  /** Settles when the running open or write has; never rejects. */
  #busy: Promise<unknown> = Promise.resolve()
  /** Settles when the commits that are on their way to LevelDB have arrived; never rejects. */
  #onTheirWay: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  #failure: OutcomeUnknownError | CheckpointFailedError | undefined

  /** @throws RangeError when the limit of the history is none. */
  constructor(place: DatabasePlace, options: LevelStorageOptions = {}) {
    assertHistory(options.history)
    this.#place = place
    this.#options = options
  }

  get location(): string {
    return this.#place.location
  }

  get isOpen(): boolean {
    return this.#phase === 'open' || this.#phase === 'writing' || this.#phase === 'inDoubt'
  }

  get databaseId(): string {
    return this.#known().databaseId
  }

  get isReadOnly(): boolean {
    return this.#options.readOnly ?? false
  }

  get lastTid(): Tid {
    return this.#lastPosition().tid
  }

  get highestOid(): number {
    return this.#lastPosition().highestOid
  }

  get classes(): readonly ClassRow[] {
    this.#known()
    return this.#classes
  }

  get blobs(): BlobStore {
    this.#known()
    if (this.#place.blobs !== undefined) return this.#place.blobs
    this.#memoryBlobs ??= new MemoryBlobs()
    return this.#memoryBlobs
  }

  get historyFrom(): Tid | undefined {
    return this.#known().checkpointer.historyFrom?.tid
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
    if (this.#options.readOnly) throw this.#readOnlyError()
    if (commits.length === 0) return
    this.#phase = 'writing'
    const writing = this.#write(commits, durability).finally(() => {
      this.#phase = this.#failure === undefined ? 'open' : 'inDoubt'
    })
    this.#busy = writing.catch(() => undefined)
    await writing
  }

  snapshot(): StorageSnapshot {
    const { checkpointer } = this.#openOne()
    return this.#snapshotOf(checkpointer.generation, this.lastTid)
  }

  snapshotAt(tid: Tid): StorageSnapshot {
    const { checkpointer } = this.#openOne()
    this.#assertInHistory(tid)
    return this.#snapshotOf(checkpointer.generation, tid)
  }

  loadRevision(oid: Oid, tid: Tid): StorageRecord | undefined {
    const record = this.#openOne().checkpointer.generation.revision(oid, tid)
    return record === undefined || isRemoval(record) ? undefined : record
  }

  revisions(
    oid: Oid,
    { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number | undefined } = {},
  ): readonly RevisionInfo[] {
    const { generation, historyFrom } = this.#openOne().checkpointer
    const found: RevisionInfo[] = []
    let record = generation.recordAt(oid, this.lastTid)
    while (record !== undefined && found.length < limit) {
      const { tid, state } = record
      found.push({ tid, bytes: state.length, removed: isRemoval(record) })
      record =
        historyFrom === undefined || tid <= historyFrom.tid
          ? undefined
          : generation.revisionBefore(record, historyFrom.tid)
    }
    return found
  }

  tidAt(timeMs: number): Tid {
    const { checkpointer } = this.#openOne()
    const newest = this.#lastPosition()
    const oldest = checkpointer.historyFrom ?? oldestInRedo(checkpointer, newest)
    return tidAt(checkpointer.generation, timeMs, { oldest, newest })
  }

  timeOf(tid: Tid): number | undefined {
    const { generation, historyFrom } = this.#openOne().checkpointer
    const newest = this.#lastPosition()
    if (tid === newest.tid) return newest.timeMs
    if (tid === historyFrom?.tid) return historyFrom.timeMs
    return generation.commit(tid)?.timeMs
  }

  transactionRow(tid: Tid): TransactionRow | undefined {
    return this.#openOne().checkpointer.generation.commit(tid)?.toTransactionRow()
  }

  transactions({
    after = NO_TID,
    upTo = this.lastTid,
    reverse,
  }: CommitRange & { readonly reverse?: boolean | undefined } = {}): AsyncIterable<TransactionRow> {
    const { generation } = this.#openOne().checkpointer
    const range = { after, upTo: Math.min(upTo, this.lastTid) as Tid, reverse }
    return mapped(this.#guarded(walkCommits(generation, range)), (row) => row.toTransactionRow())
  }

  commits(range: CommitRange = {}): AsyncIterable<StorageCommit> {
    const { generation, redoTid, historyFrom } = this.#openOne().checkpointer
    const gone = Math.min(redoTid, historyFrom?.tid ?? redoTid) as Tid
    const { after = gone, upTo = this.lastTid } = range
    if (after < gone) throw unavailable.gone((after + 1) as Tid, (gone + 1) as Tid)
    if (upTo > this.lastTid) throw unavailable.future(upTo, this.lastTid)
    const rows = this.#whole(walkCommits(generation, { after, upTo }), { after, upTo })
    return mapped(this.#guarded(rows), (row) => row.toCommit())
  }

  async fill(contents: StorageContents): Promise<void> {
    invariant(this.#phase !== 'writing', 'a storage is filled while nothing is written to it')
    this.#openOne()
    this.#assertWritable()
    if (this.lastTid !== NO_TID) throw this.#notEmptyError()
    this.#phase = 'writing'
    const filling = this.#fill(contents).finally(() => {
      this.#phase = this.#failure === undefined ? 'open' : 'inDoubt'
    })
    this.#busy = filling.catch(() => undefined)
    await filling
  }

  async checkpoint(): Promise<void> {
    const { checkpointer } = this.#openOne()
    this.#assertWritable()
    await checkpointer.checkpoint().catch((error) => {
      throw this.#failure ?? error
    })
  }

  async pruneHistory({
    before,
    onProgress = () => undefined,
    signal,
  }: {
    readonly before: Tid
    readonly onProgress?: ((progress: PruneProgress) => void) | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<PruneProgress> {
    const { checkpointer } = this.#openOne()
    this.#assertWritable()
    const { historyFrom } = checkpointer
    if (historyFrom === undefined) throw unavailable.off()
    if (before > this.lastTid) throw unavailable.future(before, this.lastTid)
    const timeMs = checkpointer.generation.commit(before)?.timeMs
    const oldest = timeMs === undefined ? historyFrom : { tid: before, timeMs }
    const pruning = checkpointer.prune(oldest, onProgress, () => {
      if (!this.isOpen) throw this.#closedError()
      signal?.throwIfAborted()
    })
    return await pruning.catch((error) => {
      throw this.#failure?.cause === error ? this.#failure : error
    })
  }

  checkRows({
    onProblem,
    signal,
  }: {
    readonly onProblem: (problem: RowProblem) => void
    readonly signal?: AbortSignal | undefined
  }): Promise<RowsCheck> {
    const { generation, redoTid, historyFrom } = this.#openOne().checkpointer
    const { lastTid } = this
    return checkRows({
      generation,
      lastTid,
      redoTid,
      historyFrom: historyFrom?.tid,
      onProblem,
      signal,
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<void> {
    try {
      await this.#read(await this.#place.open())
      this.#phase = 'open'
    } catch (error) {
      await this.#place.close()
      this.#phase = 'new'
      throw error
    }
  }

  async #read(database: LevelDatabase): Promise<void> {
    const { readOnly = false, history } = this.#options
    const { location, syncedTid = NO_TID } = this.#place
    const options = { location, history, readOnly, syncedTid }
    const contents = await readContents(database, options)
    this.#position = contents.position
    this.#classes = contents.classes
    const { databaseId } = contents
    const checkpointer = this.#newCheckpointer(database, contents)
    this.#opened = { databaseId, database, checkpointer }
  }

  #newCheckpointer(database: LevelDatabase, { checkpoint, overlay }: Contents): Checkpointer {
    const {
      history,
      readOnly = false,
      writeBufferBytes = DEFAULT_WRITE_BUFFER_BYTES,
      checkpointBytes = DEFAULT_CHECKPOINT_BYTES,
      idleMs = DEFAULT_IDLE_MS,
    } = this.#options
    return new Checkpointer({
      database,
      row: checkpoint,
      overlay,
      history,
      readOnly,
      writeBufferBytes,
      checkpointBytes,
      idleMs,
      sync: () => this.#place.sync?.() ?? Promise.resolve(),
      writesSettled: () => this.#onTheirWay,
      onFailure: (error) => {
        this.#failure ??= this.#checkpointFailedError(error)
        if (this.#phase === 'open') this.#phase = 'inDoubt'
      },
    })
  }

  async #write(commits: readonly StorageCommit[], durability: Durability): Promise<void> {
    const { checkpointer } = this.#openOne()
    const wait = checkpointer.tooFarBehind
    if (wait !== undefined) await wait
    if (this.#failure !== undefined) throw this.#closedError()
    const rows = this.#encode(commits, checkpointer)
    const written = checkpointer.append(rows, { sync: durability === 'sync' })
    this.#onTheirWay = written.catch(() => undefined)
    try {
      await written
    } catch (error) {
      checkpointer.stop()
      this.#failure = this.#outcomeUnknownError(commits, error)
      throw this.#failure
    }
    this.#position = (rows[rows.length - 1] as CommitRow).position
    const classes = commits.flatMap((commit) => commit.classes)
    if (classes.length > 0) this.#classes = [...this.#classes, ...classes.map(copyOfClass)]
  }

  #encode(
    commits: readonly StorageCommit[],
    { generation, historyFrom, syncedTid }: Checkpointer,
  ): CommitRow[] {
    const links =
      historyFrom === undefined
        ? undefined
        : new CommitLinks(generation, this.lastTid, historyFrom.tid)
    let before = this.#lastPosition()
    return commits.map((commit) => {
      const row = CommitRow.encode(commit, before, links?.linkOf, syncedTid)
      links?.add(row)
      before = row.position
      return row
    })
  }

  async #fill(contents: StorageContents): Promise<void> {
    const { checkpointer, database } = this.#openOne()
    try {
      await fill(database, contents)
      await this.#read(database)
      await checkpointer.close({ isSound: false })
    } catch (error) {
      checkpointer.stop()
      this.#failure = this.#partlyFilledError(error)
      throw error
    }
  }

  async #close(): Promise<void> {
    while (this.#phase === 'opening' || this.#phase === 'writing') await this.#busy
    const wasOpen = this.isOpen
    this.#phase = 'closed'
    for (const snapshot of this.#snapshots) snapshot.close()
    if (!wasOpen) return
    const isSound = this.#failure === undefined && this.#options.readOnly !== true
    await this.#opened?.checkpointer.close({ isSound })
    await this.#place.close()
  }

  #snapshotOf(generation: Generation, tid: Tid): LevelSnapshot {
    const snapshot = new LevelSnapshot(generation, tid, (closed) => {
      this.#snapshots.delete(closed)
    })
    this.#snapshots.add(snapshot)
    return snapshot
  }

  /** All commits of a range, each the one after the last. */
  async *#whole(
    rows: AsyncIterable<CommitRow>,
    { after, upTo }: { readonly after: Tid; readonly upTo: Tid },
  ): AsyncGenerator<CommitRow, void, undefined> {
    let last = after
    for await (const row of rows) {
      if (row.tid !== last + 1) break
      yield row
      last = row.tid
    }
    if (last < upTo) throw this.#missingCommit((last + 1) as Tid)
  }

  /** Says that the storage is closed, once it is, whatever LevelDB says then. */
  async *#guarded<T>(items: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      for await (const item of items) {
        this.#openOne()
        yield item
      }
    } catch (error) {
      this.#openOne()
      throw error
    }
  }

  #assertInHistory(tid: Tid): void {
    const { historyFrom } = this
    if (historyFrom === undefined) throw unavailable.off()
    if (tid < historyFrom) throw unavailable.tooOld(tid, historyFrom)
    if (tid > this.lastTid) throw unavailable.future(tid, this.lastTid)
  }

  #assertWritable(): void {
    if (this.#options.readOnly) throw this.#readOnlyError()
    if (this.#failure !== undefined) throw this.#closedError()
  }

  #known(): Opened {
    if (this.#opened === undefined) throw this.#closedError()
    return this.#opened
  }

  #lastPosition(): Position {
    if (this.#position === undefined) throw this.#closedError()
    return this.#position
  }

  #openOne(): Opened {
    if (!this.isOpen) throw this.#closedError()
    return this.#known()
  }

  #closedError(): StorageClosedError {
    const details = { location: this.location }
    if (this.#phase !== 'closed' && this.#failure !== undefined) {
      return new StorageClosedError(
        `The storage ${this.location} takes no more commits since writing to it failed. Close it and open it ` +
          'again: the open says which commits survived.',
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

  #outcomeUnknownError(commits: readonly StorageCommit[], cause: unknown): OutcomeUnknownError {
    const first = formatTid((commits[0] as StorageCommit).tid)
    const last = formatTid((commits[commits.length - 1] as StorageCommit).tid)
    const which = first === last ? `transaction ${last}` : `transactions ${first} to ${last}`
    return new OutcomeUnknownError(
      `Writing ${which} to ${this.location} failed, and may be on disk all the same. ${whatToDo(cause)}, then ` +
        'open the storage again: the open says which commits survived.',
      {
        cause,
        details: { location: this.location, first, last, diskFull: isDiskFull(cause) },
      },
    )
  }

  #partlyFilledError(cause: unknown): OutcomeUnknownError {
    return new OutcomeUnknownError(
      `${this.location} was filled in part only, and can no longer be opened. Remove what is there, and ` +
        'begin again.',
      { cause, details: { location: this.location } },
    )
  }

  #notEmptyError(): NotEmptyError {
    return new NotEmptyError(
      `The storage ${this.location} has ${this.lastTid} commits, and only an empty one can be filled. Choose ` +
        'another place, or remove what is there.',
      { details: { location: this.location, lastTid: formatTid(this.lastTid) } },
    )
  }

  #checkpointFailedError(cause: unknown): CheckpointFailedError {
    return new CheckpointFailedError(
      `A checkpoint of ${this.location} failed. Every acknowledged commit is on disk. ${whatToDo(cause)}, then ` +
        'open the storage again.',
      { cause, details: { location: this.location, diskFull: isDiskFull(cause) } },
    )
  }

  #missingCommit(tid: Tid): CorruptStorageError {
    return new CorruptStorageError(
      `The row of transaction ${formatTid(tid)} is missing in ${this.location}. Restore a backup to have it back.`,
      { details: { location: this.location, tid: formatTid(tid) } },
    )
  }
}

/** Without history, the commits whose rows are there are those after the redo tid. */
function oldestInRedo({ generation, redoTid }: Checkpointer, newest: Position): CommitTime {
  if (redoTid === NO_TID) return { tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }
  const first = generation.commit((redoTid + 1) as Tid)
  return first === undefined ? newest : { tid: first.tid, timeMs: first.timeMs }
}

async function* mapped<T, U>(
  items: AsyncIterable<T>,
  map: (item: T) => U,
): AsyncGenerator<U, void, undefined> {
  for await (const item of items) yield map(item)
}

function whatToDo(cause: unknown): string {
  return isDiskFull(cause)
    ? 'The disk is full: make room on it'
    : 'LevelDB reported a failure: see the cause'
}

function copyOfClass({ classId, name, fields }: ClassRow): ClassRow {
  return { classId, name, fields: [...fields] }
}

function assertHistory(history: History | undefined): void {
  if (history === undefined || history === 'off' || history === 'all') return
  const { maxAgeMs, maxTransactions } = history as {
    maxAgeMs?: unknown
    maxTransactions?: unknown
  }
  const isAge = typeof maxAgeMs === 'number' && maxAgeMs >= 0
  const isCount = Number.isSafeInteger(maxTransactions) && (maxTransactions as number) >= 1
  if (isAge === isCount) {
    throw new RangeError(
      "history is 'off', 'all', { maxAgeMs } of 0 or more, or { maxTransactions } of 1 or more",
    )
  }
}
