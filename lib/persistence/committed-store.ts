import {
  NO_TID,
  type Oid,
  OidSet,
  type Storage,
  type StorageRecord,
  type Tid,
} from '../storage/index.js'
import { ClassTable, type MissingClassOptions } from './class-table.js'
import { CommitLog } from './commit-log.js'
import { CommittedState } from './committed-state.js'
import { type Epoch, Epochs } from './epoch.js'
import type { Reference } from './reference.js'
import { StateCache } from './state-cache.js'
import { decodeState } from './state-codec.js'

/** How often what happened since the database was opened. @public */
export interface DatabaseCounters {
  /** Records read from the storage. */
  storageReads: number
  /** States decoded. */
  decodes: number
  /** States found in the shared cache. */
  hits: number
  /** Objects that connections made from states. */
  loads: number
  /** Those that wrote something. */
  commits: number
  /** What these took in all, from the vote's end until they were durable and published. */
  commitMs: number
  /** What the slowest of them took. */
  slowestCommitMs: number
  /** Transactions that took part and were aborted, by the program or after a failed commit. */
  aborts: number
  conflicts: number
  /** Transactions whose tree operations were applied again on a newer tree. */
  replays: number
  /** Objects whose class merged what two transactions wrote. */
  resolutions: number
}

/** What a commit removes. */
interface Removals {
  readonly tid: Tid
  readonly removed?: readonly Oid[] | undefined
}

/**
 * The committed states of one database: as an epoch sees them, and as the newest commit, published
 * or in flight, left them.
 */
export class CommittedStore {
  readonly classes: ClassTable
  readonly cache: StateCache
  readonly epochs: Epochs
  readonly log = new CommitLog()
  readonly counters: DatabaseCounters = {
    storageReads: 0,
    decodes: 0,
    hits: 0,
    loads: 0,
    commits: 0,
    commitMs: 0,
    slowestCommitMs: 0,
    aborts: 0,
    conflicts: 0,
    replays: 0,
    resolutions: 0,
  }
  /** By stored name of the class, for those objects whose class is known. */
  readonly conflictsByClass = new Map<string, number>()
  /** States of commits on their way to disk; for an object that one removes, its tid. */
  readonly #inFlight = new Map<Oid, CommittedState | Tid>()
  readonly #removals = new OidSet() // in this session: a transaction may hold them still
  #lastRemoval: Tid = NO_TID
  readonly #watchedTrees = new Map<Oid, Tid>() // tree → the last published commit that wrote it
  #nextOid: number

  constructor(storage: Storage, cacheBytes: number, missingClasses: MissingClassOptions = {}) {
    this.classes = new ClassTable(storage.classes, missingClasses)
    this.cache = new StateCache(cacheBytes)
    this.epochs = new Epochs(storage)
    this.#nextOid = storage.highestOid + 1
  }

  newOid(): Oid {
    return this.#nextOid++ as Oid
  }

  /**
   * The state that transactions of `epoch` see, or `undefined` when there is none.
   * @param isPassing - what must be read for it is not kept.
   */
  stateAt(epoch: Epoch, oid: Oid, isPassing = false): CommittedState | undefined {
    const newest = this.cache.get(oid)
    if (newest !== undefined && newest.serial <= epoch.tid) {
      this.counters.hits++
      return newest
    }
    const older = epoch.stateOf(oid)
    if (older !== undefined) return older
    const state = this.#load(epoch, oid)
    if (state === undefined || isPassing) return state
    const isNewest = !epoch.isHistorical && newest === undefined && this.#isNewestPublished(state)
    if (isNewest) this.cache.offer(state)
    else epoch.keep(state)
    return state
  }

  /** As {@link stateAt} for the object that a reference leads to: most have its state at hand. */
  stateBehind(epoch: Epoch, reference: Reference): CommittedState | undefined {
    const atHand = reference.stateAt(epoch.tid)
    if (atHand !== undefined) {
      this.counters.hits++
      return atHand
    }
    const state = this.stateAt(epoch, reference.oid)
    if (state !== undefined) reference.keep(state)
    return state
  }

  /** The state as the last commit before now left it, in flight or published. */
  newest(oid: Oid): CommittedState | undefined {
    const inFlight = this.#inFlight.get(oid)
    if (inFlight === undefined) return this.stateAt(this.epochs.current, oid)
    return inFlight instanceof CommittedState ? inFlight : undefined
  }

