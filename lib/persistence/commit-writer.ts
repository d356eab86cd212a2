import { type Clock, Deferred, outsideAllScopes } from '../foundation/index.js'
import {
  type Durability,
  OutcomeUnknownError,
  type Storage,
  StorageClosedError,
  type StorageCommit,
  type Tid,
} from '../storage/index.js'
import type { TreeSummary } from './commit-log.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { FlushPace } from './flush-pace.js'

/** One validated transaction, ready to be written. */
export interface PreparedCommit {
  readonly commit: StorageCommit
  readonly states: readonly CommittedState[]
  readonly trees: readonly TreeSummary[]
  /** Called in the step in which it is published, before the outcome. */
  readonly adopt: () => void
}

interface Waiting {
  readonly prepared: PreparedCommit
  readonly outcome: Deferred
  readonly submittedMs: number // on the monotonic clock
}

/**
 * Group commit, and the only place that writes. While one batch is on its way to the disk, later
 * commits gather in the next. In the step in which a batch is acknowledged its states are published
 * and the next epoch begins, before another batch is submitted: so nobody ever reads a commit that
 * is not durable, nor half of one.
 *
 * Grouping here and not in LevelDB, whose own grouping is bound by the number of threads (9,200
 * against 33,000 commits a second at 64 clients).
 */
export class CommitWriter {
  readonly #storage: Storage
  readonly #store: CommittedStore
  readonly #durability: Durability
  readonly #clock: Clock
  readonly #onBroken: (error: unknown) => void
  #queue: Waiting[] = []
  #awaited: { readonly tid: Tid; readonly resolve: () => void }[] = [] // by losers of conflicts
  readonly #pace = new FlushPace()
  #isWriting = false
  #enough = 1 // as many that wait are written at once
  #publishedMs = 0 // when the last batch was
  #gatheringSinceMs = 0 // when those before the first that waits were
  #nextTid: number
  #isValidating = false // while one transaction is between vote and submission
  #validators: (() => void)[] = [] // who wait for that
  readonly #watchers = new Set<(commit: StorageCommit) => void>()
  #broken: unknown
  #isClosed = false

  constructor({
    storage,
    store,
    durability,
    clock,
    onBroken,
  }: {
    readonly storage: Storage
    readonly store: CommittedStore
    readonly durability: Durability
    readonly clock: Clock
    /** Called once when a write's outcome is unknown: nothing can be committed any more. */
    readonly onBroken: (error: unknown) => void
  }) {
    this.#storage = storage
    this.#store = store
    this.#durability = durability
    this.#clock = clock
    this.#onBroken = onBroken
    this.#nextTid = storage.lastTid + 1
  }

  /** The tid that the next submitted commit gets. */
  get nextTid(): Tid {
    return this.#nextTid as Tid
  }

