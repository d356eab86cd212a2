import {
  aBoolean,
  aFunction,
  anAbortSignal,
  anIterable,
  anything,
  type Clock,
  invariant,
  milliseconds,
  type OptionRules,
} from '../foundation/index.js'
import {
  HistoryUnavailableError,
  type Oid,
  OidSet,
  ROOT_OID,
  type Storage,
  type StorageCommit,
  type StorageRecord,
  type StorageSnapshot,
  type Tid,
  toOid,
} from '../storage/index.js'
import type { BlobKeeper } from './blob-keeper.js'
import type { CommitWriter } from './commit-writer.js'
import { Reachability } from './reachability.js'
import type { RecentCommits } from './recent-commits.js'
import { referencesOf } from './stored-references.js'
import { TimeSlice } from './time-slice.js'

/** What to pack, and how. @public */
export interface PackOptions {
  /**
   * With history: the oldest commit, or time, at which the database can be read afterwards. Default:
   * the newest commit, so that all history goes. Without history it must be left out.
   */
  readonly before?: Tid | Date | { readonly ageMs: number } | undefined
  /** Also remove the objects that nothing leads to. Default true. */
  readonly garbageCollection?: boolean | undefined
  /**
   * Objects that were written so recently in this session stay, even when nothing leads to them yet.
   * Default five minutes.
   */
  readonly graceMs?: number | undefined
  /** Further objects to begin at beside the root mapping: those that other databases refer to. */
  readonly keep?: Iterable<Oid> | undefined
  /** Ends it early. What is removed by then stays removed; the next one goes on. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: PackProgress) => void) | undefined
}

/** What the options of a pack may be; `before` is checked with the history at hand. */
export const packOptionRules: OptionRules<PackOptions> = {
  before: anything,
  garbageCollection: aBoolean,
  graceMs: milliseconds,
  keep: anIterable,
  signal: anAbortSignal,
  onProgress: aFunction,
}

/**
 * How far a pack has come: through which part, and how much of it is done. `total` is an estimate,
 * not below `done`.
 *
 * | phase      | what is counted                                                   |
 * | ---------- | ----------------------------------------------------------------- |
 * | `marking`  | objects that were looked at, to find what can be reached          |
 * | `checking` | objects that were looked at again: does any lead to what is to go? |
 * | `removing` | objects removed                                                   |
 * | `pruning`  | transactions forgotten                                            |
 * @public
 */
export interface PackProgress {
  readonly phase: 'marking' | 'checking' | 'removing' | 'pruning'
  readonly done: number
  readonly total: number
}

/** What a pack has done. @public */
export interface PackReport {
  /** Objects that there were, nodes of trees among them; 0 without garbage collection. */
  readonly objects: number
  /** Those that were removed. */
  readonly removed: number
  /** Bytes of their states. */
  readonly removedBytes: number
  /** Transactions whose history was forgotten. */
  readonly transactions: number
  readonly durationMs: number
}

/** What a pack works with. */
export interface PackParts {
  readonly storage: Storage
  readonly writer: CommitWriter
  readonly blobs: BlobKeeper
  readonly recent: RecentCommits
  readonly clock: Clock
}

/** Objects that one commit removes, at most: others wait while it is written. */
const REMOVED_AT_ONCE = 500
/** Objects between two reports of progress. */
const PROGRESS_STEP = 1000
/** Long enough for an object that one transaction adds and a later one puts in its place. */
const DEFAULT_GRACE_MS = 5 * 60 * 1000

/**
 * One pack: finds what cannot be reached, makes sure of it, and removes it in commits of the ordered
 * writer, while others commit. Needs no class of the application.
 *
 * What nothing led to in the storage's snapshot can come back only by a commit after it that refers
 * to it: those commits are watched, and what they write or refer to is kept with all that hangs on
 * it. While a removal is decided no other transaction validates; one that validates later and refers
 * to what was removed is refused with a conflict. See `removal-check.ts`.
 *
 * With history, what some revision leads to that can still be read is reachable too.
 *
 * Source: `ZODB.FileStorage.fspack`; RelStorage's `pre_pack` and `pack` for working beside commits.
 */
export class Pack {
  readonly #parts: PackParts
  readonly #options: PackOptions
  readonly #signal: AbortSignal
  readonly #slice: TimeSlice
  readonly #existing = new OidSet()
  readonly #garbage = new OidSet()
  /** Removed by others since the snapshot. */
  readonly #gone = new OidSet()
  #reachable: Reachability | undefined
  #removed = 0
  #removedBytes = 0
  #transactions = 0
  #progress: PackProgress = { phase: 'marking', done: 0, total: 0 }

