import { describe, expect, test } from '@jest/globals'
import {
  type DataManagerContractOptions,
  type DataManagerSubject,
  dataManagerContract,
} from '../../lib/testing/index.js'
import type {
  DataManager,
  DataManagerSavepoint,
  SavepointDataManager,
  Transaction,
} from '../../lib/transaction/index.js'

describe('The contract of data managers', () => {
  describe('holds for a cell in memory, with savepoints', () => {
    holds({ factory: () => new Cell() })
  })

  describe('holds for a slow queue of one, without savepoints', () => {
    holds({ factory: () => new SlowQueue(), savepoints: false })
  })

  test('names what a manager that shows uncommitted changes does wrong', async () => {
    expect(await broken({ factory: () => new HastyCell() })).toEqual([
      'a change is seen in its transaction and kept by commit only',
    ])
  })

  test('names what a manager whose savepoints do nothing does wrong', async () => {
    expect(await broken({ factory: () => new ForgetfulCell() })).toEqual([
      'rolling back to a savepoint takes back what came after it',
      'a savepoint can be rolled back to more than once',
      'an earlier savepoint takes back more than a later one',
    ])
  })
})

function holds(options: DataManagerContractOptions): void {
  for (const { fact, check } of dataManagerContract(options)) test(fact, check)
}

/** The facts that do not hold. */
async function broken(options: DataManagerContractOptions): Promise<string[]> {
  const facts: string[] = []
  for (const { fact, check } of dataManagerContract(options)) {
    await check().catch(() => facts.push(fact))
  }
  return facts
}

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

class HastyCell extends Cell {
  override kept(): number | undefined {
    return this.seen()
  }
}

class ForgetfulCell extends Cell {
  override savepoint(): DataManagerSavepoint {
    return { rollback() {} }
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
