import type {
  DataManager,
  DataManagerSavepoint,
  SavepointDataManager,
  Transaction,
} from '../../lib/transaction/index.js'
import { type DataManagerSubject, dataManagerContract } from '../contracts/data-manager-contract.js'

dataManagerContract('a cell in memory, with savepoints', { factory: () => new Cell() })

dataManagerContract('a slow queue of one, without savepoints', {
  factory: () => new SlowQueue(),
  savepoints: false,
})

/** One value; what a transaction wrote lies beside it until `tpcFinish`. */
class Cell implements DataManagerSubject, SavepointDataManager {
  readonly sortKey = 'cell'
  #kept: number | undefined
  #wanted: number | undefined
  #joined = false

  change(transaction: Transaction, value: number): void {
    if (!this.#joined) transaction.join(this)
    this.#joined = true
    this.#wanted = value
  }

  seen(): number | undefined {
    return this.#joined ? this.#wanted : this.#kept
  }

  kept(): number | undefined {
    return this.#kept
  }

  abort(): void {
    this.#joined = false
    this.#wanted = undefined
  }

  tpcBegin(): void {}
  commit(): void {}
  tpcVote(): void {}

  tpcFinish(): void {
    this.#kept = this.#wanted
    this.abort()
  }

  tpcAbort(): void {
    this.abort()
  }

  savepoint(): DataManagerSavepoint {
    const wanted = this.#wanted
    return {
      rollback: () => {
        this.#wanted = wanted
      },
    }
  }
}

/** Every method waits; the prepared value is written down at the vote. */
class SlowQueue implements DataManagerSubject, DataManager {
  readonly sortKey = 'queue'
  #kept: number | undefined
  #wanted: { readonly value: number } | undefined
  #prepared: { readonly value: number } | undefined

  async change(transaction: Transaction, value: number): Promise<void> {
    if (this.#wanted === undefined) transaction.join(this)
    this.#wanted = { value }
    await aTurn()
  }

  async seen(): Promise<number | undefined> {
    await aTurn()
    return this.#wanted?.value ?? this.#kept
  }

  kept(): number | undefined {
    return this.#kept
  }

  async abort(): Promise<void> {
    await aTurn()
    this.#wanted = undefined
  }

  async tpcBegin(): Promise<void> {
    await aTurn()
  }

  async commit(): Promise<void> {
    await aTurn()
  }

  async tpcVote(): Promise<void> {
    await aTurn()
    this.#prepared = this.#wanted
  }

  async tpcFinish(): Promise<void> {
    await aTurn()
    this.#kept = this.#prepared?.value
    this.#prepared = undefined
    this.#wanted = undefined
  }

  async tpcAbort(): Promise<void> {
    await aTurn()
    this.#prepared = undefined
    this.#wanted = undefined
  }

  shouldRetry(): boolean {
    return false
  }
}

function aTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
