import {
  createMemoryStorage,
  type Durability,
  type Storage,
  type StorageCommit,
} from '../../lib/storage/index.js'

/** A storage whose writes a spec counts, holds up, or lets fail. */
export class WrappedStorage implements Storage {
  /** The commits of each batch that was written, in order. */
  readonly batches: (readonly StorageCommit[])[] = []
  /** Awaited before each write; what it throws is what the write throws. */
  beforeWrite: (commits: readonly StorageCommit[]) => void | Promise<void> = () => undefined
  readonly #inner: Storage

  constructor(inner: Storage = createMemoryStorage()) {
    this.#inner = inner
  }

  get location() {
    return this.#inner.location
  }
  get isOpen() {
    return this.#inner.isOpen
  }
  get lastTid() {
    return this.#inner.lastTid
  }
  get highestOid() {
    return this.#inner.highestOid
  }
  get classes() {
    return this.#inner.classes
  }
  open() {
    return this.#inner.open()
  }
  async write(commits: readonly StorageCommit[], durability: Durability) {
    await this.beforeWrite(commits)
    await this.#inner.write(commits, durability)
    this.batches.push(commits)
  }
  snapshot() {
    return this.#inner.snapshot()
  }
  transactionRow(tid: Parameters<Storage['transactionRow']>[0]) {
    return this.#inner.transactionRow(tid)
  }
  close() {
    return this.#inner.close()
  }
}