  /** @param signal - aborted when the database closes. */
  constructor(parts: PackParts, options: PackOptions, signal: AbortSignal) {
    this.#parts = parts
    this.#options = options
    this.#signal = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal])
    this.#slice = new TimeSlice({ signal: this.#signal })
  }

  get progress(): PackProgress {
    return this.#progress
  }

  /** @throws STORAGE_HISTORY_UNAVAILABLE, STORAGE_CORRUPT_RECORD, the signal's reason. */
  async run(): Promise<PackReport> {
    const startMs = performance.now()
    this.#signal.throwIfAborted()
    const before = this.#before()
    if (this.#options.garbageCollection !== false) await this.#collect(before)
    if (before !== undefined) await this.#prune(before)
    await this.#parts.blobs.sweep(this.#signal)
    return {
      objects: this.#existing.size,
      removed: this.#removed,
      removedBytes: this.#removedBytes,
      transactions: this.#transactions,
      durationMs: performance.now() - startMs,
    }
  }

  /** The oldest commit to be readable afterwards; `undefined` without history. */
  #before(): Tid | undefined {
    const { storage, clock } = this.#parts
    const { before } = this.#options
    const { historyFrom, lastTid } = storage
    if (historyFrom === undefined) {
      if (before === undefined) return undefined
      throw new HistoryUnavailableError(
        'This database keeps no history, so it can be packed only as it is now: leave out `before`, or open ' +
          "the database with the option history: 'all' or a limit.",
      )
    }
    if (before === undefined) return lastTid
    if (typeof before === 'number') return Math.max(before, historyFrom) as Tid
    const timeMs = before instanceof Date ? before.getTime() : clock.nowMs() - before.ageMs
    return Math.max(tidAtOrOldest(storage, timeMs), historyFrom) as Tid
  }

