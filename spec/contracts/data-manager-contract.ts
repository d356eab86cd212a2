import { describe, expect, test } from '@jest/globals'
import {
  type DataManager,
  ExplicitTransactionManager,
  type Transaction,
  type TransactionManager,
} from '../../lib/transaction/index.js'

/** One data manager over its own empty store, as the contract drives it. */
export interface DataManagerSubject {
  /** Changes the store's one value within `transaction`; joins when that is needed. */
  change(transaction: Transaction, value: number): void | Promise<void>
  /** The value within the running transaction; `undefined` when there is none. */
  seen(): number | undefined | Promise<number | undefined>
  /** The value that was made final, as somebody else reads it. */
  kept(): number | undefined | Promise<number | undefined>
  close?(): void | Promise<void>
}

export interface DataManagerContractOptions {
  readonly factory: (
    manager: TransactionManager,
  ) => DataManagerSubject | Promise<DataManagerSubject>
  /** False for managers without savepoints; default true. */
  readonly savepoints?: boolean
}

/**
 * What every data manager must do. Call it in a spec file with a factory of your own.
 * Source: `transaction.interfaces.IDataManager` and `transaction.tests.test_SampleDataManager`.
 */
export function dataManagerContract(
  name: string,
  { factory, savepoints = true }: DataManagerContractOptions,
): void {
  const scene =
    (story: (scene: Scene) => Promise<void>): (() => Promise<void>) =>
    async () => {
      const errors: unknown[] = []
      const manager = new ExplicitTransactionManager({ onError: (error) => errors.push(error) })
      const subject = await factory(manager)
      try {
        await story({ manager, subject })
        expect(errors).toEqual([])
      } finally {
        await manager.current?.abort()
        await subject.close?.()
      }
    }

  describe(`Data manager contract: ${name}`, () => {
    test(
      'a change joins the transaction under a sort key that stays',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        expect(transaction.managers.length).toBeGreaterThan(0)
        const keys = transaction.managers.map(({ sortKey }) => sortKey)
        await subject.change(transaction, 2)
        for (const key of keys) expect(typeof key).toBe('string')
        expect(transaction.managers.map(({ sortKey }) => sortKey).slice(0, keys.length)).toEqual(
          keys,
        )
      }),
    )

    test(
      'a second change does not join again',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        const joined = transaction.managers.length
        await subject.change(transaction, 2)
        expect(transaction.managers.length).toBe(joined)
      }),
    )

    test(
      'a change is seen in its transaction and kept by commit only',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        expect(await subject.seen()).toBe(1)
        expect(await subject.kept()).toBe(undefined)
        await manager.commit()
        expect(await subject.kept()).toBe(1)
      }),
    )

    test(
      'abort forgets a change, and the next transaction can be committed',
      scene(async ({ manager, subject }) => {
        await subject.change(manager.begin(), 1)
        await manager.abort()
        expect(await subject.kept()).toBe(undefined)
        await subject.change(manager.begin(), 2)
        await manager.commit()
        expect(await subject.kept()).toBe(2)
      }),
    )

    test(
      'commits follow one another',
      scene(async ({ manager, subject }) => {
        for (const value of [1, 2, 3]) {
          await subject.change(manager.begin(), value)
          await manager.commit()
          expect(await subject.kept()).toBe(value)
        }
      }),
    )

    test(
      'abort may be called twice',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        for (const joined of [...transaction.managers]) await joined.abort(transaction)
        await manager.abort()
        expect(await subject.kept()).toBe(undefined)
      }),
    )

    test(
      'abort after the commit takes nothing back',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        // An after-commit hook makes the transaction abort its managers when it is committed.
        transaction.addAfterCommitHook(() => {})
        await manager.commit()
        expect(await subject.kept()).toBe(1)
      }),
    )

    for (const [phase, sortKey] of FOREIGN_FAILURES) {
      test(
        `nothing is kept when a manager sorted ${sortKey === FIRST ? 'before' : 'after'} it fails in ${phase}`,
        scene(async ({ manager, subject }) => {
          await subject.change(manager.begin(), 1)
          await manager.commit()

          const transaction = manager.begin()
          await subject.change(transaction, 2)
          transaction.join(aFailingManager(phase, sortKey))
          await expect(manager.commit()).rejects.toBe(REFUSAL)
          await manager.abort()
          expect(await subject.kept()).toBe(1)

          await subject.change(manager.begin(), 3)
          await manager.commit()
          expect(await subject.kept()).toBe(3)
        }),
      )
    }

    test(
      'shouldRetry, where there is one, answers for any error',
      scene(async ({ manager, subject }) => {
        const transaction = manager.begin()
        await subject.change(transaction, 1)
        expect(transaction.managers.length).toBeGreaterThan(0)
        for (const joined of transaction.managers) {
          for (const error of [new Error('other'), undefined, 'text']) {
            expect(typeof (joined.shouldRetry?.(error) ?? false)).toBe('boolean')
          }
        }
      }),
    )

    if (savepoints) savepointContract(scene)
  })
}

type Scene = { readonly manager: TransactionManager; readonly subject: DataManagerSubject }

function savepointContract(
  scene: (story: (scene: Scene) => Promise<void>) => () => Promise<void>,
): void {
  test(
    'rolling back to a savepoint takes back what came after it',
    scene(async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const savepoint = manager.savepoint()
      await subject.change(transaction, 2)
      savepoint.rollback()
      expect(await subject.seen()).toBe(1)
      await manager.commit()
      expect(await subject.kept()).toBe(1)
    }),
  )

  test(
    'a savepoint can be rolled back to more than once',
    scene(async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const savepoint = manager.savepoint()
      for (const value of [2, 3]) {
        await subject.change(transaction, value)
        savepoint.rollback()
        expect(await subject.seen()).toBe(1)
      }
    }),
  )

  test(
    'an earlier savepoint takes back more than a later one',
    scene(async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const earlier = manager.savepoint()
      await subject.change(transaction, 2)
      const later = manager.savepoint()
      await subject.change(transaction, 3)
      later.rollback()
      expect(await subject.seen()).toBe(2)
      earlier.rollback()
      expect(await subject.seen()).toBe(1)
    }),
  )

  test(
    'rolling back to before the first change takes all of it back',
    scene(async ({ manager, subject }) => {
      const transaction = manager.begin()
      const savepoint = manager.savepoint()
      await subject.change(transaction, 1)
      savepoint.rollback()
      expect(await subject.seen()).toBe(undefined)
      await subject.change(transaction, 2)
      await manager.commit()
      expect(await subject.kept()).toBe(2)
    }),
  )
}

const FIRST = ''
const LAST = '\uffff'
const REFUSAL = new Error('refused by another manager')

const FOREIGN_FAILURES = [
  ['tpcBegin', FIRST],
  ['tpcBegin', LAST],
  ['commit', FIRST],
  ['commit', LAST],
  ['tpcVote', FIRST],
  ['tpcVote', LAST],
] as const

function aFailingManager(phase: 'tpcBegin' | 'commit' | 'tpcVote', sortKey: string): DataManager {
  return {
    sortKey,
    abort() {},
    tpcBegin() {},
    commit() {},
    tpcVote() {},
    tpcFinish() {},
    tpcAbort() {},
    [phase]() {
      throw REFUSAL
    },
  }
}
