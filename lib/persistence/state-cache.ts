import type { Oid } from '../storage/index.js'
import type { CommittedState } from './committed-state.js'

/** Enough for what reads the same thing twice in a row. */
const MOST_ON_TRIAL = 256
const NOBODY = -1

/**
 * The newest published revision of each object in use, decoded once for all connections of a
 * database. Nothing older ever stands here: what an old epoch reads stays with that epoch.
 */
export class StateCache {
  readonly #states = new Map<Oid, CommittedState>() // in the order in which the sweep comes by
  readonly #trial = new TrialRing() // beside the budget
  readonly #budgetBytes: number
  #bytes = 0
  #hand: Iterator<[Oid, CommittedState], undefined> | undefined // where the sweep goes on

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#states.size
  }

  get(oid: Oid): CommittedState | undefined {
    const state = this.#states.get(oid)
    if (state === undefined) return this.#passTrial(oid)
    state.used = true
    return state
  }

  /**
   * Takes in what was just read. When there is no room, on trial: it stays for a moment, and in the
   * cache when it is asked for again within that. So a walk through much, or look-ups all over a
   * large tree, push nothing out that is in use, and what they read is garbage while it is young.
   */
  offer(state: CommittedState): void {
    if (this.#bytes + state.bytes <= this.#budgetBytes) this.put(state)
    else this.#trial.add(state)
  }

  put(state: CommittedState): void {
    this.#trial.take(state.oid)
    const replaced = this.#states.get(state.oid)
    if (replaced !== undefined) {
      this.#bytes -= replaced.bytes
      replaced.leaveCache()
    }
    this.#states.set(state.oid, state)
    state.enterCache()
    this.#bytes += state.bytes
    if (this.#bytes > this.#budgetBytes) this.#sweep()
  }

  delete(oid: Oid): void {
    this.#trial.take(oid)
    const state = this.#states.get(oid)
    if (state === undefined) return
    this.#states.delete(oid)
    this.#bytes -= state.bytes
    state.leaveCache()
  }

  clear(): void {
    for (const state of this.#states.values()) state.leaveCache()
    this.#states.clear()
    this.#trial.clear()
    this.#bytes = 0
    this.#hand = undefined
  }

  #passTrial(oid: Oid): CommittedState | undefined {
    const state = this.#trial.take(oid)
    if (state !== undefined) this.put(state)
    return state
  }

  /**
   * Second chance: what was used since the last time round goes to the end, the rest goes. Cheaper
   * on each read than moving entries, which costs 0.12 us.
   */
  #sweep(): void {
    while (this.#bytes > this.#budgetBytes) {
      this.#hand ??= this.#states.entries()
      const { value, done } = this.#hand.next()
      if (done === true) this.#hand = undefined
      else this.#lookAt(value)
    }
  }

  #lookAt([oid, state]: [Oid, CommittedState]): void {
    this.#states.delete(oid)
    if (state.takeUsed()) this.#states.set(oid, state)
    else {
      this.#bytes -= state.bytes
      state.leaveCache()
    }
  }
}

/**
 * The states on trial. A ring and no `Map`: the tables that a Map outgrows hold on to each other and
 * to what they held, and made everything that came by as old as the garbage collector knows.
 */
class TrialRing {
  readonly #oids = new Float64Array(MOST_ON_TRIAL).fill(NOBODY)
  readonly #states = new Array<CommittedState | undefined>(MOST_ON_TRIAL).fill(undefined)
  #next = 0
  #count = 0

  /** In the place of the oldest. */
  add(state: CommittedState): void {
    if (this.#oids[this.#next] === NOBODY) this.#count++
    this.#oids[this.#next] = state.oid
    this.#states[this.#next] = state
    this.#next = (this.#next + 1) % MOST_ON_TRIAL
  }

  take(oid: Oid): CommittedState | undefined {
    if (this.#count === 0) return undefined
    const at = this.#oids.indexOf(oid)
    if (at === -1) return undefined
    const state = this.#states[at]
    this.#oids[at] = NOBODY
    this.#states[at] = undefined
    this.#count--
    return state
  }

  clear(): void {
    this.#oids.fill(NOBODY)
    this.#states.fill(undefined)
    this.#count = 0
  }
}
