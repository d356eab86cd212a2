import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert/strict'
import {
  type DataManager,
  ExplicitTransactionManager,
  type Transaction,
  type TransactionManager,
} from '../transaction/index.js'

/** One data manager over its own empty store, as the contract drives it. @public */
export interface DataManagerSubject {
  /** Changes the store's one value within `transaction`; joins when that is needed. */
  change(transaction: Transaction, value: number): void | Promise<void>
  /** The value within the running transaction; `undefined` when there is none. */
  seen(): number | undefined | Promise<number | undefined>
  /** The value that was made final, as somebody else reads it. */
  kept(): number | undefined | Promise<number | undefined>
  close?(): void | Promise<void>
}

/** @public */
export interface DataManagerContractOptions {
  /** A new subject whose transactions are those of `manager`. */
  readonly factory: (
    manager: TransactionManager,
  ) => DataManagerSubject | Promise<DataManagerSubject>
  /** False for managers without savepoints. @defaultValue true */
  readonly savepoints?: boolean
}

/** One fact that must hold. `check` rejects with an `AssertionError` when it does not. @public */
export interface ContractFact {
  readonly fact: string
  readonly check: () => Promise<void>
}

/**
 * What every data manager must do, for any test runner:
 *
 * ```ts
 * for (const { fact, check } of dataManagerContract({ factory: aMailQueue })) test(fact, check)
 * ```
 *
 * Source: `transaction.interfaces.IDataManager` and `transaction.tests.test_SampleDataManager`.
 * @public
 */
export function dataManagerContract({
  factory,
  savepoints = true,
}: DataManagerContractOptions): readonly ContractFact[] {
  const stories = savepoints ? [...STORIES, ...SAVEPOINT_STORIES] : STORIES
  return stories.map(([fact, story]) => ({ fact, check: () => playScene(factory, story) }))
}

interface Scene {
  readonly manager: TransactionManager
  readonly subject: DataManagerSubject
}

type Story = readonly [fact: string, story: (scene: Scene) => Promise<void>]

async function playScene(
  factory: DataManagerContractOptions['factory'],
  story: Story[1],
): Promise<void> {
  const errors: unknown[] = []
  const manager = new ExplicitTransactionManager({ onError: (error) => errors.push(error) })
  const subject = await factory(manager)
  try {
    await story({ manager, subject })
    deepStrictEqual(errors, [], 'no error was reported')
  } finally {
    await manager.current?.abort()
    await subject.close?.()
  }
}

const STORIES: readonly Story[] = [
  [
    'a change joins the transaction under a sort key that stays',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      ok(transaction.managers.length > 0, 'a manager has joined')
      const keys = transaction.managers.map(({ sortKey }) => sortKey)
      await subject.change(transaction, 2)
      for (const key of keys) strictEqual(typeof key, 'string')
      const later = transaction.managers.map(({ sortKey }) => sortKey)
      deepStrictEqual(later.slice(0, keys.length), keys)
    },
  ],
  [
    'a second change does not join again',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const joined = transaction.managers.length
      await subject.change(transaction, 2)
      strictEqual(transaction.managers.length, joined)
    },
  ],
  [
    'a change is seen in its transaction and kept by commit only',
    async ({ manager, subject }) => {
      await subject.change(manager.begin(), 1)
      strictEqual(await subject.seen(), 1)
      strictEqual(await subject.kept(), undefined)
      await manager.commit()
      strictEqual(await subject.kept(), 1)
    },
  ],
  [
    'abort forgets a change, and the next transaction can be committed',
    async ({ manager, subject }) => {
      await subject.change(manager.begin(), 1)
      await manager.abort()
      strictEqual(await subject.kept(), undefined)
      await commitChange(manager, subject, 2)
      strictEqual(await subject.kept(), 2)
    },
  ],
  [
    'commits follow one another',
    async ({ manager, subject }) => {
      for (const value of [1, 2, 3]) {
        await commitChange(manager, subject, value)
        strictEqual(await subject.kept(), value)
      }
    },
  ],
  [
    'abort may be called twice',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      for (const joined of [...transaction.managers]) await joined.abort(transaction)
      await manager.abort()
      strictEqual(await subject.kept(), undefined)
    },
  ],
  [
    'abort after the commit takes nothing back',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      // An after-commit hook makes the transaction abort its managers when it is committed.
      transaction.addAfterCommitHook(() => {})
      await manager.commit()
      strictEqual(await subject.kept(), 1)
    },
  ],
  ...(['tpcBegin', 'commit', 'tpcVote'] as const).flatMap((phase) => [
    foreignFailure(phase, { isFirst: true }),
    foreignFailure(phase, { isFirst: false }),
  ]),
  [
    'shouldRetry, where there is one, answers for any error',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      ok(transaction.managers.length > 0, 'a manager has joined')
      for (const joined of transaction.managers) {
        for (const error of [new Error('other'), undefined, 'text']) {
          strictEqual(typeof (joined.shouldRetry?.(error) ?? false), 'boolean')
        }
      }
    },
  ],
]

