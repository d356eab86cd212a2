import {
  createMemoryStorage,
  type Durability,
  type Storage,
  type StorageCommit,
  type Tid,
} from '../../lib/storage/index.js'

/** A storage whose writes a spec counts, holds up, or lets fail. */
export class WrappedStorage implements Storage {
  /** The commits of each batch that was written, in order. */
  readonly batches: (readonly StorageCommit[])[] = []
  /** Awaited before each write; what it throws is what the write throws. */
  beforeWrite: (commits: readonly StorageCommit[]) => void | Promise<void> = () => undefined
  /** Awaited after each write; what it throws is what the write throws, although it was carried out. */
  afterWrite: (commits: readonly StorageCommit[]) => void | Promise<void> = () => undefined
  /** What a power loss leaves, as a spec says. */
  syncedTid: Tid | undefined
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
  get databaseId() {
    return this.#inner.databaseId
  }
  get historyFrom() {
    return this.#inner.historyFrom
  }
  get blobs() {
    return this.#inner.blobs
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
    await this.afterWrite(commits)
  }
  snapshot() {
    return this.#inner.snapshot()
  }
  snapshotAt(...given: Parameters<Storage['snapshotAt']>) {
    return this.#inner.snapshotAt(...given)
  }
  loadRevision(...given: Parameters<Storage['loadRevision']>) {
    return this.#inner.loadRevision(...given)
  }
  revisions(...given: Parameters<Storage['revisions']>) {
    return this.#inner.revisions(...given)
  }
  tidAt(...given: Parameters<Storage['tidAt']>) {
    return this.#inner.tidAt(...given)
  }
  timeOf(...given: Parameters<Storage['timeOf']>) {
    return this.#inner.timeOf(...given)
  }
  transactionRow(...given: Parameters<Storage['transactionRow']>) {
    return this.#inner.transactionRow(...given)
  }
  transactions(...given: Parameters<Storage['transactions']>) {
    return this.#inner.transactions(...given)
  }
  commits(...given: Parameters<Storage['commits']>) {
    return this.#inner.commits(...given)
  }
  fill(...given: Parameters<Storage['fill']>) {
    return this.#inner.fill(...given)
  }
  checkpoint() {
    return this.#inner.checkpoint()
  }
  pruneHistory(...given: Parameters<Storage['pruneHistory']>) {
    return this.#inner.pruneHistory(...given)
  }
  checkRows(...given: Parameters<Storage['checkRows']>) {
    return this.#inner.checkRows(...given)
  }
  close() {
    return this.#inner.close()
  }
}
