/** Numbers that follow from a seed alone, so that a run can be repeated. */
export class Random {
  #state: number

  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e37_79b9
    for (const seed of seeds) {
      this.#state = Math.imul(this.#state ^ seed, 0x85eb_ca6b) >>> 0
      this.next()
    }
  }

  /** From 0 (included) to 1 (excluded). Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from 0 (included) to `limit` (excluded). */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** True once in `times`, on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }
}
