import { InvalidSavepointError, SavepointsUnsupportedError } from './errors.js'
import type {
  DataManager,
  DataManagerSavepoint,
  Savepoint,
  SavepointDataManager,
} from './interfaces.js'

/**
 * A transaction's savepoint: the shares of the managers that had joined, and how many these were.
 *
 * Source: `transaction._transaction.Savepoint`. There, late joiners are added to each savepoint;
 * here their place in the order of joining tells them.
 * @internal
 */
export class TransactionSavepoint implements Savepoint {
  readonly #owner: SavepointOwner
  readonly #line: SavepointLine
  readonly #place: SavepointPlace
  readonly #shares: readonly DataManagerSavepoint[]
  readonly #joined: number

  /**
   * @throws TRANSACTION_SAVEPOINTS_UNSUPPORTED when a manager has none and `optimistic` is false;
   *   what a manager's `savepoint` throws.
   */
  constructor(owner: SavepointOwner, line: SavepointLine, optimistic: boolean) {
    this.#owner = owner
    this.#line = line
    this.#joined = owner.managers.length
    this.#shares = owner.managers.map((manager) => shareOf(manager, optimistic))
    this.#place = line.append()
  }

  get valid(): boolean {
    return this.#line.has(this.#place)
  }

  rollback(): void {
    this.#owner.refuseWhenFailed('rollback')
    if (!this.valid) throw InvalidSavepointError.onRollback()
    this.#line.cutAfter(this.#place)
    try {
      for (const share of this.#shares) share.rollback()
      this.#owner.abortJoinedSince(this.#joined)
    } catch (error) {
      this.#owner.fail(error)
      throw error
    }
  }
}

/** What a savepoint needs of its transaction. @internal */
export interface SavepointOwner {
  readonly managers: readonly DataManager[]
  /** @throws TRANSACTION_FAILED */
  refuseWhenFailed(action: string): void
  /** Aborts the managers from this place in the order of joining on, and lets them leave. */
  abortJoinedSince(count: number): void
  /** Nothing but abort is possible any more. */
  fail(error: unknown): void
}

/** A savepoint's place in its line. @internal */
export interface SavepointPlace {
  readonly position: number
  readonly serial: number
}

/**
 * Which savepoints of a transaction are valid. Holds numbers only: a savepoint that its taker has
 * dropped can be collected, with everything the managers keep for it.
 * @internal
 */
export class SavepointLine {
  readonly #serials: number[] = [] // position → serial of the valid savepoint there
  #lastSerial = 0

  append(): SavepointPlace {
    const place = { position: this.#serials.length, serial: ++this.#lastSerial }
    this.#serials.push(place.serial)
    return place
  }

  has({ position, serial }: SavepointPlace): boolean {
    return this.#serials[position] === serial
  }

  /** Makes all later savepoints invalid. */
  cutAfter({ position }: SavepointPlace): void {
    this.#serials.length = position + 1
  }

  /** Makes all savepoints invalid. */
  clear(): void {
    this.#serials.length = 0
  }
}

function shareOf(manager: DataManager, optimistic: boolean): DataManagerSavepoint {
  if (hasSavepoints(manager)) return manager.savepoint()
  if (!optimistic) throw SavepointsUnsupportedError.by(manager.sortKey)
  return {
    rollback() {
      throw SavepointsUnsupportedError.by(manager.sortKey)
    },
  }
}

function hasSavepoints(manager: DataManager): manager is SavepointDataManager {
  return 'savepoint' in manager && typeof manager.savepoint === 'function'
}
