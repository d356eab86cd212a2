import { isPromise } from './is-promise.js'

/**
 * Hooks of one kind, first come, first served. A hook may add further ones: they run after those
 * already there. Whatever happens, the queue is empty after a call.
 *
 * Source: `transaction._transaction.Transaction._call_hooks`.
 * @internal
 */
export class HookQueue<Args extends readonly unknown[] = []> {
  readonly #hooks: ((...args: Args) => void | Promise<void>)[] = []

  get isEmpty(): boolean {
    return this.#hooks.length === 0
  }

  add(hook: (...args: Args) => void | Promise<void>): void {
    this.#hooks.push(hook)
  }

  /** Calls each hook; the first error skips the others and is thrown. */
  async call(...args: Args): Promise<void> {
    await this.#callEach(args)
  }

  /** Calls every hook; errors go to `report`. */
  async callAll(report: (error: unknown) => void, ...args: Args): Promise<void> {
    await this.#callEach(args, report)
  }

  async #callEach(args: Args, report?: (error: unknown) => void): Promise<void> {
    try {
      // By index: the queue grows while it is worked off.
      for (let index = 0; index < this.#hooks.length; index++) {
        try {
          const waiting = this.#hooks[index]!(...args)
          if (isPromise(waiting)) await waiting
        } catch (error) {
          if (report === undefined) throw error
          report(error)
        }
      }
    } finally {
      // In one step with the last look at the queue: what is added from now on is for the next call.
      this.#hooks.length = 0
    }
  }
}
