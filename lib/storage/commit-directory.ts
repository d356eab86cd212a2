import type { CommitRow } from './commit-row.js'
import type { RevisionLink } from './interfaces.js'
import type { Oid } from './oid.js'
import { LINK_BYTES, readLink, writeLink } from './record.js'

/** About what an entry of a Map takes. */
const INDEX_BYTES = 40

/**
 * The links of a commit without the states: what a way back through many commits needs of most of
 * them, in a part of the memory. Made once, since to read a row is to check all of it.
 */
export class CommitDirectory {
  readonly #places = new Map<Oid, number>()
  /** Empty where the commit was made without history. */
  readonly #links: Buffer

  constructor(row: CommitRow) {
    this.#links = Buffer.allocUnsafe(row.isLinked ? row.entries * LINK_BYTES : 0)
    for (let index = 0; index < row.entries; index++) {
      this.#places.set(row.oidAt(index), index)
      const link = row.linkAt(index)
      if (link !== undefined) writeLink(this.#links, link, index * LINK_BYTES)
    }
  }

  /** Of memory. */
  get byteLength(): number {
    return this.#links.length + this.#places.size * INDEX_BYTES
  }

  has(oid: Oid): boolean {
    return this.#places.has(oid)
  }

  /** The link of an object's revision; `undefined` when it is not there, or was made without one. */
  linkOf(oid: Oid): RevisionLink | undefined {
    const index = this.#places.get(oid)
    if (index === undefined || this.#links.length === 0) return undefined
    return readLink(this.#links, index * LINK_BYTES)
  }
}
