/** Removals that wait while somebody copies. */
export class HeldRemovals {
  readonly #remove: (name: string) => Promise<void>
  readonly #waiting = new Set<string>()
  #holders = 0

  constructor(remove: (name: string) => Promise<void>) {
    this.#remove = remove
  }

  /** Removes it now, or when the last holder has let go. */
  async add(name: string): Promise<void> {
    if (this.#holders === 0) await this.#remove(name)
    else this.#waiting.add(name)
  }

  /** @returns what lets go, and waits until all is removed that waited. */
  hold(): () => Promise<void> {
    this.#holders++
    let isHolding = true
    return async () => {
      if (!isHolding) return
      isHolding = false
      this.#holders--
      if (this.#holders > 0) return
      const names = [...this.#waiting]
      this.#waiting.clear()
      for (const name of names) await this.#remove(name)
    }
  }
}