  /** As {@link newest}, where it is in memory: reads nothing. */
  newestInMemory(oid: Oid): CommittedState | undefined {
    const inFlight = this.#inFlight.get(oid)
    if (inFlight === undefined) return this.cache.get(oid)
    return inFlight instanceof CommittedState ? inFlight : undefined
  }

  /**
   * The record of a state that transactions of `epoch` see and that is not in memory; it does not come
   * into memory by this. `undefined` when it is, or when there is none.
   */
  recordUnlessCached(epoch: Epoch, oid: Oid): StorageRecord | undefined {
    const newest = this.cache.get(oid)
    if (newest !== undefined && newest.serial <= epoch.tid) return undefined
    if (epoch.stateOf(oid) !== undefined) return undefined
    this.counters.storageReads++
    return epoch.snapshot.load(oid)
  }

  decode(record: StorageRecord): CommittedState {
    this.counters.decodes++
    return decodeState(record, this.classes)
  }

  /**
   * The commit that removed the object in this session, or a later one, in flight or published;
   * `undefined` for none.
   */
  removalOf(oid: Oid): Tid | undefined {
    return this.hasRemovals && this.#removals.has(oid)
      ? (this.log.serialOf(oid) ?? this.#lastRemoval)
      : undefined
  }

  /** True once objects were removed in this session. */
  get hasRemovals(): boolean {
    return this.#removals.size > 0
  }

  /** Notes a commit that is handed to the storage now. */
  begin(states: readonly CommittedState[], { tid, removed = [] }: Removals): void {
    for (const state of states) {
      this.#inFlight.set(state.oid, state)
      if (this.#removals.size > 0) this.#removals.delete(state.oid)
    }
    for (const oid of removed) {
      this.#inFlight.set(oid, tid)
      this.#removals.add(oid)
      this.#lastRemoval = tid
    }
  }

  /** Makes a durable commit's states the newest published ones. */
  publish(states: readonly CommittedState[], { tid, removed = [] }: Removals): void {
    for (const state of states) {
      if (this.#inFlight.get(state.oid) === state) this.#inFlight.delete(state.oid)
      if (state.layout.classLayout?.isPassing) this.cache.delete(state.oid)
      else this.cache.put(state)
    }
    for (const oid of removed) {
      if (this.#inFlight.get(oid) === tid) this.#inFlight.delete(oid)
      this.cache.delete(oid)
    }
  }

  /** @param storedName - the class of the object in conflict, where it is known. */
  countConflict(storedName: string | undefined): void {
    this.counters.conflicts++
    if (storedName === undefined) return
    const before = this.conflictsByClass.get(storedName) ?? 0
    this.conflictsByClass.set(storedName, before + 1)
  }

  /** @param tookMs - until it was durable and published. */
  countCommit(tookMs: number): void {
    const { counters } = this
    counters.commits++
    counters.commitMs += tookMs
    if (tookMs > counters.slowestCommitMs) counters.slowestCommitMs = tookMs
  }

  treesPublished(trees: readonly { readonly oid: Oid }[], tid: Tid): void {
    for (const { oid } of trees) if (this.#watchedTrees.has(oid)) this.#watchedTrees.set(oid, tid)
  }

  /**
   * The last published commit that wrote to the tree; the published commit of the first time this
   * was asked when none did since. A transaction of an older epoch sees another tree.
   */
  treeStamp(tree: Oid): Tid {
    let stamp = this.#watchedTrees.get(tree)
    if (stamp === undefined) {
      stamp = this.epochs.current.tid
      this.#watchedTrees.set(tree, stamp)
    }
    return stamp
  }

  close(): void {
    this.epochs.close()
    this.cache.clear()
  }

  #load(epoch: Epoch, oid: Oid): CommittedState | undefined {
    this.counters.storageReads++
    const record = epoch.snapshot.load(oid)
    if (record === undefined) return undefined
    return this.decode(record)
  }

  /** A stale entry would be served for ever: checks the state against what was published since. */
  #isNewestPublished(state: CommittedState): boolean {
    const serial = this.log.serialOf(state.oid)
    return serial === undefined || serial <= state.serial
  }
}
