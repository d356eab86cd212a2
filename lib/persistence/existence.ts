import { ConflictError, formatOid, type Oid, type Tid } from '../storage/index.js'
import { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { DanglingReferenceError } from './errors.js'
import type { EncodedRecord } from './serializer.js'
import { encodeState } from './state-codec.js'
import { referencesOf } from './stored-references.js'

/** The objects, and nodes of trees, that come back or go when one transaction undoes others. */
export class Existence {
  #returning = new Map<Oid, CommittedState>() // what was removed, with the state it comes back with
  #going = new Set<Oid>()
  #isEmpty = true

  /** Asked at each read: one look, where two tables would be asked. */
  get isEmpty(): boolean {
    return this.#isEmpty
  }

  get returning(): ReadonlyMap<Oid, CommittedState> {
    return this.#returning
  }

  get going(): ReadonlySet<Oid> {
    return this.#going
  }

  /** @param seen - the commit that the transaction sees: whoever writes the object later is in conflict. */
  bringBack({ oid, layout, values, bytes }: CommittedState, seen: Tid): void {
    this.#isEmpty = false
    this.#returning.set(oid, new CommittedState(oid, seen, layout, values, bytes))
  }

  remove(oid: Oid): void {
    this.#isEmpty = false
    this.#going.add(oid)
  }

  /** An instant to come back to. @returns what comes back to it. */
  keep(): () => void {
    const returning = new Map(this.#returning)
    const going = new Set(this.#going)
    return () => {
      this.#returning = new Map(returning)
      this.#going = new Set(going)
      this.#isEmpty = returning.size === 0 && going.size === 0
    }
  }

  clear(): void {
    if (this.isEmpty) return
    this.#returning.clear()
    this.#going.clear()
    this.#isEmpty = true
  }

  /**
   * Holds it against what was committed after `since`, published or in flight.
   * @throws STORAGE_CONFLICT when one of the objects was written, or is referred to since.
   */
  validate(since: Tid, store: CommittedStore): void {
    for (const oid of this.#returning.keys()) refuseNewer(oid, since, store)
    for (const oid of this.#going) refuseNewer(oid, since, store)
    if (this.#going.size === 0) return
    for (const { tid, oids } of store.log.commitsAfter(since)) {
      for (const oid of oids) {
        const state = store.newest(oid)
        if (state === undefined) continue
        const found = this.#goingIn(encodeState(state.values, state.layout))
        if (found !== undefined) throw conflict(found, since, tid)
      }
    }
  }

  /** The records of what comes back, without those that the transaction writes anyhow. */
  encode(written: readonly EncodedRecord[]): EncodedRecord[] {
    if (this.#returning.size === 0) return []
    const own = new Set(written.map(({ oid }) => oid))
    return Array.from(this.#returning.values())
      .filter(({ oid }) => !own.has(oid))
      .map(({ oid, layout, values }) => ({
        oid,
        layout,
        values,
        bytes: encodeState(values, layout),
      }))
  }

  /** @throws PERSISTENCE_DANGLING_REFERENCE when the transaction refers to what it removes. */
  refuseReferences(written: readonly EncodedRecord[]): void {
    if (this.#going.size === 0) return
    for (const { oid, bytes } of written) {
      const found = this.#goingIn(bytes)
      if (found === undefined) continue
      throw new DanglingReferenceError(
        `The object with oid ${formatOid(oid)} refers to oid ${formatOid(found)}, whose creation this transaction ` +
          'undoes. Nothing was committed.',
        { details: { oid: formatOid(oid), missing: formatOid(found) } },
      )
    }
  }

  #goingIn(state: Uint8Array): Oid | undefined {
    return referencesOf(state).strong.find((oid) => this.#going.has(oid))
  }
}

function refuseNewer(oid: Oid, since: Tid, store: CommittedStore): void {
  const committed = store.log.serialOf(oid)
  if (committed !== undefined && committed > since) throw conflict(oid, since, committed)
}

function conflict(oid: Oid, read: Tid, committed: Tid): ConflictError {
  return ConflictError.between({
    oid,
    what: `The object with oid ${formatOid(oid)}`,
    read,
    committed,
  })
}
