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
  readonly states = new Map<Oid, CommittedState>()
  readers = 0

  constructor(snapshot: StorageSnapshot) {
    this.tid = snapshot.tid
    this.snapshot = snapshot
  }
}

/** All epochs with readers, and the current one. Only the commit writer makes new ones. */
export class Epochs {
  readonly #storage: Storage
  readonly #open = new Set<Epoch>() // oldest first
  #current: Epoch

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
   */
  publish(tid: Tid): void {
    const previous = this.#current
    this.#current = this.#start()
    invariant(
      this.#current.tid === tid,
      'a snapshot taken when a write is acknowledged ends with it',
    )
    this.#closeUnused(previous)
  }

  close(): void {
    for (const epoch of this.#open) epoch.snapshot.close()
    this.#open.clear()
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
