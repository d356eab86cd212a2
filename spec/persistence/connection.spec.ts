import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { BTree, connectionOf, oidOf, serialOf, treeTouch } from '../../lib/persistence/index.js'
import { toOid } from '../../lib/storage/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

const BOB = toOid(1)

describe('Connection', () => {
  test('has one object for each oid', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const boss = new Employee()
      rootMapping.set('bob', new Employee({ boss, data: { again: boss } }))
      rootMapping.set('boss', boss)
    })
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const boss = connection.rootMapping.get('boss')
    expect(bob().boss).toBe(boss)
    expect((bob().data as { again: Employee }).again).toBe(boss)
    expect(connection.get(oidOf(boss!)!)).toBe(boss)
    expect(connection.get(BOB)).toBe(bob())
    expect(connectionOf(boss!)).toBe(connection)
  })

  test('adds an object that nothing refers to, and gives it its oid at once', async () => {
    const db = await aDatabase()
    const oid = await db.transaction(({ connection }) => {
      const employee = new Employee({ title: 'alone' })
      const given = connection.add(employee)
      expect([given, connection.add(employee), oidOf(employee)]).toEqual([given, given, given])
      return given
    })
    expect(await db.view(({ connection }) => (connection.get(oid) as Employee).title)).toBe('alone')
  })

  test('says which object is not there', async () => {
    const db = await aDatabase()
    await db.view(async ({ connection }) => {
      expect(connection.query(toOid(77))).toBeUndefined()
      const error = await errorOf(() => connection.get(toOid(77)))
      expect(error).toMatchObject({ code: 'STORAGE_OBJECT_NOT_FOUND' })
      expect(error.message).toContain('000000000000004d')
    })
  })

  test('is not asked for what is no oid', async () => {
    const db = await aDatabase()
    await db.view(({ connection }) => {
      for (const value of ['x', -1, 0.5, undefined]) {
        expect(() => connection.get(value as never)).toThrow(RangeError)
        expect(() => connection.query(value as never)).toThrow(RangeError)
      }
    })
  })

  test('counts what it did, and the database what all did', async () => {
    const db = await aDatabaseWithBob()
    db.cacheClear()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = 'x'
    await transactions.commit()
    transactions.begin()
    bob().title = 'y'
    await transactions.abort()
    expect(connection.counters).toEqual({ loads: 2, stores: 1 })
    expect(db.counters).toMatchObject({ commits: 3, aborts: 1, conflicts: 0 })
    const { hits } = db.counters
    await db.view((context) => bobOf(context).title)
    expect(db.counters.hits).toBe(hits + 2)
  })

  test('says when its use is over', async () => {
    const errors: unknown[] = []
    const db = await aDatabase({ onError: (error, where) => errors.push([error, where]) })
    const told: string[] = []
    const { connection } = aConnection(db)
    connection.onClose(() => told.push(`first, ${connection.isClosed ? 'closed' : 'open'}`))
    connection.onClose(() => {
      throw new Error('second')
    })
    connection.onClose(() => told.push('third'))
    connection.close()
    connection.close()
    expect(told.splice(0)).toEqual(['first, open', 'third'])
    expect(errors).toEqual([[new Error('second'), 'onClose']])
    expect(await codeThrownBy(() => connection.onClose(() => undefined))).toBe(
      'PERSISTENCE_CONNECTION_CLOSED',
    )
    for (const use of ['transaction', 'view'] as const) {
      await db[use](async (context) => {
        context.connection.onClose(() => told.push(use))
        await nextTurn()
        expect(told).toEqual([])
      })
      expect(told.splice(0)).toEqual([use])
      await db[use](() => undefined)
      expect(told).toEqual([])
    }
  })

  describe('outside its transaction', () => {
    test('a closed connection refuses reads and writes', async () => {
      const db = await aDatabaseWithBob()
      const { connection, transactions, bob } = aConnection(db)
      transactions.begin()
      bob().title = 'x'
      expect(await codeThrownBy(() => connection.close())).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
      await transactions.commit()
      expect(connection.isClosed).toBe(false)
      const held = bob()
      connection.close()
      connection.close()
      expect([connection.isClosed, held.title]).toEqual([true, 'x'])
      expect(await codeThrownBy(() => connection.query(toOid(99)))).toBe(
        'PERSISTENCE_CONNECTION_CLOSED',
      )
      expect(
        await codeThrownBy(() => {
          bob().title = 'y'
        }),
      ).toBe('PERSISTENCE_CONNECTION_CLOSED')
    })
  })

  test('an object’s serial is the commit that wrote it', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction((context) => {
      bobOf(context).title = 'x'
    })
    const employee = new Employee()
    expect(serialOf(employee)).toBe(0)
    expect(await db.view((context) => serialOf(bobOf(context)))).toBe(3)
    expect(await db.view(({ connection }) => connection.seenTid)).toBe(3)
  })

  describe('tree stamp', () => {
    test('changes when the tree does, and only then', async () => {
      const db = await aDatabase()
      await db.transaction(({ rootMapping }) => {
        rootMapping.set('tree', new BTree())
        rootMapping.set('bob', new Employee())
      })
      const stamp = () =>
        db.view(({ connection, rootMapping }) => connection.treeStamp(rootMapping.get('tree')!))
      const first = await stamp()
      await db.transaction((context) => {
        bobOf(context).title = 'x'
      })
      expect(await stamp()).toBe(first)
      await db.transaction(({ rootMapping }) => void (rootMapping.get('tree') as BTree).set('a', 1))
      const second = await stamp()
      expect(second).not.toBe(first)
      await db.transaction(({ rootMapping }) => treeTouch(rootMapping.get('tree')!))
      expect(await stamp()).not.toBe(second)
    })

    test('is absent where others must not rely on what is seen', async () => {
      const db = await aDatabase()
      await db.transaction(({ rootMapping }) => void rootMapping.set('tree', new BTree()))
      const old = aConnection(db)
      old.transactions.begin()
      const tree = old.connection.rootMapping.get('tree') as BTree
      expect(old.connection.treeStamp(tree)).toBeDefined()
      await db.transaction(({ rootMapping }) => void (rootMapping.get('tree') as BTree).set('a', 1))
      expect(old.connection.treeStamp(tree)).toBeUndefined()
      await db.transaction(({ connection, rootMapping }) => {
        const mine = rootMapping.get('tree') as BTree
        mine.set('b', 2)
        expect(connection.treeStamp(mine)).toBeUndefined()
      })
    })
  })
})

function _outsideOf<T>(read: () => T): T {
  return runOutsideTransactionScope(read)
}