  async #collect(before: Tid | undefined): Promise<void> {
    const { storage, writer } = this.#parts
    let snapshot: StorageSnapshot | undefined
    const unwatch = writer.watch((commit) => this.#note(commit))
    try {
      // Every commit is in the snapshot, or watched.
      const young = this.#youngAfter()
      this.#reachable = new Reachability({
        load: (oid) => snapshot?.load(oid),
        referencesOf: (oid, record) => this.#referencesOf(oid, record, before),
      })
      await writer.settled()
      this.#signal.throwIfAborted()
      snapshot = storage.snapshot()
      await this.#mark(snapshot, young)
      await this.#check(snapshot)
      await this.#remove()
    } finally {
      unwatch()
      snapshot?.close()
    }
  }

  /** The newest commit whose objects are not protected by their youth. */
  #youngAfter(): Tid {
    const { storage, recent, clock } = this.#parts
    const { graceMs = DEFAULT_GRACE_MS } = this.#options
    return graceMs <= 0 ? storage.lastTid : recent.newestAtOrBefore(clock.nowMs() - graceMs)
  }

  /** What a commit after the snapshot writes, or refers to, stays. Called inside its submission. */
  #note({ records, removed = [] }: StorageCommit): void {
    const reachable = this.#reachable
    if (reachable === undefined) return
    for (const { oid, state } of records) {
      reachable.reach(oid)
      for (const found of referencesOf(state, oid).strong) reachable.reach(found)
    }
    for (const oid of removed) this.#gone.add(oid)
  }

  async #mark(snapshot: StorageSnapshot, youngAfter: Tid): Promise<void> {
    const reachable = this.#reachable as Reachability
    reachable.reach(ROOT_OID)
    for (const oid of this.#options.keep ?? []) reachable.reach(toOid(oid))
    for await (const page of snapshot.recordPages({ signal: this.#signal })) {
      for (const record of page) {
        this.#existing.add(record.oid)
        if (record.tid > youngAfter) reachable.reach(record.oid)
        // Most objects are newer than what leads to them, and are looked into here.
        reachable.pass(record)
        this.#tell('marking', this.#existing.size, this.#parts.storage.highestOid + 1)
        if (this.#slice.isOver) await this.#slice.turn()
      }
    }
    await reachable.settle(this.#slice)
  }

  /**
   * Finds what was not reached, and sees to it that nothing that was leads there: together with the
   * root being reached, that proves the rest unreachable, however the marking went.
   */
  async #check(snapshot: StorageSnapshot): Promise<void> {
    const reachable = this.#reachable as Reachability
    for (const oid of this.#existing) {
      if (!reachable.has(oid)) this.#garbage.add(oid)
      if (this.#slice.isOver) await this.#slice.turn()
    }
    if (this.#garbage.size === 0) return
    let done = 0
    for await (const page of snapshot.recordPages({ signal: this.#signal })) {
      for (const record of page) {
        if (!reachable.has(record.oid)) this.#removedBytes += record.state.length
        else if (!this.#leadsToKept(record)) await this.#checkAgain(record)
        this.#tell('checking', ++done, this.#existing.size)
        if (this.#slice.isOver) await this.#slice.turn()
      }
    }
  }

  #leadsToKept({ oid, state }: StorageRecord): boolean {
    const reachable = this.#reachable as Reachability
    for (const found of referencesOf(state, oid).strong) if (!reachable.has(found)) return false
    return true
  }

  /** One that a commit brought back a moment ago was not looked into yet. */
  async #checkAgain(record: StorageRecord): Promise<void> {
    await this.#reachable?.settle(this.#slice)
    invariant(this.#leadsToKept(record), 'nothing that is kept leads to what is removed')
  }

  async #remove(): Promise<void> {
    const { writer } = this.#parts
    const reachable = this.#reachable as Reachability
    const total = this.#garbage.size
    for (;;) {
      await reachable.settle(this.#slice)
      for (let busy = writer.enter(); busy !== undefined; busy = writer.enter()) await busy
      let published: PromiseLike<void> | undefined
      try {
        this.#signal.throwIfAborted()
        if (reachable.pending > 0) continue
        const batch = this.#takeGarbage()
        if (batch.length === 0) return
        published = this.#submitRemoval(batch)
        this.#removed += batch.length
      } finally {
        writer.leave()
      }
      await published
      this.#tell('removing', this.#removed, total)
    }
  }

  /** Some of what is to go, still unreachable; decided in the step in which it is submitted. */
  #takeGarbage(): Oid[] {
    const reachable = this.#reachable as Reachability
    const batch: Oid[] = []
    for (const oid of this.#garbage) {
      if (batch.length === REMOVED_AT_ONCE) break
      if (!reachable.has(oid) && !this.#gone.has(oid)) batch.push(oid)
      this.#garbage.delete(oid)
    }
    return batch
  }

  #submitRemoval(removed: readonly Oid[]): PromiseLike<void> {
    const { writer, clock } = this.#parts
    return writer.submit({
      commit: {
        tid: writer.nextTid,
        metadata: {
          timeMs: clock.nowMs(),
          user: '',
          description: `pack: ${removed.length} objects that nothing leads to`,
          extension: {},
        },
        records: [],
        classes: [],
        removed,
      },
      states: [],
      trees: [],
      adopt: () => undefined,
    })
  }

  async #prune(before: Tid): Promise<void> {
    const { transactions } = await this.#parts.storage.pruneHistory({
      before,
      signal: this.#signal,
      onProgress: (progress) => {
        this.#report('pruning', progress.transactions, Math.max(before, progress.transactions))
      },
    })
    this.#transactions = transactions
  }

  /** Where the revisions lead that can be read afterwards: without history, the newest one. */
  #referencesOf(oid: Oid, record: StorageRecord | undefined, before: Tid | undefined): Oid[] {
    const found = record === undefined ? [] : referencesOf(record.state, oid).strong
    if (before === undefined || (record !== undefined && record.tid <= before)) return found
    const { storage } = this.#parts
    for (const { tid, removed } of storage.revisions(oid)) {
      const revision = removed || tid === record?.tid ? undefined : storage.loadRevision(oid, tid)
      if (revision !== undefined) found.push(...referencesOf(revision.state, oid).strong)
      if (tid <= before) break
    }
    return found
  }

  #tell(phase: PackProgress['phase'], done: number, total: number): void {
    if (done % PROGRESS_STEP === 0 || phase === 'removing') this.#report(phase, done, total)
  }

  #report(phase: PackProgress['phase'], done: number, total: number): void {
    this.#progress = { phase, done, total: Math.max(done, total) }
    this.#options.onProgress?.(this.#progress)
  }
}

/** The newest commit at or before a time, or the oldest that is known. */
function tidAtOrOldest(storage: Storage, timeMs: number): Tid {
  try {
    return storage.tidAt(timeMs)
  } catch (error) {
    if (error instanceof HistoryUnavailableError) return storage.historyFrom as Tid
    throw error
  }
}