  /**
   * Begins validation, which one transaction at a time does, until it submits or gives up. Returns a
   * promise only when another is at it, and then must be called again.
   */
  enter(): Promise<void> | undefined {
    if (this.#isValidating) return new Promise((resolve) => this.#validators.push(resolve))
    this.#isValidating = true
    return undefined
  }

  leave(): void {
    this.#isValidating = false
    const validators = this.#validators
    if (validators.length === 0) return
    this.#validators = []
    for (const tell of validators) tell()
  }

  /**
   * Takes a commit whose tid is `nextTid`. Resolves when it is durable and published.
   * @throws STORAGE_OUTCOME_UNKNOWN when the write failed: it may be on disk all the same.
   * @throws STORAGE_CLOSED after `close`.
   */
  submit(prepared: PreparedCommit): PromiseLike<void> {
    if (this.#broken !== undefined) return Promise.reject(this.#brokenError())
    if (this.#isClosed) return Promise.reject(this.#closedError())
    const outcome = new Deferred()
    this.#nextTid++
    this.#store.begin(prepared.states, prepared.commit)
    this.#store.log.add({
      tid: prepared.commit.tid,
      oids: prepared.states.map(({ oid }) => oid).concat(prepared.commit.removed ?? []),
      trees: prepared.trees,
    })
    for (const watcher of this.#watchers) watcher(prepared.commit)
    if (this.#queue.length === 0) this.#gatheringSinceMs = this.#publishedMs
    this.#queue.push({ prepared, outcome, submittedMs: this.#clock.monotonicMs() })
    if (!this.#isWriting && this.#queue.length >= this.#enough) this.#write()
    return outcome
  }

  /**
   * Tells `watcher` of every commit that is submitted from now on, in its order and in the same step.
   * It must be quick, and must not throw.
   * @returns what ends that.
   */
  watch(watcher: (commit: StorageCommit) => void): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  /** Resolves once every commit submitted so far is published, or can no longer be. */
  settled(): Promise<void> {
    return this.published((this.#nextTid - 1) as Tid)
  }

  /** Takes no more commits; resolves once everything submitted so far has its outcome. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.settled()
  }

  /** Resolves once the commit is published, or can no longer be. */
  async published(tid: Tid): Promise<void> {
    const isIdle = !this.#isWriting && this.#queue.length === 0
    if (isIdle || this.#store.epochs.current.tid >= tid) return
    await new Promise<void>((resolve) => {
      this.#awaited.push({ tid, resolve })
    })
  }

  /** Writes all that wait, in one batch. */
  #write(): void {
    const batch = this.#queue
    const startedMs = this.#clock.monotonicMs()
    this.#pace.gathered(batch.length, startedMs - this.#gatheringSinceMs)
    this.#queue = []
    this.#isWriting = true
    const commits = batch.map(({ prepared }) => prepared.commit)
    outsideAllScopes(() => this.#storage.write(commits, this.#durability)).then(
      () => this.#written(batch, startedMs),
      (error: unknown) => this.#break(error, batch),
    )
  }

  #written(batch: readonly Waiting[], startedMs: number): void {
    this.#publishedMs = this.#clock.monotonicMs()
    this.#pace.flushed(this.#publishedMs - startedMs)
    this.#enough = this.#pace.enough(batch.length + this.#queue.length)
    this.#publish(batch)
    this.#isWriting = false
    if (this.#queue.length >= this.#enough) this.#write()
    // Those just served commit again within this turn: who comes later is not waited for.
    else setImmediate(() => this.#writeRest())
  }

  #writeRest(): void {
    this.#enough = 1
    if (this.#isWriting) return
    if (this.#queue.length > 0) this.#write()
    else this.#tellAwaited(Number.POSITIVE_INFINITY)
  }

  /** Those who wait for a commit up to and including `tid`. */
  #tellAwaited(tid: number): void {
    const all = this.#awaited
    if (all.length === 0) return
    this.#awaited = all.filter((one) => one.tid > tid)
    for (const one of all) if (one.tid <= tid) one.resolve()
  }

  #publish(batch: readonly Waiting[]): void {
    for (const { prepared } of batch) {
      const { commit, states, trees } = prepared
      this.#store.publish(states, commit)
      this.#store.treesPublished(trees, commit.tid)
    }
    const { commit } = (batch[batch.length - 1] as Waiting).prepared
    this.#store.epochs.publish(commit.tid, commit.metadata.timeMs)
    this.#store.log.forgetUpTo(this.#store.epochs.oldestTid)
    this.#tellAwaited(commit.tid)
    const nowMs = this.#clock.monotonicMs()
    for (const { prepared, outcome, submittedMs } of batch) {
      this.#store.countCommit(nowMs - submittedMs)
      prepared.adopt()
      outcome.resolve()
    }
  }

  #break(error: unknown, batch: readonly Waiting[]): void {
    this.#broken = error
    for (const { outcome } of batch) outcome.reject(error)
    const waiting = this.#queue
    this.#queue = []
    this.#isWriting = false
    for (const { outcome } of waiting) outcome.reject(this.#brokenError())
    this.#tellAwaited(Number.POSITIVE_INFINITY)
    this.#onBroken(error)
  }

  #closedError(): StorageClosedError {
    return new StorageClosedError(
      `The database in ${this.#storage.location} was closed before this commit, which was not written. Open it again.`,
    )
  }

  #brokenError(): OutcomeUnknownError {
    return new OutcomeUnknownError(
      'An earlier write failed and its outcome is unknown, so this commit was not written. ' +
        'Open the database again: that shows which commits survived.',
      { cause: this.#broken },
    )
  }
}
