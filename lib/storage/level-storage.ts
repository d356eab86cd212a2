import {
  aBoolean,
  aWholeNumber,
  checkOptions,
  milliseconds,
  type OptionRule,
  type OptionRules,
} from '../foundation/index.js'
import type { BlobStore } from './blob-store.js'
import { Checkpointer } from './checkpointer.js'
import { CommitLinks } from './commit-links.js'
import { CommitRow } from './commit-row.js'
import type { DatabasePlace } from './database-place.js'
import { InvalidStorageOptionError, NotEmptyError } from './errors.js'
import { fill } from './filling.js'
import type { Generation } from './generation.js'
import { aHistory } from './history-option.js'
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
import { LevelHistory } from './level-history.js'
import { LevelSnapshot } from './level-snapshot.js'
import { MemoryBlobs } from './memory-blobs.js'
import type { Oid } from './oid.js'
import { type Contents, readContents } from './open-check.js'
import { checkRows } from './row-check.js'
import type { Position } from './rows.js'
import { StoragePhase } from './storage-phase.js'
import { formatTid, NO_TID, type Tid } from './tid.js'
import { writeFailure } from './write-failure.js'

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
/** As many as LevelDB can count. */
export const BUFFER_BYTES: OptionRule = aWholeNumber(1, 0xffff_ffff, 'a whole number of bytes')

const OPTION_RULES: OptionRules<LevelStorageOptions> = {
  readOnly: aBoolean,
  writeBufferBytes: BUFFER_BYTES,
  history: aHistory,
  checkpointBytes: BUFFER_BYTES,
  idleMs: milliseconds,
}

/** What a storage has once it was opened. */
interface Opened {
  readonly databaseId: string
  readonly database: LevelDatabase
  readonly checkpointer: Checkpointer
  readonly history: LevelHistory
}

/**
 * A storage on any abstract-level database that has `getSync` and explicit snapshots.
 * @public
 */
export class LevelStorage implements Storage {
  readonly #place: DatabasePlace
  readonly #options: LevelStorageOptions
  readonly #phase: StoragePhase
  readonly #snapshots = new Set<LevelSnapshot>()
  #opened: Opened | undefined
  #memoryBlobs: MemoryBlobs | undefined
  #position: Position | undefined
  #classes: readonly ClassRow[] = []
  /** Settles when the commits that are on their way to LevelDB have arrived; never rejects. */
  #onTheirWay: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @throws STORAGE_INVALID_OPTION */
  constructor(place: DatabasePlace, options: LevelStorageOptions = {}) {
    checkOptions(options, OPTION_RULES, InvalidStorageOptionError)
    this.#place = place
    this.#options = options
    this.#phase = new StoragePhase(place.location, { isReadOnly: this.isReadOnly })
  }

  get location(): string {
    return this.#place.location
  }

  get isOpen(): boolean {
    return this.#phase.isOpen
  }

  get databaseId(): string {
    return this.#known().databaseId
  }

  get isReadOnly(): boolean {
    return this.#options.readOnly ?? false
  }

  get lastTid(): Tid {
    return this.#newest().tid
  }

  get highestOid(): number {
    return this.#newest().highestOid
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

  get syncedTid(): Tid {
    return this.#known().checkpointer.syncedTid
  }

  get historyFrom(): Tid | undefined {
    return this.#known().checkpointer.historyFrom?.tid
  }

  // -- Opening and closing

  open(): Promise<void> {
    return this.#phase.open(() => this.#open())
  }

  async #open(): Promise<void> {
    try {
      await this.#read(await this.#place.open())
    } catch (error) {
      await this.#place.close()
      throw error
    }
  }

