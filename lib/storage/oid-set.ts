import type { Oid } from './oid.js'

const PAGE_BITS = 15
const PAGE_SIZE = 2 ** PAGE_BITS
const WORDS = PAGE_SIZE / 32

/** The bits of 32,768 neighbouring oids. */
interface Page {
  readonly words: Int32Array
  size: number
}

/**
 * A set of oids, one bit each: a million neighbours take 128 KiB, where a `Set` takes 40 MiB.
 * @internal
 */
export class OidSet {
  readonly #pages = new Map<number, Page>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(oid: Oid): boolean {
    const page = this.#pages.get(pageOf(oid))
    const bit = oid % PAGE_SIZE
    return page !== undefined && (((page.words[bit >>> 5] as number) >>> (bit & 31)) & 1) === 1
  }

  /** @returns whether it is new. */
  add(oid: Oid): boolean {
    const page = this.#page(pageOf(oid))
    const bit = oid % PAGE_SIZE
    const word = page.words[bit >>> 5] as number
    const mask = 1 << (bit & 31)
    if ((word & mask) !== 0) return false
    page.words[bit >>> 5] = word | mask
    page.size++
    this.#size++
    return true
  }

  /** @returns whether it was there. */
  delete(oid: Oid): boolean {
    const number = pageOf(oid)
    const page = this.#pages.get(number)
    if (page === undefined || !this.has(oid)) return false
    const bit = oid % PAGE_SIZE
    page.words[bit >>> 5] = (page.words[bit >>> 5] as number) & ~(1 << (bit & 31))
    page.size--
    this.#size--
    if (page.size === 0) this.#pages.delete(number)
    return true
  }

  /** The lowest oid not below `from`, or `undefined`. */
  next(from: number): Oid | undefined {
    const first = pageOf(from)
    const page = this.#pages.get(first)
    if (page !== undefined) {
      const bit = nextBit(page.words, from % PAGE_SIZE)
      if (bit !== undefined) return (first * PAGE_SIZE + bit) as Oid
    }
    let following: number | undefined
    for (const number of this.#pages.keys()) {
      if (number > first && (following === undefined || number < following)) following = number
    }
    if (following === undefined) return undefined
    const bit = nextBit((this.#pages.get(following) as Page).words, 0) as number
    return (following * PAGE_SIZE + bit) as Oid
  }

  /** Rising. Oids added or deleted meanwhile are seen or not as their place says. */
  *[Symbol.iterator](): Generator<Oid, void, undefined> {
    for (let oid = this.next(0); oid !== undefined; oid = this.next(oid + 1)) yield oid
  }

  #page(number: number): Page {
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = { words: new Int32Array(WORDS), size: 0 }
      this.#pages.set(number, page)
    }
    return page
  }
}

function pageOf(oid: number): number {
  return Math.floor(oid / PAGE_SIZE)
}

/** The lowest set bit not below `from`. */
function nextBit(words: Int32Array, from: number): number | undefined {
  let index = from >>> 5
  let word = (words[index] as number) & (-1 << (from & 31))
  while (word === 0) {
    if (++index === WORDS) return undefined
    word = words[index] as number
  }
  return index * 32 + 31 - Math.clz32(word & -word)
}
