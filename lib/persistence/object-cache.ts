import type { Oid } from '../storage/index.js'
import type { CommittedState } from './committed-state.js'
import { ObjectTable } from './object-table.js'
import { type Persistent, slotsOf } from './persistent.js'

/** How much a connection holds strongly, about: as many objects, and as many bytes of their states. */
export interface ObjectCacheLimits {
  readonly objects: number
  readonly bytes: number
}

/**
 * The identity map: the one object that a connection has for each oid, for as long as anybody holds
 * it. Loaded objects are held strongly; when there are too many, some are made ghosts and held
 * weakly, so that an object the program still holds is found again and not made twice. Which ones is
 * left to where they stand in the table: a read costs nothing for it, and one that is used again
 * loads again from the shared cache.
 */
export class ObjectCache {
  readonly #loaded = new ObjectTable()
  readonly #demoted = new Map<Oid, WeakRef<Persistent>>()
  readonly #limits: ObjectCacheLimits
  #bytes = 0 // of the states that loaded objects hold
  #collectAbove = 0 // objects; below it collecting once more would find nothing
  #sweepAt = 1024 // how many demoted entries there may be before the dead are looked for

  constructor(limits: ObjectCacheLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#loaded.size
  }

  /** Of the states that objects held strongly hold, about; most of them are shared. */
  get bytes(): number {
    return this.#bytes
  }

  get(oid: Oid): Persistent | undefined {
    const loaded = this.#loaded.get(oid)
    return loaded !== undefined || this.#demoted.size === 0 ? loaded : this.#demotedOne(oid)
  }

  /** Holds an object strongly that has just been made, or loaded again. */
  add(oid: Oid, object: Persistent): void {
    if (this.#demoted.size > 0) this.#demoted.delete(oid)
    this.#loaded.add(object)
    const { size } = this.#loaded
    if (size > this.#limits.objects * SLACK || this.#bytes > this.#limits.bytes * SLACK) {
      if (size > this.#collectAbove) this.#collect(object)
    }
  }

  /** One state of a loaded object took the place of another. */
  replaced(before: CommittedState | undefined, after: CommittedState | undefined): void {
    this.#bytes += (after?.bytes ?? 0) - (before?.bytes ?? 0)
  }

  delete(oid: Oid): void {
    const loaded = this.#loaded.delete(oid)
    if (loaded !== undefined) this.replaced(slotsOf(loaded).committed, undefined)
    this.#demoted.delete(oid)
  }

  /** Makes ghosts of clean objects, down to the limits. */
  collect(): void {
    this.#collect(undefined)
  }

  /** Makes ghosts of all clean objects. */
  minimize(): void {
    this.#loaded.retain((object) => !(isClean(object) && this.#demote(object)))
  }

  /** @param newest - stays: whoever added it is about to use it. */
  #collect(newest: Persistent | undefined): void {
    this.#loaded.sweep((object) => {
      if (!this.#isOver) return undefined
      return object !== newest && isClean(object) && this.#demote(object)
    })
    // When most are changed, looking for the others each time would take ever longer.
    this.#collectAbove = this.#isOver ? this.#loaded.size * SLACK : 0
  }

  get #isOver(): boolean {
    return this.#loaded.size > this.#limits.objects || this.#bytes > this.#limits.bytes
  }

  /** What it handed out stays its own: whoever holds that holds the object. */
  #demote(object: Persistent): true {
    const slots = slotsOf(object)
    this.replaced(slots.committed, undefined)
    slots.evict()
    this.#demoted.set(slots.oid, new WeakRef(object))
    if (this.#demoted.size > this.#sweepAt) this.#forgetDead()
    return true
  }

  #demotedOne(oid: Oid): Persistent | undefined {
    const reference = this.#demoted.get(oid)
    if (reference === undefined) return undefined
    const object = reference.deref()
    if (object === undefined) this.#demoted.delete(oid)
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

function isClean(object: Persistent): boolean {
  const { changed, nested } = slotsOf(object)
  return !changed && nested?.hasChangedCopies !== true
}

/** How far above its limits a cache may be before it collects: so it collects seldom. */
const SLACK = 1.1
