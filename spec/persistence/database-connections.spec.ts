import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { ExplicitTransactionManager } from '../../lib/transaction/index.js'
import {
  aConnection,
  aDatabaseWithBob,
  bobOf,
  type Employee,
} from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

describe('The connections of a database', () => {
  test('of one manager there is one at a time', async () => {
    await using database = await ObjectDatabase.open('memory', { storage: createMemoryStorage() })
    const transactionManager = new ExplicitTransactionManager()
    const connection = database.connect({ transactionManager })
    expect(() => database.connect({ transactionManager })).toThrow(
      expect.objectContaining({ code: 'PERSISTENCE_ALREADY_CONNECTED' }),
    )
    connection.close()
    database.connect({ transactionManager }).close()
  })

  test('transactions over two databases validate in one order, whichever joined first', async () => {
    const [north, south] = [
      await aDatabaseWithBob({ data: 0 }),
      await aDatabaseWithBob({ data: 0 }),
    ]
    const both = (first: ObjectDatabase, second: ObjectDatabase) => {
      const one = aConnection(first)
      const other = second.connect({ transactionManager: one.transactions })
      one.transactions.begin()
      one.bob().title = 'written'
      // Gives the other transaction time to vote in between.
      one.transactions.get().join({
        sortKey: '~treehook',
        abort: () => undefined,
        tpcBegin: () => undefined,
        commit: () => undefined,
        tpcVote: () => nextTurn(),
        tpcFinish: () => undefined,
        tpcAbort: () => undefined,
      })
      ;(other.rootMapping.get('bob') as Employee).title = 'written'
      return errorOf(() => one.transactions.commit()).catch(() => undefined)
    }
    const outcomes = await Promise.all([both(north, south), both(south, north)])
    expect(outcomes.filter((error) => error === undefined)).toHaveLength(1)
    for (const db of [north, south]) {
      expect(await db.view((context) => bobOf(context).title)).toBe('written')
      expect(db.lastTid).toBe(3)
    }
  })

  test('a second connection reads what the first one decoded', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    db.cacheClear()
    await db.view((context) => bobOf(context).title)
    const { decodes } = db.counters
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    expect(bob().title).toBe('clerk')
    expect(db.counters.decodes).toBe(decodes)
  })
})
