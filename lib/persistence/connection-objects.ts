import { formatOid, ObjectNotFoundError, type Oid } from '../storage/index.js'
import { storedNameOf } from './class-registry.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import { awaitState, takeOwnState, takeState } from './custom-state.js'
import { describeObject } from './describe.js'
import { DanglingReferenceError, StaleObjectError } from './errors.js'
import { ObjectCache, type ObjectCacheLimits } from './object-cache.js'
import { makeObject, type Persistent, slotsOf } from './persistent.js'
import type { Reference } from './reference.js'
import { GHOST, NO_OID, Slots, type SlotsOwner, UNOWNED } from './slots.js'
import type { TransactionView } from './transaction-view.js'

/**
 * The objects of one connection, one for each oid, and how each comes to the state that the view
 * shows: when it is made, when it is read, and when its transaction has committed.
 */
export class ConnectionObjects {
  readonly #owner: SlotsOwner
  readonly #view: TransactionView
  readonly #store: CommittedStore
  readonly #cache: ObjectCache
  #made = 0

  /** @param owner - whose objects they are. */
  constructor({
    owner,
    view,
    store,
    limits,
  }: {
    readonly owner: SlotsOwner
    readonly view: TransactionView
    readonly store: CommittedStore
    readonly limits: ObjectCacheLimits
  }) {
    this.#owner = owner
    this.#view = view
    this.#store = store
    this.#cache = new ObjectCache(limits)
  }

  /** How many are held strongly. */
  get size(): number {
    return this.#cache.size
  }

  /** How many were made from states. */
  get made(): number {
    return this.#made
  }

  /** The object of this oid when there is one already. Loads nothing. */
  known(oid: Oid): Persistent | undefined {
    return this.#cache.get(oid)
  }

  /** The object of this oid, as the running transaction sees it, or `undefined` when it sees none. */
  query(oid: Oid): Persistent | undefined {
    const known = this.#cache.get(oid)
    if (known !== undefined && !this.#view.isGone(oid)) return this.#reached(known)
    return this.#loaded(oid, this.#view.stateFor(oid))
  }

  /** As {@link query}, for the object that a reference leads to. */
  resolve(reference: Reference): Persistent | undefined {
    const { oid } = reference
    const known = this.#cache.get(oid)
    if (known !== undefined && !this.#view.isGone(oid)) return this.#reached(known)
    return this.#loaded(oid, this.#view.stateBehind(reference))
  }

  #loaded(oid: Oid, state: CommittedState | undefined): Persistent | undefined {
    if (state !== undefined) return this.#make(state)
    this.#owner.reads?.addObject(oid)
    return undefined
  }

  /** An object of an earlier transaction belongs to this one now, and is readable after its end. */
  #reached(object: Persistent): Persistent {
    const slots = slotsOf(object)
    const { generation, reads } = this.#owner
    if (slots.generation === generation) return object
    const isRead =
      reads === undefined && this.#view.isStillCurrent(slots) && this.#view.isServingCaller
    if (isRead) this.#bringUp(slots)
    else slots.generation = GHOST
    return object
  }

