import type { Oid, StorageSnapshot } from '../storage/index.js'
import type { CommittedState } from './committed-state.js'
import { Epoch } from './epoch.js'

/**
 * The database as an earlier commit left it. What is read here stays here, within a budget: it is
 * never the business of those who read what is newest.
 */
export class HistoricalEpoch extends Epoch {
  readonly #revisions = new Map<Oid, CommittedState>() // oldest reading first
  readonly #budgetBytes: number
  readonly #onClose: () => void
  #bytes = 0

  constructor(
    snapshot: StorageSnapshot,
    budgetBytes: number,
    onClose: () => void = () => undefined,
  ) {
    super(snapshot)
    this.#onClose = onClose
    this.#budgetBytes = budgetBytes
  }

  override get isHistorical(): boolean {
    return true
  }

  override stateOf(oid: Oid): CommittedState | undefined {
    return this.#revisions.get(oid)
  }

  override keep(state: CommittedState): void {
    this.#revisions.set(state.oid, state)
    this.#bytes += state.bytes
    if (this.#bytes > this.#budgetBytes) this.#forgetOldest()
  }

  /** Nobody reads here any more. */
  close(): void {
    this.snapshot.close()
    this.#revisions.clear()
    this.#onClose()
  }

  #forgetOldest(): void {
    for (const [oid, { bytes }] of this.#revisions) {
      if (this.#bytes <= this.#budgetBytes * 0.9) return
      this.#revisions.delete(oid)
      this.#bytes -= bytes
    }
  }
}
