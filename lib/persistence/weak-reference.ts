import type { Oid } from '../storage/index.js'
import { describeObject } from './describe.js'
import { ForeignObjectError } from './errors.js'
import { type Persistent, slotsOf } from './persistent.js'
import { type CrossReference, Reference, WeakOid } from './reference.js'
import type { SlotsOwner } from './slots.js'

// Given by the class below, the only place that sees its private fields.

/** The weak reference that a stored state holds, for the objects of one connection. @internal */
export let presentWeakly: (stored: WeakOid, owner: SlotsOwner) => WeakReference

/** The object that a program made the weak reference of; `undefined` for one that was read. @internal */
export let givenTarget: (weak: WeakReference) => Persistent | undefined

/**
 * A weak reference as a state holds it. Its object is stored with the transaction when it is new.
 * @throws PERSISTENCE_FOREIGN_OBJECT when it was read in another connection, or leads to another database.
 * @internal
 */
export let commitWeakly: (
  weak: WeakReference,
  host: { refer(object: Persistent): Reference | CrossReference },
) => WeakOid

/**
 * A reference that does not keep its object: when nothing else leads to the object any more, pack
 * may remove it, and `deref` gives `undefined` from then on. A value like any other: of fields, in
 * nested values, in trees.
 *
 * ```ts
 * task.lastEditor = new WeakReference(bob)
 * task.lastEditor.deref()?.title
 * ```
 *
 * Storing one stores its object too, if that is new. Until then, and only then, it keeps the object
 * in memory.
 *
 * Source: `persistent.wref.WeakRef`; a dead one may be compared.
 * @public
 */
export class WeakReference<T extends Persistent = Persistent> {
  readonly #target: T | undefined // given by the program
  readonly #oid: Oid | undefined // read from a state
  readonly #owner: SlotsOwner | undefined // who read it

  constructor(target: T)
  /** @internal */
  constructor(target: undefined, oid: Oid, owner: SlotsOwner)
  constructor(target: T | undefined, oid?: Oid, owner?: SlotsOwner) {
    this.#target = target
    this.#oid = oid
    this.#owner = owner
  }

  /**
   * The object, or `undefined` when it is gone.
   * @throws PERSISTENCE_CONNECTION_CLOSED, PERSISTENCE_STALE_OBJECT
   */
  deref(): T | undefined {
    if (this.#oid === undefined) return this.#target
    return this.#owner?.query(this.#oid) as T | undefined
  }

  /** True when this leads to `object`. Loads nothing. */
  refersTo(object: Persistent): boolean {
    const { oid, owner } = slotsOf(object)
    return this.#target === object || (this.#oid === oid && this.#owner === owner)
  }

  static {
    givenTarget = (weak) => weak.#target
    presentWeakly = ({ oid }, owner) => new WeakReference(undefined, oid, owner)
    commitWeakly = (weak, host) => {
      if (weak.#target !== undefined) {
        const reference = host.refer(weak.#target)
        if (reference instanceof Reference) return new WeakOid(reference.oid)
        throw new ForeignObjectError(
          `A weak reference leads to ${describeObject(weak.#target)} of the database ${reference.database}, and ` +
            'can lead to objects of its own database only. Store the object itself, or its name.',
        )
      }
      if ((weak.#owner as unknown) !== host) {
        const target = weak.deref()
        throw new ForeignObjectError(
          `A weak reference${target === undefined ? '' : ` to ${describeObject(target)}`} was read in another ` +
            'connection. Read it, or its object, in the transaction that stores it.',
        )
      }
      return new WeakOid(weak.#oid as Oid)
    }
  }
}
