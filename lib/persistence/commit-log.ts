import { NO_TID, type Oid, type Tid } from '../storage/index.js'
import { type Key, keyToken } from './btree/keys.js'

/** What one commit wrote, as far as later ones must know. */
export interface CommitSummary {
  readonly tid: Tid
  readonly oids: readonly Oid[]
  readonly trees: readonly TreeSummary[]
}

/** What one commit did to one tree. */
export interface TreeSummary {
  /** The object that keeps the tree. */
  readonly oid: Oid
  /** The keys written. */
  readonly keys: readonly Key[]
  /** Every key counts as written, and so do the fields. */
  readonly touchesAll: boolean
  /** The object's fields were written, too. */
  readonly writesFields: boolean
}

/**
 * The commits, published and in flight, that a running transaction may not have seen: all since the
 * oldest open epoch. Validation reads this memory and nothing else.
 */
export class CommitLog {
  readonly #serials = new Map<Oid, Tid>() // oid → the last of these commits that wrote it
  readonly #keys = new Map<Oid, Map<unknown, Tid>>() // tree → token → the last that wrote the key
  readonly #touched = new Map<Oid, Tid>() // tree → the last that touched every key
  readonly #fields = new Map<Oid, Tid>() // object of whose writers some wrote its tree only → the last other
  #commits: CommitSummary[] = []
  #dropped = 0 // how many of #commits, from the front, are forgotten

  add(commit: CommitSummary): void {
    const { tid } = commit
    this.#commits.push(commit)
    this.#addOids(commit)
    for (const { oid, keys: written, touchesAll } of commit.trees) {
      if (touchesAll) this.#touched.set(oid, tid)
      if (written.length === 0) continue
      let keys = this.#keys.get(oid)
      if (keys === undefined) {
        keys = new Map()
        this.#keys.set(oid, keys)
      }
      for (const key of written) keys.set(keyToken(key), tid)
    }
  }

  /** The last of these commits that wrote the object, or `undefined`. */
  serialOf(oid: Oid): Tid | undefined {
    return this.#serials.get(oid)
  }

  /** The last of these commits that wrote a field of the object, or removed or moved it. */
  fieldsWrittenBy(oid: Oid): Tid {
    return this.#fields.get(oid) ?? this.#serials.get(oid) ?? NO_TID
  }

  /** The commits after `since`, newest first. */
  *commitsAfter(since: Tid): IterableIterator<CommitSummary> {
    for (let at = this.#commits.length - 1; at >= this.#dropped; at--) {
      const commit = this.#commits[at] as CommitSummary
      if (commit.tid <= since) return
      yield commit
    }
  }

  /** The last of these commits that wrote a key of the tree; NO_TID for none. */
  keyWrittenBy(tree: Oid, token: unknown): Tid {
    return this.#keys.get(tree)?.get(token) ?? NO_TID
  }

  /** The last of these commits that touched every key of the tree; NO_TID for none. */
  touchedBy(tree: Oid): Tid {
    return this.#touched.get(tree) ?? NO_TID
  }

  /** The last of these commits that wrote any key of the tree; NO_TID for none. */
  lastKeyWriter(tree: Oid): Tid {
    let last = this.touchedBy(tree)
    for (const tid of this.#keys.get(tree)?.values() ?? []) if (tid > last) last = tid
    return last
  }

  /** Forgets commits up to and including `tid`: every open epoch has them. */
  forgetUpTo(tid: Tid): void {
    while (this.#dropped < this.#commits.length) {
      const commit = this.#commits[this.#dropped] as CommitSummary
      if (commit.tid > tid) break
      this.#forget(commit)
      this.#dropped++
    }
    if (this.#dropped > 64 && this.#dropped * 2 > this.#commits.length) {
      this.#commits = this.#commits.slice(this.#dropped)
      this.#dropped = 0
    }
  }

  #addOids({ tid, oids, trees }: CommitSummary): void {
    const others: [Oid, Tid][] = [] // of whom only the tree is written now → the last other writer
    for (const { oid, touchesAll, writesFields } of trees) {
      if (!touchesAll && !writesFields) others.push([oid, this.fieldsWrittenBy(oid)])
    }
    for (const oid of oids) {
      this.#serials.set(oid, tid)
      if (this.#fields.has(oid)) this.#fields.set(oid, tid)
    }
    for (const [oid, writer] of others) this.#fields.set(oid, writer)
  }

  #forget({ tid, oids, trees }: CommitSummary): void {
    for (const oid of oids) {
      if (this.#serials.get(oid) !== tid) continue
      this.#serials.delete(oid)
      this.#fields.delete(oid)
    }
    for (const { oid, keys: written } of trees) {
      if (this.#touched.get(oid) === tid) this.#touched.delete(oid)
      const keys = this.#keys.get(oid)
      if (keys === undefined) continue
      for (const key of written) {
        const token = keyToken(key)
        if (keys.get(token) === tid) keys.delete(token)
      }
      if (keys.size === 0) this.#keys.delete(oid)
    }
  }
}
