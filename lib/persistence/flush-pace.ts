/** How much the newest measurement counts. */
const WEIGHT = 0.2

/**
 * How many commits a batch waits for. Clients that a batch has served commit again soon. Waiting for
 * all of them makes the fewest flushes; waiting for half of them lets the flush of one half overlap
 * with the work of the other half, which is better as long as a flush takes less time than the work of all.
 */
export class FlushPace {
  #flushMs = 0 // of late
  #workMs = 0 // of the clients for one commit, of late

  /** Commits came in this time after the batch before. */
  gathered(commits: number, tookMs: number): void {
    this.#workMs += (tookMs / commits - this.#workMs) * WEIGHT
  }

  /** A batch was written. */
  flushed(tookMs: number): void {
    this.#flushMs += (tookMs - this.#flushMs) * WEIGHT
  }

  /** @param clients - those just served and those that wait. */
  enough(clients: number): number {
    if (clients < 2) return 1
    return this.#flushMs < this.#workMs * clients ? Math.ceil(clients / 2) : clients
  }
}