  #bringUp(slots: Slots): void {
    const { generation } = this.#owner
    slots.generation = generation
    // What a ghost of this transaction handed out is still current.
    const { nested } = slots
    if (nested === undefined || nested.generation === generation) return
    nested.close()
    slots.nested = undefined
  }

  #make(state: CommittedState): Persistent {
    const { classLayout } = state.layout
    if (classLayout === undefined) {
      throw new ObjectNotFoundError(`oid ${formatOid(state.oid)} is a tree's node, not an object`)
    }
    this.#store.counters.loads++
    this.#made++
    const owner = this.#owner
    // The first read of a field is noted where reads are.
    const generation = owner.reads === undefined ? owner.generation : GHOST
    const slots = Slots.ofLoaded(state, owner, generation)
    awaitState(slots)
    const object = makeObject(slots)
    this.#cache.replaced(undefined, state)
    this.#cache.add(state.oid, object)
    return object
  }

  /**
   * Brings an object up to what the running transaction sees.
   * @throws PERSISTENCE_STALE_OBJECT, PERSISTENCE_DANGLING_REFERENCE
   */
  activate(object: Persistent): void {
    const slots = slotsOf(object)
    if (this.#view.isStillCurrent(slots) && this.#view.isServingCaller) {
      this.#owner.reads?.addObject(slots.oid)
      this.#bringUp(slots)
    } else this.#fetch(object, slots)
  }

  #fetch(object: Persistent, slots: Slots): void {
    const isEstranged = slots.generation >= 0 || this.#view.transaction !== undefined
    if (isEstranged && !this.#view.isServingCaller) throw stale(object)
    this.#owner.reads?.addObject(slots.oid)
    if (!isEstranged && takeOwnState(object, slots)) return
    const state = this.#view.stateFor(slots.oid)
    if (state === undefined) {
      throw new DanglingReferenceError(
        `${describeObject(object)} does not exist any more as this transaction sees the database`,
      )
    }
    this.#bringUp(slots)
    if (state !== slots.committed) this.#load(object, slots, state)
    if (slots.values === state.values && slots.layout.hasSetState) this.#takeState(object, slots)
  }

  #load(object: Persistent, slots: Slots, state: CommittedState): void {
    const wasGhost = slots.committed === undefined
    this.#cache.replaced(slots.committed, state)
    slots.become(state)
    if (wasGhost) this.#cache.add(slots.oid, object)
  }

  /** Runs the program's code, which may load others: this one is not to be evicted meanwhile. */
  #takeState(object: Persistent, slots: Slots): void {
    slots.writtenIn = TAKING_STATE
    try {
      takeState(object, slots)
    } finally {
      slots.writtenIn = 0
    }
  }

  /** A new object is the connection's from now on. */
  take(object: Persistent, oid: Oid): void {
    const slots = slotsOf(object)
    slots.owner = this.#owner
    slots.oid = oid
    slots.generation = this.#owner.generation
    this.#cache.add(oid, object)
  }

  /** A new object belongs to nobody again. */
  disown(slots: Slots): void {
    this.#cache.delete(slots.oid)
    slots.owner = UNOWNED
    slots.oid = NO_OID
    slots.generation = UNOWNED.generation
  }

  /** The state of an object as its transaction has committed it. */
  adopt(slots: Slots, state: CommittedState): void {
    this.#cache.replaced(slots.committed, state)
    slots.committed = state
    slots.values = state.values as unknown[]
    awaitState(slots)
  }

  /** The same for an object that came back, if the program has reached it already. */
  adoptReturned(state: CommittedState): void {
    const object = this.#cache.get(state.oid)
    if (object === undefined) return
    const slots = slotsOf(object)
    if (slots.committed !== undefined) this.adopt(slots, state) // a ghost loads it by itself
  }

  /** The object does not exist: reading it says so. */
  estrange(oid: Oid): void {
    const object = this.#cache.get(oid)
    if (object === undefined) return
    this.#cache.delete(oid)
    slotsOf(object).generation = GHOST
  }

  /** Makes ghosts of unchanged objects down to the limits. */
  collect(): void {
    this.#cache.collect()
  }

  /** Makes ghosts of all unchanged objects. */
  minimize(): void {
    this.#cache.minimize()
  }

  /** The object of this oid in words. */
  describe(oid: Oid): string {
    const object = this.#cache.get(oid)
    return object === undefined ? `The object with oid ${formatOid(oid)}` : describeObject(object)
  }

  /** The stored name of its class, when it is known. */
  storedNameOf(oid: Oid): string | undefined {
    const object = this.#cache.get(oid)
    return object && storedNameOf(slotsOf(object).layout.constructor)
  }
}

/** In place of a stamp, while `setState` runs. */
const TAKING_STATE = -1

function stale(object: Persistent): StaleObjectError {
  return new StaleObjectError(
    `${describeObject(object)} was reached in a transaction that is over, and its connection serves ` +
      'another one now. Reach it again from the root of the transaction that needs it.',
  )
}