const SAVEPOINT_STORIES: readonly Story[] = [
  [
    'rolling back to a savepoint takes back what came after it',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const savepoint = manager.savepoint()
      await subject.change(transaction, 2)
      savepoint.rollback()
      strictEqual(await subject.seen(), 1)
      await manager.commit()
      strictEqual(await subject.kept(), 1)
    },
  ],
  [
    'a savepoint can be rolled back to more than once',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const savepoint = manager.savepoint()
      for (const value of [2, 3]) {
        await subject.change(transaction, value)
        savepoint.rollback()
        strictEqual(await subject.seen(), 1)
      }
    },
  ],
  [
    'an earlier savepoint takes back more than a later one',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      await subject.change(transaction, 1)
      const earlier = manager.savepoint()
      await subject.change(transaction, 2)
      const later = manager.savepoint()
      await subject.change(transaction, 3)
      later.rollback()
      strictEqual(await subject.seen(), 2)
      earlier.rollback()
      strictEqual(await subject.seen(), 1)
    },
  ],
  [
    'rolling back to before the first change takes all of it back',
    async ({ manager, subject }) => {
      const transaction = manager.begin()
      const savepoint = manager.savepoint()
      await subject.change(transaction, 1)
      savepoint.rollback()
      strictEqual(await subject.seen(), undefined)
      await subject.change(transaction, 2)
      await manager.commit()
      strictEqual(await subject.kept(), 2)
    },
  ],
]

type RefusingPhase = 'tpcBegin' | 'commit' | 'tpcVote'

function foreignFailure(phase: RefusingPhase, { isFirst }: { readonly isFirst: boolean }): Story {
  return [
    `nothing is kept when a manager sorted ${isFirst ? 'before' : 'after'} it fails in ${phase}`,
    async ({ manager, subject }) => {
      await commitChange(manager, subject, 1)

      const transaction = manager.begin()
      await subject.change(transaction, 2)
      const refusal = new Error('refused by another manager')
      transaction.join(refusingManager(phase, { sortKey: isFirst ? '' : '\uffff', refusal }))
      await rejects(manager.commit(), (error) => error === refusal)
      await manager.abort()
      strictEqual(await subject.kept(), 1)

      await commitChange(manager, subject, 3)
      strictEqual(await subject.kept(), 3)
    },
  ]
}

async function commitChange(
  manager: TransactionManager,
  subject: DataManagerSubject,
  value: number,
): Promise<void> {
  await subject.change(manager.begin(), value)
  await manager.commit()
}

function refusingManager(
  phase: RefusingPhase,
  { sortKey, refusal }: { readonly sortKey: string; readonly refusal: Error },
): DataManager {
  return {
    sortKey,
    abort() {},
    tpcBegin() {},
    commit() {},
    tpcVote() {},
    tpcFinish() {},
    tpcAbort() {},
    [phase]() {
      throw refusal
    },
  }
}
