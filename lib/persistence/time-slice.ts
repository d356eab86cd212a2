/** How many steps are made between two looks at the clock. */
const STEPS = 16

/**
 * Lets long work run beside commits: after each half a ms or so everything else gets its turn. Reads the
 * machine's own clock, since no other tells how long the work blocks it.
 * @internal
 */
export class TimeSlice {
  readonly #ms: number
  readonly #signal: AbortSignal | undefined
  #endsAt = 0
  #steps = 0

  /** @param signal - looked at in each turn. */
  constructor({
    ms = 0.5,
    signal,
  }: {
    readonly ms?: number | undefined
    readonly signal?: AbortSignal | undefined
  } = {}) {
    this.#ms = ms
    this.#signal = signal
    this.#begin()
  }

  /** To be asked after each step; when true, `await turn()`. */
  get isOver(): boolean {
    this.#steps++
    return this.#steps % STEPS === 0 && performance.now() >= this.#endsAt
  }

  /**
   * Lets other work run.
   * @throws the signal's reason when aborted.
   */
  async turn(): Promise<void> {
    await new Promise(setImmediate)
    this.#signal?.throwIfAborted()
    this.#begin()
  }

  #begin(): void {
    this.#endsAt = performance.now() + this.#ms
  }
}
