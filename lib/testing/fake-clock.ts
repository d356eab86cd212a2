import type { Clock } from '../foundation/index.js'

/**
 * A clock that stands still until it is moved.
 * @public
 */
export class FakeClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  readonly #sleepers = new Set<Sleeper>()

  /** @param startMs - ms since the epoch. Default 2026-01-01T00:00:00Z. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const sleeper = {
        dueMs: this.#monotonicMs + Math.max(0, ms),
        wake: () => {
          this.#sleepers.delete(sleeper)
          signal?.removeEventListener('abort', sleeper.wake)
          resolve()
        },
      }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', sleeper.wake)
    })
  }

  /** How many sleep at present. */
  get sleeping(): number {
    return this.#sleepers.size
  }

  /**
   * Lets time pass. Whoever sleeps wakes at its moment, in order, and may go to sleep again within
   * the time that passes; each has a turn of the event loop for it.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await turn()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#moveTo(next.dueMs)
      next.wake()
      await turn()
    }
    this.#moveTo(untilMs)
    await turn()
  }

  /** Sets the wall clock, as an operator or a time server does. Nobody wakes. */
  setNowMs(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #next(untilMs: number): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= untilMs && (next === undefined || sleeper.dueMs < next.dueMs)) {
        next = sleeper
      }
    }
    return next
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }
}

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
