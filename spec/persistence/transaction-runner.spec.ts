import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { connectionOf } from '../../lib/persistence/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

describe('A function in a transaction', () => {
  test('a transaction commits when its function returns, synchronously or not', async () => {
    const db = await aDatabase()
    const result = await db.transaction(({ rootMapping }) => {
      rootMapping.set('bob', new Employee({ title: 'clerk' }))
      return 'done'
    })
    await db.transaction(async (context) => {
      await nextTurn()
      bobOf(context).title += '!'
    })
    expect(result).toBe('done')
    expect(await db.view((context) => bobOf(context).title)).toBe('clerk!')
  })

  test('a transaction aborts when its function throws or rejects', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const thrown = db.transaction((context) => {
      bobOf(context).title = 'boss'
      throw new Error('thrown')
    })
    await expect(thrown).rejects.toThrow('thrown')
    const rejected = db.transaction(async (context) => {
      bobOf(context).title = 'boss'
      await nextTurn()
      throw new Error('rejected')
    })
    await expect(rejected).rejects.toThrow('rejected')
    expect(await db.view((context) => bobOf(context).title)).toBe('clerk')
    expect(db.lastTid).toBe(2)
  })

  test('a transaction that changes nothing commits nothing', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction((context) => bobOf(context).title)
    expect([db.lastTid, db.counters.commits]).toEqual([2, 2])
  })

  test('nesting throws, and leaves the outer transaction as it is', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction(async (context) => {
      const inner = await codeThrownBy(() => db.transaction(() => undefined))
      bobOf(context).title = inner ?? ''
    })
    expect(await db.view((context) => bobOf(context).title)).toBe('TRANSACTION_ALREADY_BEGUN')
  })

  test('a loser of a conflict begins again, on what the winner left', async () => {
    const db = await aDatabaseWithBob({ data: 0 })
    let calls = 0
    const increment = () =>
      db.transaction(async (context) => {
        calls++
        const before = bobOf(context).data as number
        await nextTurn()
        bobOf(context).data = before + 1
      })
    await Promise.all([increment(), increment(), increment()])
    expect(await db.view((context) => bobOf(context).data)).toBe(3)
    expect(calls).toBeGreaterThan(3)
    expect(db.counters.conflicts).toBe(calls - 3)
  })

  test('a loser begins again while the clock of the database stands still', async () => {
    const db = await aDatabaseWithBob({ data: 0 }, { clock: new FakeClock() })
    const increment = () =>
      db.transaction(
        async (context) => {
          const before = bobOf(context).data as number
          await nextTurn()
          bobOf(context).data = before + 1
        },
        { backoffMs: () => 1 },
      )
    await Promise.all([increment(), increment(), increment()])
    expect(await db.view((context) => bobOf(context).data)).toBe(3)
  })

  test('an isolation that there is not is refused, and takes no connection along', async () => {
    const db = await aDatabase()
    const misspelt = { isolation: 'serialisable' as never }
    expect(await codeThrownBy(() => db.transaction(() => 1, misspelt))).toBe(
      'PERSISTENCE_INVALID_OPTION',
    )
    expect(await db.transaction(({ connection }) => connection.isolation)).toBe('snapshot')
  })

  test('a conflict is thrown when no try is left', async () => {
    const db = await aDatabaseWithBob({ data: 0 })
    const error = await errorOf(() =>
      db.transaction(
        async (context) => {
          bobOf(context).data = 'mine'
          const { connection, transactions, bob } = aConnection(db)
          transactions.begin()
          expect(connection.transaction).toBe(transactions.current)
          // Code of another call, outside this transaction's scope.
          await outside(async () => {
            bob().data = 'theirs'
            await transactions.commit()
          })
          connection.close()
        },
        { tries: 1 },
      ),
    )
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT', retryable: true })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001/)
    expect(await db.view((context) => bobOf(context).data)).toBe('theirs')
  })

  test('as many transactions as there are may run at once, whatever the size of the pool', async () => {
    const db = await aDatabaseWithBob({}, { poolSize: 1 })
    const running = Array.from({ length: 20 }, () =>
      db.view(async (context) => {
        await nextTurn()
        return bobOf(context)
      }),
    )
    const objects = await Promise.all(running)
    expect(new Set(objects.map(connectionOf)).size).toBe(20)
    expect(new Set(objects.map(connectionOf).filter((it) => !it!.isClosed)).size).toBe(1)
    await db.close()
  })

  test('a transaction whose commit fails gives its connection back', async () => {
    const db = await aDatabaseWithBob()
    const used = new Set<unknown>()
    for (let n = 0; n < 10; n++) {
      const failing = db.transaction(({ connection, transaction }) => {
        used.add(connection)
        connection.add(new Employee())
        transaction.addBeforeCommitHook(() => {
          throw new Error('refused')
        })
      })
      await expect(failing).rejects.toThrow('refused')
    }
    expect(used.size).toBe(1)
    expect(db.snapshots.open).toBe(1)
  })
})

/** As if another call did it. */
function outside<T>(work: () => Promise<T>): Promise<T> {
  return runOutsideTransactionScope(work)
}
