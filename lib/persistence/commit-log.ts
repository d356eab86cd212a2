import { NO_TID, type Oid, type Tid } from '../storage/index.js'

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
  /** Tokens of the keys written. */
  readonly tokens: readonly unknown[]
  /** Every key counts as written. */
  readonly touchesAll: boolean
}

/**
 * The commits, published and in flight, that a running transaction may not have seen: all since the
 * oldest open epoch. Validation reads this memory and nothing else.
 */
export class CommitLog {
  readonly #serials = new Map<Oid, Tid>() // oid → the last of these commits that wrote it
  readonly #keys = new Map<Oid, Map<unknown, Tid>>() // tree → token → the last that wrote the key
  readonly #touched = new Map<Oid, Tid>() // tree → the last that touched every key
  #commits: CommitSummary[] = []
  #dropped = 0 // how many of #commits, from the front, are forgotten

  add(commit: CommitSummary): void {
    const { tid } = commit
    this.#commits.push(commit)
    for (const oid of commit.oids) this.#serials.set(oid, tid)
    for (const { oid, tokens, touchesAll } of commit.trees) {
      if (touchesAll) this.#touched.set(oid, tid)
      if (tokens.length === 0) continue
      let keys = this.#keys.get(oid)
      if (keys === undefined) {
        keys = new Map()
        this.#keys.set(oid, keys)
      }
      for (const token of tokens) keys.set(token, tid)
    }
  }

  /** The last of these commits that wrote the object, or `undefined`. */
  serialOf(oid: Oid): Tid | undefined {
    return this.#serials.get(oid)
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

  #forget({ tid, oids, trees }: CommitSummary): void {
    for (const oid of oids) if (this.#serials.get(oid) === tid) this.#serials.delete(oid)
    for (const { oid, tokens } of trees) {
      if (this.#touched.get(oid) === tid) this.#touched.delete(oid)
      const keys = this.#keys.get(oid)
      if (keys === undefined) continue
      for (const token of tokens) if (keys.get(token) === tid) keys.delete(token)
      if (keys.size === 0) this.#keys.delete(oid)
    }
  }
}
