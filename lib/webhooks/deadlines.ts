import type { Clock } from '../foundation/index.js'

/** What ends a piece of work that took too long. @internal */
export interface Deadline {
  readonly dueMs: number
  expire(): void
}

/**
 * Many deadlines of one length. As all have the same length they fall due in the order in which
 * they began, so one sleeper serves them all and none costs a timer of its own.
 * @internal
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #lengthMs: number
  readonly #waiting = new Set<Deadline>() // the earliest first
  #sleeper: AbortController | undefined
  #watching = false

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock
    this.#lengthMs = lengthMs
  }

  /** Calls `expire` once, after the length, unless {@link end} comes first. */
  begin(expire: () => void): Deadline {
    const deadline = { dueMs: this.#clock.monotonicMs() + this.#lengthMs, expire }
    this.#waiting.add(deadline)
    if (!this.#watching) void this.#watch()
    return deadline
  }

  /** The work is done. */
  end(deadline: Deadline): void {
    // Without anything to wait for the sleeper is woken, so that it does not keep the process up.
    if (this.#waiting.delete(deadline) && this.#waiting.size === 0) this.#sleeper?.abort()
  }

  async #watch(): Promise<void> {
    this.#watching = true
    for (let first = this.#first(); first !== undefined; first = this.#first()) {
      const waitMs = first.dueMs - this.#clock.monotonicMs()
      if (waitMs > 0) {
        this.#sleeper = new AbortController()
        await this.#clock.sleep(waitMs, this.#sleeper.signal)
      } else {
        this.#waiting.delete(first)
        first.expire()
      }
    }
    this.#watching = false
  }

  #first(): Deadline | undefined {
    for (const deadline of this.#waiting) return deadline
    return undefined
  }
}
