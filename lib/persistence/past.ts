import type { Storage, Tid } from '../storage/index.js'
import type { CommittedStore } from './committed-store.js'
import { HistoricalEpoch } from './historical-epoch.js'
import { type StateSource, statesAt } from './state-source.js'

/** The database as earlier commits left it. */
export class Past {
  readonly #storage: Storage
  readonly #store: CommittedStore
  readonly #budgetBytes: number
  readonly #open = new Set<HistoricalEpoch>()

  /** @param budgetBytes - what each reader may keep in memory. */
  constructor(storage: Storage, store: CommittedStore, budgetBytes: number) {
    this.#storage = storage
    this.#store = store
    this.#budgetBytes = budgetBytes
  }

  /**
   * The epoch of an earlier commit. Must be closed.
   * @throws STORAGE_HISTORY_UNAVAILABLE
   */
  open(tid: Tid): HistoricalEpoch {
    const epoch = new HistoricalEpoch(this.#storage.snapshotAt(tid), this.#budgetBytes, () => {
      this.#open.delete(epoch)
    })
    this.#open.add(epoch)
    return epoch
  }

  /** The oldest commit that somebody reads; `undefined` when nobody does. */
  get oldestTid(): Tid | undefined {
    let oldest: Tid | undefined
    for (const { tid } of this.#open) if (oldest === undefined || tid < oldest) oldest = tid
    return oldest
  }

  /**
   * Calls `read`, which must not wait, with the states as commit `tid` left them.
   * @throws STORAGE_HISTORY_UNAVAILABLE
   */
  read<T>(tid: Tid, read: (states: StateSource) => T): T {
    const epoch = this.open(tid)
    try {
      return read(statesAt(this.#store, epoch))
    } finally {
      epoch.close()
    }
  }

  /**
   * Calls `read` with the states before and after commit `tid`.
   * @throws STORAGE_HISTORY_UNAVAILABLE
   */
  async readBoth(
    tid: Tid,
    read: (before: StateSource, after: StateSource) => Promise<void>,
  ): Promise<void> {
    const before = this.open((tid - 1) as Tid)
    try {
      const after = this.open(tid)
      try {
        await read(statesAt(this.#store, before), statesAt(this.#store, after))
      } finally {
        after.close()
      }
    } finally {
      before.close()
    }
  }
}
