import { type BlobName, formatBlobName, type Storage, type Tid } from '../storage/index.js'
import { isNamed } from './blob-content.js'
import { TimeSlice } from './time-slice.js'

/** What a keeper works with. */
export interface BlobKeeperParts {
  readonly storage: Storage
  /** The newest published commit. */
  readonly newestTid: () => Tid
  /** The oldest commit that somebody reads the database at. */
  readonly oldestReadTid: () => Tid
  readonly report: (error: unknown) => void
}

/**
 * Sees to it that the contents of a database's blobs are there as long as a record names them, or somebody
 * reads the database as it was when one did, and not much longer.
 *
 * Without history, a content goes as soon as that is so; with history, with `pack`. While a power loss may take
 * the commit back since which that is so, the content stays: the record before may turn up again that names it.
 */
export class BlobKeeper {
  readonly #parts: BlobKeeperParts
  /** Placed by transactions that have not ended. */
  readonly #inFlight = new Set<string>()
  /** Named by no record any more → the commit since which that is so, or a later one. */
  readonly #superseded = new Map<string, { readonly name: BlobName; readonly since: Tid }>()
  #removing: Promise<void> = Promise.resolve()

  constructor(parts: BlobKeeperParts) {
    this.#parts = parts
  }

  get store() {
    return this.#parts.storage.blobs
  }

  get report() {
    return this.#parts.report
  }

  get keepsHistory(): boolean {
    return this.#parts.storage.historyFrom !== undefined
  }

  /** No power loss takes it back, nor a commit before it. */
  get #durableTid(): number {
    return this.#parts.storage.syncedTid ?? Number.POSITIVE_INFINITY
  }

  /** Must be called before a content is placed, and again when its transaction has ended. */
  setInFlight(name: BlobName, isInFlight: boolean): void {
    if (isInFlight) this.#inFlight.add(formatBlobName(name))
    else this.#inFlight.delete(formatBlobName(name))
  }

  /** Since this commit no record names the content. */
  supersede(name: BlobName, since: Tid): void {
    this.#superseded.set(formatBlobName(name), { name, since })
  }

  /** Somebody stopped reading: removes what nobody can need any more, now or after a power loss. Does not wait. */
  release(): void {
    if (this.#superseded.size === 0) return
    const latest = Math.min(this.#parts.oldestReadTid(), this.#durableTid)
    for (const [text, { name, since }] of this.#superseded) {
      if (since > latest) continue
      this.#superseded.delete(text)
      this.#removing = this.#removing.then(() => this.store.remove(name)).catch(this.#parts.report)
    }
  }

  /** Decides about the contents of transactions that a crash ended. */
  async recover(): Promise<void> {
    for (const name of await this.store.uncertain()) {
      const decide = isNamed(this.#parts.storage, name) ? 'confirm' : 'remove'
      await this.store[decide](name).catch(this.#parts.report)
    }
  }

  /** Looks at all contents, for those that no record names. */
  async sweep(signal: AbortSignal): Promise<void> {
    const slice = new TimeSlice({ signal })
    for await (const name of this.store.list()) {
      signal.throwIfAborted()
      const isKept = this.#inFlight.has(formatBlobName(name)) || isNamed(this.#parts.storage, name)
      if (!isKept) this.supersede(name, this.#parts.newestTid())
      if (slice.isOver) await slice.turn()
    }
    this.release()
    await this.#removing
  }

  /** Nobody reads any more: removes what had to wait for that, or leaves it to the next opening. */
  async close(): Promise<void> {
    await this.#removing
    for (const { name, since } of this.#superseded.values()) {
      const isFinal = since <= this.#durableTid
      await this.store[isFinal ? 'remove' : 'doubt'](name).catch(this.#parts.report)
    }
    this.#superseded.clear()
  }
}
