import type { Oid } from '../storage/index.js'
import type { CommittedState } from './committed-state.js'

/**
 * A stored object as committed states name it: by oid and nothing else, so that one state can be
 * shared by all connections. A connection turns it into its own object when somebody reads it.
 *
 * It has the object's state at hand while that is in the cache of all connections, so that whoever
 * follows it asks no table. See docs/adr/0029.
 * @internal
 */
export class Reference {
  readonly oid: Oid
  #state: CommittedState | undefined = undefined

  constructor(oid: Oid) {
    this.oid = oid
  }

  /** The object's state as those see it who see commits up to `tid`, if it is at hand. */
  stateAt(tid: number): CommittedState | undefined {
    const state = this.#state
    if (state === undefined || state.serial > tid) return undefined
    if (!state.used) state.used = true
    return state
  }

  /** Has the state at hand for as long as it is shared. Asked of one reference to it at a time. */
  keep(state: CommittedState): void {
    if (state.isShared) this.#state = state.keptBy(this)
  }

  /** Called by the state that it has at hand. */
  forget(): void {
    this.#state = undefined
  }
}

/**
 * An object of another database of the group, as committed states name it. What collects garbage
 * does not follow it.
 * @internal
 */
export class CrossReference {
  /** Its name in the group. */
  readonly database: string
  readonly oid: Oid

  constructor(database: string, oid: Oid) {
    this.database = database
    this.oid = oid
  }
}

/**
 * A stored object as committed states name it weakly: the name alone does not keep it.
 * @internal
 */
export class WeakOid {
  readonly oid: Oid

  constructor(oid: Oid) {
    this.oid = oid
  }
}
