/** What was used last, by number, within a budget of bytes. One item is kept whatever its size. */
export class Remembered<Key extends number, Item extends { readonly byteLength: number }> {
  readonly #budget: number
  readonly #items = new Map<Key, Item>() // oldest use first
  #bytes = 0

  constructor(budgetBytes: number) {
    this.#budget = budgetBytes
  }

  get(key: Key): Item | undefined {
    const item = this.#items.get(key)
    if (item !== undefined) {
      this.#items.delete(key)
      this.#items.set(key, item)
    }
    return item
  }

  /** Adds an item that is not there. */
  add(key: Key, item: Item): void {
    this.#items.set(key, item)
    this.#bytes += item.byteLength
    for (const [oldest, { byteLength }] of this.#items) {
      if (this.#bytes <= this.#budget || this.#items.size === 1) break
      this.#items.delete(oldest)
      this.#bytes -= byteLength
    }
  }
}
