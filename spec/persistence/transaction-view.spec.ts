import { describe, expect, test } from '@jest/globals'
import { oidOf } from '../../lib/persistence/index.js'
import { toOid } from '../../lib/storage/index.js'
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

describe('The view of a transaction', () => {
  test('prefetches states, and ends with its transaction', async () => {
    const db = await aDatabase()
    const oids = await db.transaction(({ connection }) =>
      Array.from({ length: 3000 }, () => connection.add(new Employee())),
    )
    db.cacheClear()
    const { connection, transactions } = aConnection(db)
    expect(await codeThrownBy(() => connection.prefetch(oids))).toBe(
      'PERSISTENCE_OUTSIDE_TRANSACTION',
    )
    transactions.begin()
    expect(await connection.prefetch([...oids, toOid(1_000_000), new Employee()])).toBe(3000)
    const { storageReads } = db.counters
    for (const oid of oids) expect((connection.get(oid) as Employee).title).toBe('')
    expect(db.counters.storageReads).toBe(storageReads)
    const held = connection.get(oids[0]!)
    connection.cacheMinimize()
    expect(await connection.prefetch([held])).toBe(1)
    expect(await codeThrownBy(() => db.view((it) => it.connection.prefetch([held])))).toBe(
      'PERSISTENCE_FOREIGN_OBJECT',
    )
    const running = connection.prefetch(oids)
    await transactions.abort()
    expect(await running).toBeLessThanOrEqual(3000)
  })

  test('an idle one holds no snapshot, and begins with what is newest', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    expect(held.title).toBe('')
    await transactions.abort()
    for (let n = 0; n < 100; n++) {
      await db.transaction((context) => {
        bobOf(context).title = String(n)
      })
    }
    expect(db.snapshots).toMatchObject({ open: 1, commitsBehind: 0 })
    transactions.begin()
    expect([connection.seenTid, held.title]).toEqual([db.lastTid, '99'])
  })

  test('the database knows how old the oldest of its snapshots is', async () => {
    const clock = new FakeClock()
    const db = await aDatabaseWithBob({}, { clock })
    const { transactions } = aConnection(db)
    transactions.begin()
    const { lastTid } = db
    for (const title of ['a', 'b']) {
      await clock.advance(1000)
      await db.transaction((context) => {
        bobOf(context).title = title
      })
    }
    await clock.advance(500)
    expect(db.snapshots).toEqual({
      open: 2,
      oldestTid: lastTid,
      commitsBehind: 2,
      msBehind: 1500,
    })
    await transactions.abort()
    expect(db.snapshots).toEqual({
      open: 1,
      oldestTid: lastTid + 2,
      commitsBehind: 0,
      msBehind: 0,
    })
  })

  test('an object that is newer than the transaction is a conflict, and one never stored is not', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const oid = await db.transaction((context) => context.connection.add(new Employee()))
    expect(connection.query(oid)).toBeUndefined()
    const error = await errorOf(() => connection.get(oid))
    expect(error).toMatchObject({
      code: 'STORAGE_READ_CONFLICT',
      winner: db.lastTid,
      retryable: true,
    })
    await transactions.abort()
    transactions.begin()
    expect(oidOf(connection.get(oid))).toBe(oid)
  })

  test('an object is read as its transaction left it, until its connection begins another', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' }, { poolSize: 1 })
    const held = await db.transaction((context) => {
      bobOf(context).title = 'boss'
      return bobOf(context)
    })
    expect(held.title).toBe('boss')
    await db.transaction(({ rootMapping }) => void rootMapping.size)
    const error = await errorOf(() =>
      db.transaction(async () => {
        await outsideOf(() => held.title)
      }),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_STALE_OBJECT' })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001.*Reach it again/)
  })

  test('an object not read yet is refused once it has changed since', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('bob', new Employee({ title: 'bob', boss: new Employee({ title: 'old' }) }))
    })
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    await transactions.abort()
    await db.transaction((context) => {
      bobOf(context).boss!.title = 'new'
    })
    expect(held.title).toBe('bob')
    expect(await codeThrownBy(() => held.boss!.title)).toBe('PERSISTENCE_STALE_OBJECT')
  })
})

function outsideOf<T>(read: () => T): T {
  return runOutsideTransactionScope(read)
}
