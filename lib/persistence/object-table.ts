import type { Oid } from '../storage/index.js'
import { type Persistent, slotsOf } from './persistent.js'

/**
 * Objects by oid, each once: a hash table that keeps nothing beside the objects, since they know
 * their oid. A third of what a `Map` takes (11 bytes for an object against 37).
 *
 * Open addressing with linear probing: an object stands at its home or behind it, with no gap
 * between. `sweep` goes through the table and remembers where it stopped.
 */
export class ObjectTable {
  #places: (Persistent | undefined)[] = new Array(MIN_PLACES).fill(undefined)
  #scale = MIN_PLACES / HASHES // from a hash to a place
  #size = 0
  #hand = 0
  #stride = strideFor(MIN_PLACES)

  get size(): number {
    return this.#size
  }

  get(oid: Oid): Persistent | undefined {
    const places = this.#places
    for (let at = homeOf(oid, this.#scale); ; at = this.#after(at)) {
      const object = places[at]
      if (object === undefined || slotsOf(object).oid === oid) return object
    }
  }

  /** Replaces none: its oid must not be there yet. */
  add(object: Persistent): void {
    const { length } = this.#places
    if (this.#size >= length * FULL) this.#rebuild(grown(length), this.#places)
    this.#place(object)
    this.#size++
  }

  /** @returns what was there. */
  delete(oid: Oid): Persistent | undefined {
    const places = this.#places
    for (let at = homeOf(oid, this.#scale); ; at = this.#after(at)) {
      const object = places[at]
      if (object === undefined) return undefined
      if (slotsOf(object).oid !== oid) continue
      this.#empty(at)
      return object
    }
  }

  /**
   * Goes on from where the last sweep stopped, once round at most, in strides: taking out neighbours
   * would leave one part of the table empty and the other full.
   * @param take - what happens with an object: `true` takes it out, `undefined` ends the sweep.
   */
  sweep(take: (object: Persistent) => boolean | undefined): void {
    const { length } = this.#places
    for (let left = length; left > 0; left--) {
      const object = this.#places[this.#hand]
      const isTaken = object === undefined ? false : take(object)
      if (isTaken === undefined) return
      if (isTaken) this.#empty(this.#hand)
      this.#hand = (this.#hand + this.#stride) % length
    }
  }

  /** Keeps those objects only. */
  retain(isKept: (object: Persistent) => boolean): void {
    const kept = this.#places.filter((object) => object !== undefined && isKept(object))
    this.#rebuild(Math.max(MIN_PLACES, Math.ceil(kept.length * GROWTH * GROWTH)), kept)
  }

  #place(object: Persistent): void {
    let at = homeOf(slotsOf(object).oid, this.#scale)
    while (this.#places[at] !== undefined) at = this.#after(at)
    this.#places[at] = object
  }

  /** Closes the gap: what stands behind it and could not stand nearer to its home moves up. */
  #empty(gap: number): void {
    const places = this.#places
    const { length } = places
    this.#size--
    for (let at = this.#after(gap); places[at] !== undefined; at = this.#after(at)) {
      const object = places[at] as Persistent
      const home = homeOf(slotsOf(object).oid, this.#scale)
      const isNearer = (at - home + length) % length < (at - gap + length) % length
      if (isNearer) continue
      places[gap] = object
      gap = at
    }
    places[gap] = undefined
  }

  #rebuild(length: number, objects: readonly (Persistent | undefined)[]): void {
    const places: (Persistent | undefined)[] = new Array(length)
    const scale = length / HASHES
    let size = 0
    for (const object of objects) {
      if (object === undefined) continue
      let at = homeOf(slotsOf(object).oid, scale)
      while (places[at] !== undefined) at = at + 1 === length ? 0 : at + 1
      places[at] = object
      size++
    }
    this.#places = places
    this.#scale = scale
    this.#size = size
    this.#hand = 0
    this.#stride = strideFor(length)
  }

  #after(at: number): number {
    return at + 1 === this.#places.length ? 0 : at + 1
  }
}

/**
 * Fibonacci hashing: oids that follow one another stand far apart.
 * @param scale - how many places there are for a hash.
 */
function homeOf(oid: Oid, scale: number): number {
  const low = Math.imul(oid, 0x9e3779b1)
  const hash = oid < HASHES ? low : low ^ Math.imul(oid / HASHES, 0x85ebca6b)
  return ((hash >>> 0) * scale) | 0
}

const MIN_PLACES = 16
const HASHES = 0x1_0000_0000
/** How full it is at most. */
const FULL = 0.8
const GROWTH = 1.25
/** Up to here it grows fast: it takes little room, and is filled often. */
const SMALL_PLACES = 8192
const SMALL_GROWTH = 16

function grown(length: number): number {
  return length < SMALL_PLACES
    ? Math.min(length * SMALL_GROWTH, SMALL_PLACES)
    : Math.ceil(length * GROWTH)
}

/** About 0.62 of the places, and without a common divisor: so it comes to each. */
function strideFor(length: number): number {
  let stride = Math.max(1, Math.floor(length * 0.618))
  while (divisorOf(stride, length) !== 1) stride++
  return stride
}

function divisorOf(one: number, other: number): number {
  return other === 0 ? one : divisorOf(other, one % other)
}
