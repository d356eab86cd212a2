import { type Oid, OidSet, type StorageRecord } from '../storage/index.js'
import type { TimeSlice } from './time-slice.js'

/** What a search for reachable objects reads. @internal */
export interface ReachabilitySource {
  /** The record of an object, or `undefined` when there is none. */
  load(oid: Oid): StorageRecord | undefined
  /** The oids that lead on from an object; `record` is what `load` gives, or a sweep came by. */
  referencesOf(oid: Oid, record: StorageRecord | undefined): Iterable<Oid>
}

/**
 * Which objects can be reached, and which of those were not looked into yet: two bits an object.
 * Looks into them by rising oid, so that neighbours on the disk are read one after the other.
 * @internal
 */
export class Reachability {
  readonly #source: ReachabilitySource
  readonly #reached = new OidSet()
  readonly #pending = new OidSet()

  constructor(source: ReachabilitySource) {
    this.#source = source
  }

  /** How many objects are reached. */
  get size(): number {
    return this.#reached.size
  }

  /** To be read only. */
  get reached(): OidSet {
    return this.#reached
  }

  /** How many of them were not looked into yet. */
  get pending(): number {
    return this.#pending.size
  }

  has(oid: Oid): boolean {
    return this.#reached.has(oid)
  }

  /** @returns whether it is new. */
  reach(oid: Oid): boolean {
    if (!this.#reached.add(oid)) return false
    this.#pending.add(oid)
    return true
  }

  /** A record that somebody came by: saves loading it later. */
  pass(record: StorageRecord): void {
    if (this.#pending.delete(record.oid)) this.#follow(record.oid, record)
  }

  /** Looks into everything reached, until there is nothing more to reach. */
  async settle(slice: TimeSlice): Promise<void> {
    let from = 0
    while (this.#pending.size > 0) {
      const oid = this.#pending.next(from)
      from = oid === undefined ? 0 : oid + 1
      if (oid === undefined) continue
      this.#follow(oid, this.#source.load(oid))
      this.#pending.delete(oid)
      if (slice.isOver) await slice.turn()
    }
  }

  #follow(oid: Oid, record: StorageRecord | undefined): void {
    for (const found of this.#source.referencesOf(oid, record)) this.reach(found)
  }
}
