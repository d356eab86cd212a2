import { invariant } from '../foundation/index.js'
import type { BlobStore } from './blob-store.js'
import { NotEmptyError, StorageClosedError, StorageReadOnlyError, unavailable } from './errors.js'
import type {
  ClassRow,
  CommitRange,
  Durability,
  PruneProgress,
  RecordsOptions,
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
import { createMemoryStorage } from './memory-storage.js'
import type { Oid } from './oid.js'
import { OverlayBlobs } from './overlay-blobs.js'
import { NO_TID, type Tid } from './tid.js'

/** Options of {@link createOverlayStorage}. @public */
export interface OverlayStorageOptions {
  /**
   * Where commits go: a storage with `history: 'all'`, empty, or with the commits of an earlier overlay
   * over the same base. @defaultValue memory
   */
  readonly changes?: Storage | undefined
}

/**
 * A storage that begins as another one is, and never writes to it: commits go elsewhere, and end with
 * the overlay unless `changes` keeps them. For tests and staging. What the base commits later is not
 * seen. An overlay can be the base of another: to drop its commits, close that one.
 *
 * History is kept from the beginning of the overlay, and before as far as the base keeps it. All of it
 * stays: to prune it does nothing.
 *
 * ```ts
 * const storage = createOverlayStorage(production)
 * await using db = await ObjectDatabase.open('', { storage })
 * ```
 *
 * Source: `ZODB.DemoStorage`.
 * @param base - opened when it is not, and then closed with the overlay.
 * @public
 */
export function createOverlayStorage(base: Storage, options: OverlayStorageOptions = {}): Storage {
  return new OverlayStorage(base, options.changes ?? createMemoryStorage({ history: 'all' }))
}

class OverlayStorage implements Storage {
  readonly #base: Storage
  readonly #changes: Storage
  #bottom: StorageSnapshot | undefined // the base as the overlay began
  #letGo: (() => Promise<void>) | undefined
  #blobs: OverlayBlobs | undefined
  #ownsBase = false
  /** When an object was first removed here: the base has it still. */
  readonly #removed = new Map<Oid, Tid>()
  #closing: Promise<void> | undefined

  constructor(base: Storage, changes: Storage) {
    this.#base = base
    this.#changes = changes
  }

  get location(): string {
    return this.#changes.location
  }
  get isOpen(): boolean {
    return this.#bottom !== undefined && this.#changes.isOpen
  }
  get isReadOnly(): boolean {
    return this.#changes.isReadOnly ?? false
  }
  get databaseId(): string {
    return this.#changes.databaseId
  }
  get lastTid(): Tid {
    return this.#changes.lastTid
  }
  get highestOid(): number {
    return this.#changes.highestOid
  }
  get classes(): readonly ClassRow[] {
    return this.#changes.classes
  }
  get historyFrom(): Tid | undefined {
    const { historyFrom } = this.#changes
    if (this.#bottom === undefined || !this.#base.isOpen) return historyFrom
    const { historyFrom: below = this.#began } = this.#base
    return Math.min(below, this.#began) as Tid
  }
  get blobs(): BlobStore {
    return this.#blobs ?? this.#changes.blobs
  }

  async open(): Promise<void> {
    if (this.#closing !== undefined) throw this.#closedError()
    invariant(this.#bottom === undefined, 'a storage is opened once')
    try {
      await this.#openBoth()
      const { historyFrom } = this.#changes
      if (historyFrom === undefined) throw unavailable.off()
      this.#bottom = this.#snapshotOfBase()
      if (this.#changes.databaseId !== this.#base.databaseId) await this.#begin(this.#bottom.tid)
      await this.#readRemovals()
      this.#letGo = this.#base.blobs.hold()
      this.#blobs = new OverlayBlobs(this.#base.blobs, this.#changes.blobs)
    } catch (error) {
      await this.#closeAll()
      throw error
    }
  }

  async write(commits: readonly StorageCommit[], durability: Durability): Promise<void> {
    await this.#changes.write(commits.map(withoutLinks), durability)
    for (const { tid, removed = [] } of commits) this.#noteRemovals(tid, removed)
  }

  snapshot(): StorageSnapshot {
    return this.#over(this.#changes.snapshot())
  }

  snapshotAt(tid: Tid): StorageSnapshot {
    if (tid < this.#openBottom.tid) return this.#base.snapshotAt(tid)
    return this.#over(this.#changes.snapshotAt(tid))
  }

  loadRevision(oid: Oid, tid: Tid): StorageRecord | undefined {
    if (tid > this.#openBottom.tid) return this.#changes.loadRevision(oid, tid)
    const record = this.#openBottom.load(oid)
    return record?.tid === tid ? record : this.#base.loadRevision(oid, tid)
  }

  revisions(
    oid: Oid,
    { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number | undefined } = {},
  ): readonly RevisionInfo[] {
    const above = this.#changes.revisions(oid, { limit })
    return [...above, ...this.#revisionsBelow(oid)].slice(0, limit)
  }

  tidAt(timeMs: number): Tid {
    const { tid } = this.#openBottom
    const began = this.#changes.timeOf(tid) ?? Number.NEGATIVE_INFINITY
    if (timeMs >= began) return this.#changes.tidAt(timeMs)
    return this.#base.tidAt(timeMs)
  }

  timeOf(tid: Tid): number | undefined {
    return tid < this.#openBottom.tid ? this.#base.timeOf(tid) : this.#changes.timeOf(tid)
  }

  transactionRow(tid: Tid): TransactionRow | undefined {
    return tid > this.#openBottom.tid
      ? this.#changes.transactionRow(tid)
      : this.#base.transactionRow(tid)
  }

  transactions(
    options: CommitRange & { readonly reverse?: boolean | undefined } = {},
  ): AsyncIterable<TransactionRow> {
    const { tid } = this.#openBottom
    const { after = NO_TID, upTo = this.lastTid, reverse } = options
    const parts = [
      this.#base.transactions({ after, upTo: Math.min(upTo, tid) as Tid, reverse }),
      this.#changes.transactions({ after: Math.max(after, tid) as Tid, upTo, reverse }),
    ]
    return oneBehindTheOther(reverse === true ? parts.reverse() : parts)
  }

  commits({ after, upTo = this.lastTid }: CommitRange = {}): AsyncIterable<StorageCommit> {
    const { tid } = this.#openBottom
    if (after !== undefined && after >= tid) return this.#changes.commits({ after, upTo })
    const below = this.#base.commits({ after, upTo: Math.min(upTo, tid) as Tid })
    if (upTo <= tid) return below
    return oneBehindTheOther([below, this.#changes.commits({ after: tid, upTo })])
  }

  fill(contents: StorageContents): Promise<void> {
    return this.#changes.fill(contents)
  }

  checkpoint(): Promise<void> {
    return this.#changes.checkpoint()
  }

  /** Forgets nothing, and says so: the base is not written, and its history ends where the overlay's begins. */
  async pruneHistory({ before }: { readonly before: Tid }): Promise<PruneProgress> {
    const historyFrom = Math.min(this.historyFrom ?? before, this.#began) as Tid
    if (this.isReadOnly) throw this.#readOnlyError()
    if (before > this.lastTid) throw unavailable.future(before, this.lastTid)
    return { historyFrom, transactions: 0, preserved: 0 }
  }

  /** Of the changes: the base is checked where it is. */
  checkRows(options: {
    readonly onProblem: (problem: RowProblem) => void
    readonly signal?: AbortSignal | undefined
  }): Promise<RowsCheck> {
    return this.#changes.checkRows(options)
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  get #began(): Tid {
    return this.#openBottom.tid
  }

  get #openBottom(): StorageSnapshot {
    if (this.#bottom === undefined || !this.#changes.isOpen) throw this.#closedError()
    return this.#bottom
  }

  async #openBoth(): Promise<void> {
    this.#ownsBase = !this.#base.isOpen
    if (this.#ownsBase) await this.#base.open()
    if (!this.#changes.isOpen) await this.#changes.open()
  }

  /** As it is, or as it was when the changes began. */
  #snapshotOfBase(): StorageSnapshot {
    const { databaseId, historyFrom } = this.#changes
    if (databaseId !== this.#base.databaseId || historyFrom === this.#base.lastTid)
      return this.#base.snapshot()
    return this.#base.snapshotAt(historyFrom as Tid)
  }

  /** Makes the changes go on where the base is. */
  async #begin(tid: Tid): Promise<void> {
    if (this.#changes.lastTid !== NO_TID) {
      throw new NotEmptyError(
        `${this.#changes.location} has commits that are not based on ${this.#base.location}. Give the overlay an ` +
          'empty storage for its changes.',
        { details: { location: this.#changes.location, base: this.#base.location } },
      )
    }
    const { databaseId, highestOid, classes } = this.#base
    const timeMs = this.#base.timeOf(tid) ?? Number.NEGATIVE_INFINITY
    const changes = nothing()
    await this.#changes.fill({ databaseId, tid, timeMs, highestOid, classes, changes })
  }

  async #readRemovals(): Promise<void> {
    for await (const { tid, removed } of this.#changes.transactions({ after: this.#bottom?.tid })) {
      this.#noteRemovals(tid, removed)
    }
  }

  #noteRemovals(tid: Tid, oids: readonly Oid[]): void {
    for (const oid of oids) if (!this.#removed.has(oid)) this.#removed.set(oid, tid)
  }

  #over(top: StorageSnapshot): StorageSnapshot {
    return new OverlaySnapshot(top, this.#openBottom, this.#removed)
  }

  #revisionsBelow(oid: Oid): readonly RevisionInfo[] {
    const record = this.#openBottom.load(oid)
    const known = this.#base.revisions(oid).filter(({ tid }) => tid <= this.#began)
    if (record === undefined || known.some(({ tid }) => tid === record.tid)) return known
    return [{ tid: record.tid, bytes: record.state.length, removed: false }]
  }

  async #closeAll(): Promise<void> {
    this.#bottom?.close()
    await this.#changes.close()
    await this.#letGo?.()
    if (this.#ownsBase) await this.#base.close()
  }

  #readOnlyError(): StorageReadOnlyError {
    return new StorageReadOnlyError(
      `The changes of the overlay ${this.location} were opened for reading. Open them without readOnly to write.`,
      { details: { location: this.location } },
    )
  }

  #closedError(): StorageClosedError {
    return new StorageClosedError(`The overlay ${this.location} is closed, or not open yet.`, {
      details: { location: this.location },
    })
  }
}

/** The changes at one commit, and what they left of the base. */
class OverlaySnapshot implements StorageSnapshot {
  readonly tid: Tid
  readonly #top: StorageSnapshot
  readonly #bottom: StorageSnapshot
  readonly #removed: ReadonlyMap<Oid, Tid>

  constructor(top: StorageSnapshot, bottom: StorageSnapshot, removed: ReadonlyMap<Oid, Tid>) {
    this.tid = top.tid
    this.#top = top
    this.#bottom = bottom
    this.#removed = removed
  }

  load(oid: Oid): StorageRecord | undefined {
    const record = this.#top.load(oid)
    if (record !== undefined || this.#isRemoved(oid)) return record
    return this.#bottom.load(oid)
  }

  async *records(options: RecordsOptions = {}): AsyncGenerator<StorageRecord, void, undefined> {
    const above = this.#top.records(options)[Symbol.asyncIterator]()
    let next = await above.next()
    for await (const record of this.#bottom.records(options)) {
      while (next.done !== true && next.value.oid < record.oid) {
        yield next.value
        next = await above.next()
      }
      const isReplaced = next.done !== true && next.value.oid === record.oid
      if (!isReplaced && !this.#isRemoved(record.oid)) yield record
    }
    for (; next.done !== true; next = await above.next()) yield next.value
  }

  async *recordPages(
    options: RecordsOptions = {},
  ): AsyncGenerator<Iterable<StorageRecord>, void, undefined> {
    let page: StorageRecord[] = []
    for await (const record of this.records(options)) {
      page.push(record)
      if (page.length < PAGE_RECORDS) continue
      yield page
      page = []
    }
    yield page
  }

  close(): void {
    this.#top.close()
  }

  #isRemoved(oid: Oid): boolean {
    const tid = this.#removed.get(oid)
    return tid !== undefined && tid <= this.tid
  }
}

const PAGE_RECORDS = 500

/** The way back ends in the changes: they do not have what is below. */
function withoutLinks({ records, ...commit }: StorageCommit): StorageCommit {
  return { ...commit, records: records.map(({ link: _, ...record }) => record) }
}

async function* oneBehindTheOther<T>(
  parts: readonly AsyncIterable<T>[],
): AsyncGenerator<T, void, undefined> {
  for (const part of parts) yield* part
}

async function* nothing(): AsyncGenerator<never, void, undefined> {}
