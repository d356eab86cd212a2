import { invariant } from '../foundation/index.js'
import type { Oid, Storage, StorageSnapshot, Tid } from '../storage/index.js'
import type { CommittedState } from './committed-state.js'

/**
 * The database as one published commit left it, shared by all transactions that began before the
 * next one was published. Holds one storage snapshot, closed when the last reader ends.
 */
export class Epoch {
  readonly tid: Tid
  readonly snapshot: StorageSnapshot
  /** Revisions that are no longer the newest, read by transactions of this epoch. */
  readonly #states = new Map<Oid, CommittedState>()
  readers = 0
  /** When the next commit was published; `undefined` while this is the newest. */
  outdatedSinceMs: number | undefined

  constructor(snapshot: StorageSnapshot) {
    this.tid = snapshot.tid
    this.snapshot = snapshot
  }

  /** True when later commits are not known in full, so that nothing read here is known to be the newest. */
  get isHistorical(): boolean {
    return false
  }

  /** A revision that was kept here. */
  stateOf(oid: Oid): CommittedState | undefined {
    return this.#states.get(oid)
  }

  /** Keeps a revision for the readers of this epoch alone. */
  keep(state: CommittedState): void {
    this.#states.set(state.oid, state)
  }
}

/** All epochs with readers, and the current one. Only the commit writer makes new ones. */
export class Epochs {
  readonly #storage: Storage
  readonly #open = new Set<Epoch>() // oldest first
  #current: Epoch
  #waiting: (() => void)[] = [] // for the next one

  constructor(storage: Storage) {
    this.#storage = storage
    this.#current = this.#start()
  }

  get current(): Epoch {
    return this.#current
  }

  /** The tid that every open epoch has. */
  get oldestTid(): Tid {
    for (const epoch of this.#open) return epoch.tid
    return this.#current.tid
  }

  /** How long ago the oldest open one was outdated; 0 when that is the current one. */
  msBehind(nowMs: number): number {
    for (const { outdatedSinceMs } of this.#open) {
      return outdatedSinceMs === undefined ? 0 : Math.max(0, nowMs - outdatedSinceMs)
    }
    return 0
  }

  /** How many have a snapshot open. */
  get size(): number {
    return this.#open.size
  }

  acquire(): Epoch {
    this.#current.readers++
    return this.#current
  }

  release(epoch: Epoch): void {
    epoch.readers--
    invariant(epoch.readers >= 0, 'an epoch is released as often as acquired')
    this.#closeUnused(epoch)
  }

  /**
   * Makes the state of the storage the current epoch. Called in the step in which the write of
   * `tid` was acknowledged.
   * @param timeMs - when that was committed.
   */
  publish(tid: Tid, timeMs: number): void {
    const previous = this.#current
    previous.outdatedSinceMs = timeMs
    this.#current = this.#start()
    invariant(
      this.#current.tid === tid,
      'a snapshot taken when a write is acknowledged ends with it',
    )
    this.#closeUnused(previous)
    this.#tellWaiting()
  }

  /** Resolves at the next publication, or when there will be none. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  close(): void {
    for (const epoch of this.#open) epoch.snapshot.close()
    this.#open.clear()
    this.#tellWaiting()
  }

  #tellWaiting(): void {
    if (this.#waiting.length === 0) return
    for (const tell of this.#waiting.splice(0)) tell()
  }

  #start(): Epoch {
    const epoch = new Epoch(this.#storage.snapshot())
    this.#open.add(epoch)
    return epoch
  }

  #closeUnused(epoch: Epoch): void {
    if (epoch.readers > 0 || epoch === this.#current) return
    this.#open.delete(epoch)
    epoch.snapshot.close()
  }
}
