import type { CommitRow } from './commit-row.js'
import type { RevisionLink, StorageRecord } from './interfaces.js'
import type { Oid } from './oid.js'
import type { Tid } from './tid.js'

/** One revision that a commit row in memory holds. */
export class OverlayRevision {
  readonly tid: Tid
  /** The one before, as far as it is in the same overlay. */
  readonly older: OverlayRevision | undefined
  readonly #row: CommitRow
  readonly #index: number

  constructor(row: CommitRow, index: number, older: OverlayRevision | undefined) {
    this.tid = row.tid
    this.older = older
    this.#row = row
    this.#index = index
  }

  get link(): RevisionLink | undefined {
    return this.#row.linkAt(this.#index)
  }

  /** Made anew by each call: most are written to their object's row without ever being read. */
  toRecord(): StorageRecord {
    return this.#row.recordAt(this.#index)
  }
}

/** Recent commits, in memory: what object rows do not show yet, by oid and by tid. */
export class Overlay {
  /** Holds the commits after this one. */
  readonly after: Tid
  readonly #newest = new Map<Oid, OverlayRevision>()
  readonly #commits: CommitRow[] = []
  #bytes = 0

  constructor(after: Tid) {
    this.after = after
  }

  /** Of its commits. */
  get bytes(): number {
    return this.#bytes
  }

  /** Its newest commit, or the one that it begins after. */
  get lastTid(): Tid {
    return (this.after + this.#commits.length) as Tid
  }

  /** Its oids, in the order in which they first came. */
  get oids(): Iterable<Oid> {
    return this.#newest.keys()
  }

  /** Adds the commit that follows the last one. */
  add(row: CommitRow): void {
    this.#commits.push(row)
    this.#bytes += row.bytes.length
    for (let index = 0; index < row.entries; index++) {
      const oid = row.oidAt(index)
      this.#newest.set(oid, new OverlayRevision(row, index, this.#newest.get(oid)))
    }
  }

  newest(oid: Oid): OverlayRevision | undefined {
    return this.#newest.get(oid)
  }

  /** The newest revision that a commit up to `tid` wrote. */
  at(oid: Oid, tid: Tid): OverlayRevision | undefined {
    let revision = this.#newest.get(oid)
    while (revision !== undefined && revision.tid > tid) revision = revision.older
    return revision
  }

  commit(tid: Tid): CommitRow | undefined {
    return tid > this.after ? this.#commits[tid - this.after - 1] : undefined
  }
}
