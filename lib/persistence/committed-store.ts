import type { Oid, Storage, Tid } from '../storage/index.js'
import { ClassTable } from './class-table.js'
import { CommitLog } from './commit-log.js'
import type { CommittedState } from './committed-state.js'
import { type Epoch, Epochs } from './epoch.js'
import { StateCache } from './state-cache.js'
import { decodeState } from './state-codec.js'

/** How often what happened since the database was opened. @public */
export interface DatabaseCounters {
  /** Records read from the storage. */
  storageReads: number
  /** States decoded. */
  decodes: number
  /** Objects that connections made from states. */
  loads: number
  commits: number
  conflicts: number
  /** Transactions whose tree operations were applied again on a newer tree. */
  replays: number
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
    loads: 0,
    commits: 0,
    conflicts: 0,
    replays: 0,
  }
  /** States of commits on their way to disk. */
  readonly #inFlight = new Map<Oid, CommittedState>()
  readonly #watchedTrees = new Map<Oid, Tid>() // tree → the last published commit that wrote it
  #nextOid: number

  constructor(storage: Storage, cacheBytes: number) {
    this.classes = new ClassTable(storage.classes)
    this.cache = new StateCache(cacheBytes)
    this.epochs = new Epochs(storage)
    this.#nextOid = storage.highestOid + 1
  }

  newOid(): Oid {
    return this.#nextOid++ as Oid
  }

  /** The state that transactions of `epoch` see, or `undefined` when there is none. */
  stateAt(epoch: Epoch, oid: Oid): CommittedState | undefined {
    const newest = this.cache.get(oid)
    if (newest !== undefined && newest.serial <= epoch.tid) return newest
    const older = epoch.states.get(oid)
    if (older !== undefined) return older
    const state = this.#load(epoch, oid)
    if (state === undefined) return undefined
    if (newest === undefined && this.#isNewestPublished(state)) this.cache.put(state)
    else epoch.states.set(oid, state)
    return state
  }

  /** The state as the last commit before now left it, in flight or published. */
  newest(oid: Oid): CommittedState | undefined {
    return this.#inFlight.get(oid) ?? this.stateAt(this.epochs.current, oid)
  }

  /** Notes a commit that is handed to the storage now. */
  begin(states: readonly CommittedState[]): void {
    for (const state of states) this.#inFlight.set(state.oid, state)
  }

  /** Makes a durable commit's states the newest published ones. */
  publish(states: readonly CommittedState[]): void {
    for (const state of states) {
      if (this.#inFlight.get(state.oid) === state) this.#inFlight.delete(state.oid)
      this.cache.put(state)
    }
    this.counters.commits++
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
    this.counters.decodes++
    return decodeState(record, this.classes)
  }

  /** A stale entry would be served for ever: checks the state against what was published since. */
  #isNewestPublished(state: CommittedState): boolean {
    const serial = this.log.serialOf(state.oid)
    return serial === undefined || serial <= state.serial
  }
}
