/** Items by due time, the earliest first; equal times in order of arrival. O(log n). @internal */
export class DueHeap<T> {
  readonly #entries: Entry<T>[] = []
  #arrivals = 0

  get size(): number {
    return this.#entries.length
  }

  /** The earliest due time; `undefined` when empty. */
  get nextDueAtMs(): number | undefined {
    return this.#entries[0]?.dueAtMs
  }

  push(dueAtMs: number, item: T): void {
    this.#entries.push({ dueAtMs, arrival: this.#arrivals++, item })
    this.#rise(this.#entries.length - 1)
  }

  /** Takes the earliest item that is due at `nowMs` or before. */
  popDue(nowMs: number): T | undefined {
    const [first] = this.#entries
    if (first === undefined || first.dueAtMs > nowMs) return undefined
    const last = this.#entries.pop() as Entry<T>
    if (last !== first) {
      this.#entries[0] = last
      this.#sink(0)
    }
    return first.item
  }

  clear(): void {
    this.#entries.length = 0
  }

  #rise(start: number): void {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfLater(parent, at)) return
      at = parent
    }
  }

  #sink(start: number): void {
    let at = start
    for (;;) {
      const left = 2 * at + 1
      if (left >= this.#entries.length) return
      const right = left + 1
      const child = right < this.#entries.length && this.#isLater(left, right) ? right : left
      if (!this.#swapIfLater(at, child)) return
      at = child
    }
  }

  #swapIfLater(upper: number, lower: number): boolean {
    if (!this.#isLater(upper, lower)) return false
    const entry = this.#entries[upper] as Entry<T>
    this.#entries[upper] = this.#entries[lower] as Entry<T>
    this.#entries[lower] = entry
    return true
  }

  #isLater(a: number, b: number): boolean {
    const one = this.#entries[a] as Entry<T>
    const other = this.#entries[b] as Entry<T>
    return (
      one.dueAtMs > other.dueAtMs || (one.dueAtMs === other.dueAtMs && one.arrival > other.arrival)
    )
  }
}

interface Entry<T> {
  readonly dueAtMs: number
  readonly arrival: number
  readonly item: T
}