  async #read(database: LevelDatabase): Promise<void> {
    const { history: kept } = this.#options
    const { location, syncedTid = NO_TID, session, wholeSession } = this.#place
    const contents = await readContents(database, {
      location,
      history: kept,
      readOnly: this.isReadOnly,
      syncedTid,
      session,
      wholeSession,
    })
    this.#position = contents.position
    this.#classes = contents.classes
    const { databaseId } = contents
    const checkpointer = this.#newCheckpointer(database, contents)
    const history = new LevelHistory({
      location,
      checkpointer,
      newest: () => this.#newest(),
      assertOpen: () => this.#phase.assertOpen(),
    })
    this.#opened = { databaseId, database, checkpointer, history }
  }

  #newCheckpointer(database: LevelDatabase, { checkpoint, overlay }: Contents): Checkpointer {
    const {
      history,
      writeBufferBytes = DEFAULT_WRITE_BUFFER_BYTES,
      checkpointBytes = DEFAULT_CHECKPOINT_BYTES,
      idleMs = DEFAULT_IDLE_MS,
    } = this.#options
    return new Checkpointer({
      database,
      row: checkpoint,
      overlay,
      history,
      readOnly: this.isReadOnly,
      session: this.#place.session,
      writeBufferBytes,
      checkpointBytes,
      idleMs,
      sync: () => this.#place.sync?.() ?? Promise.resolve(),
      writesSettled: () => this.#onTheirWay,
      onFailure: (error) => {
        if (this.#phase.failure !== undefined) return
        this.#phase.fail(writeFailure.ofCheckpoint(this.location, error))
      },
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const wasOpen = await this.#phase.close()
    for (const snapshot of this.#snapshots) snapshot.close()
    if (!wasOpen) return
    const isSound = this.#phase.failure === undefined && !this.isReadOnly
    await this.#opened?.checkpointer.close({ isSound })
    await this.#place.close()
  }

  // -- Writing

  async write(commits: readonly StorageCommit[], durability: Durability): Promise<void> {
    this.#phase.assertWritable()
    if (commits.length === 0) return
    await this.#phase.write(() => this.#write(commits, durability))
  }

  async #write(commits: readonly StorageCommit[], durability: Durability): Promise<void> {
    const { checkpointer } = this.#openOne()
    const wait = checkpointer.tooFarBehind
    if (wait !== undefined) await wait
    this.#phase.assertSound()
    const rows = this.#encode(commits, checkpointer)
    const written = checkpointer.append(rows, { sync: durability === 'sync' })
    this.#onTheirWay = written.catch(() => undefined)
    try {
      await written
    } catch (error) {
      checkpointer.stop()
      const failure = writeFailure.ofCommits(this.location, commits, error)
      this.#phase.fail(failure)
      throw failure
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
    let before = this.#newest()
    return commits.map((commit) => {
      const row = CommitRow.encode(commit, before, links?.linkOf, syncedTid)
      links?.add(row)
      before = row.position
      return row
    })
  }

  async fill(contents: StorageContents): Promise<void> {
    this.#phase.assertWritable()
    if (this.lastTid !== NO_TID) throw this.#notEmptyError()
    await this.#phase.write(() => this.#fill(contents))
  }

  async #fill(contents: StorageContents): Promise<void> {
    const { checkpointer, database } = this.#openOne()
    try {
      await fill(database, contents)
      await this.#read(database)
      await checkpointer.close({ isSound: false })
    } catch (error) {
      checkpointer.stop()
      this.#phase.fail(writeFailure.ofFilling(this.location, error))
      throw error
    }
  }

  async checkpoint(): Promise<void> {
    this.#phase.assertSound()
    await this.#openOne()
      .checkpointer.checkpoint()
      .catch((error) => {
        throw this.#phase.failure ?? error
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
    this.#phase.assertSound()
    const { checkpointer, history } = this.#openOne()
    const pruning = checkpointer.prune(history.beginningAt(before), onProgress, () => {
      this.#phase.assertOpen()
      signal?.throwIfAborted()
    })
    return await pruning.catch((error) => {
      const { failure } = this.#phase
      throw failure?.cause === error ? failure : error
    })
  }

  // -- Reading

  snapshot(): StorageSnapshot {
    return this.#snapshotOf(this.#openOne().checkpointer.generation, this.lastTid)
  }

  snapshotAt(tid: Tid): StorageSnapshot {
    const { checkpointer, history } = this.#openOne()
    history.assertReaches(tid)
    return this.#snapshotOf(checkpointer.generation, tid)
  }

  #snapshotOf(generation: Generation, tid: Tid): LevelSnapshot {
    const snapshot = new LevelSnapshot(generation, tid, (closed) => {
      this.#snapshots.delete(closed)
    })
    this.#snapshots.add(snapshot)
    return snapshot
  }

  loadRevision(oid: Oid, tid: Tid): StorageRecord | undefined {
    return this.#openOne().history.revision(oid, tid)
  }

  revisions(
    oid: Oid,
    { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number | undefined } = {},
  ): readonly RevisionInfo[] {
    return this.#openOne().history.revisions(oid, limit)
  }

  tidAt(timeMs: number): Tid {
    return this.#openOne().history.tidAt(timeMs)
  }

  timeOf(tid: Tid): number | undefined {
    return this.#openOne().history.timeOf(tid)
  }

  transactionRow(tid: Tid): TransactionRow | undefined {
    return this.#openOne().history.transactionRow(tid)
  }

  transactions(
    range: CommitRange & { readonly reverse?: boolean | undefined } = {},
  ): AsyncIterable<TransactionRow> {
    return this.#openOne().history.transactions(range)
  }

  commits(range: CommitRange = {}): AsyncIterable<StorageCommit> {
    return this.#openOne().history.commits(range)
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

  /** What is known since it was opened, also when it is closed. */
  #known(): Opened {
    if (this.#opened === undefined) throw this.#phase.closedError()
    return this.#opened
  }

  /** @throws STORAGE_CLOSED */
  #openOne(): Opened {
    this.#phase.assertOpen()
    return this.#known()
  }

  #newest(): Position {
    if (this.#position === undefined) throw this.#phase.closedError()
    return this.#position
  }

  #notEmptyError(): NotEmptyError {
    return new NotEmptyError(
      `The storage ${this.location} has ${this.lastTid} commits, and only an empty one can be filled. Choose ` +
        'another place, or remove what is there.',
      { details: { location: this.location, lastTid: formatTid(this.lastTid) } },
    )
  }
}

function copyOfClass({ classId, name, fields }: ClassRow): ClassRow {
  return { classId, name, fields: [...fields] }
}
