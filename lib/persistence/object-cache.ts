import type { Oid } from '../storage/index.js'
import { EMPTY, type Persistent, slotsOf } from './persistent.js'
import { GHOST } from './slots.js'

/**
 * The identity map: the one object that a connection has for each oid, for as long as anybody holds
 * it. Objects in recent use are held strongly; those that leave the ring are made ghosts and held
 * weakly, so that an object the program still holds is found again and not made twice.
 */
export class ObjectCache {
  readonly #recent = new Map<Oid, Persistent>()
  readonly #demoted = new Map<Oid, WeakRef<Persistent>>()
  readonly #limit: number
  #sweepAt = 1024 // how many demoted entries there may be before the dead are looked for

  /** @param limit - how many objects are held strongly, about. */
  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#recent.size
  }

  get(oid: Oid): Persistent | undefined {
    return this.#recent.get(oid) ?? this.#promote(oid)
  }

  add(oid: Oid, object: Persistent): void {
    this.#recent.set(oid, object)
  }

  delete(oid: Oid): void {
    this.#recent.delete(oid)
    this.#demoted.delete(oid)
  }

  /** Makes ghosts of clean objects that were not used in `generation`, down to the limit. */
  collect(generation: number): void {
    if (this.#recent.size <= this.#limit) return
    let left = this.#recent.size
    for (const [oid, object] of this.#recent) {
      if (this.#recent.size <= this.#limit * 0.9 || left-- === 0) break
      this.#recent.delete(oid)
      const slots = slotsOf(object)
      const isOverfull = this.#recent.size > this.#limit * 1.5
      const isInUse = slots.generation === generation && (!isOverfull || slots.nested !== undefined)
      if (slots.changed || isInUse) this.#recent.set(oid, object)
      else this.#demote(oid, object)
    }
  }

  /** Makes ghosts of all clean objects. */
  minimize(): void {
    for (const [oid, object] of this.#recent) {
      const { changed, nested } = slotsOf(object)
      if (changed || nested?.hasChangedCopies) continue
      this.#recent.delete(oid)
      this.#demote(oid, object)
    }
  }

  #demote(oid: Oid, object: Persistent): void {
    const slots = slotsOf(object)
    slots.generation = GHOST
    slots.values = EMPTY
    slots.committed = undefined
    slots.nested?.close()
    slots.nested = undefined
    this.#demoted.set(oid, new WeakRef(object))
    if (this.#demoted.size > this.#sweepAt) this.#forgetDead()
  }

  #promote(oid: Oid): Persistent | undefined {
    const reference = this.#demoted.get(oid)
    if (reference === undefined) return undefined
    this.#demoted.delete(oid)
    const object = reference.deref()
    if (object !== undefined) this.#recent.set(oid, object)
    return object
  }

  /** Cheaper than a FinalizationRegistry, which costs 0.2 us for each object. */
  #forgetDead(): void {
    for (const [oid, reference] of this.#demoted) {
      if (reference.deref() === undefined) this.#demoted.delete(oid)
    }
    this.#sweepAt = Math.max(1024, this.#demoted.size * 2)
  }
}
