import type { CommitRow } from './commit-row.js'
import { CorruptRecordError } from './errors.js'
import type { Generation } from './generation.js'
import type { RevisionLink, StorageRecord } from './interfaces.js'
import type { Oid } from './oid.js'
import { isRemoval } from './record.js'
import { nextLink } from './revision-link.js'
import type { Tid } from './tid.js'

/** The links of records that come without one, in the commits of one write. */
export class CommitLinks {
  readonly #generation: Generation
  readonly #lastTid: Tid
  readonly #historyFrom: Tid
  /** What earlier commits of the same write wrote; nobody can read it yet. */
  readonly #written = new Map<Oid, { readonly tid: Tid; readonly link: RevisionLink | undefined }>()

  /**
   * @param lastTid - the newest commit that was acknowledged.
   * @param historyFrom - the oldest one that can be read.
   */
  constructor(generation: Generation, lastTid: Tid, historyFrom: Tid) {
    this.#generation = generation
    this.#lastTid = lastTid
    this.#historyFrom = historyFrom
  }

  /** Of what the next commit writes or removes. */
  readonly linkOf = (oid: Oid): RevisionLink =>
    nextLink(this.#written.get(oid) ?? this.#replaced(oid))

  /** Notes what a commit of the write says itself. */
  add(row: CommitRow): void {
    for (let index = 0; index < row.entries; index++) {
      this.#written.set(row.oidAt(index), { tid: row.tid, link: row.linkAt(index) })
    }
  }

  #replaced(oid: Oid): StorageRecord | undefined {
    try {
      const record = this.#generation.recordAt(oid, this.#lastTid)
      const isGone = record !== undefined && isRemoval(record) && record.tid <= this.#historyFrom
      return isGone ? undefined : record
    } catch (error) {
      // A damaged object can be written anew: its history begins again.
      if (error instanceof CorruptRecordError) return undefined
      throw error
    }
  }
}
