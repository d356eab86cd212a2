import { describe, expect, test } from '@jest/globals'
import { stateOf } from '../../lib/persistence/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  ofStoredBob,
} from '../support/persistence-builders.js'

describe('The objects of a connection', () => {
  test('objects keep their identity over transactions, commits and aborts', async () => {
    const db = await aDatabaseWithBob()
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    held.title = 'one'
    await transactions.commit()
    transactions.begin()
    expect(bob()).toBe(held)
    held.title = 'two'
    await transactions.abort()
    transactions.begin()
    expect(bob()).toBe(held)
    expect(held.title).toBe('one')
  })

  test('a demoted object keeps its identity while it is held, and loads again', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    connection.cacheMinimize()
    expect([stateOf(held), connection.cacheSize]).toEqual(['ghost', 0])
    expect(bob()).toBe(held)
    expect(held.title).toBe('clerk')
    expect(stateOf(held)).toBe('upToDate')
  })

  test('holds about as many objects as it may, and loads the others again', async () => {
    const db = await aDatabase({ cacheObjects: 50 })
    await db.transaction(({ rootMapping }) => {
      for (let n = 0; n < 300; n++) rootMapping.set(String(n), new Employee({ data: n }))
    })
    const { transactions, connection } = aConnection(db)
    transactions.begin()
    const held = [...connection.rootMapping.values()] as Employee[]
    expect(connection.cacheSize).toBeLessThan(60)
    await transactions.abort()
    transactions.begin()
    expect([...connection.rootMapping.values()]).toEqual(held)
    for (const employee of connection.rootMapping.values()) expect(held).toContain(employee)
    expect(held.map(({ data }) => data).sort()).toEqual(
      Array.from({ length: 300 }, (_, n) => n).sort(),
    )
  })

  test('what a demoted object handed out can still be changed in its transaction', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'] })
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const { phones } = bob()
    connection.cacheMinimize()
    phones.push('2')
    connection.cacheMinimize()
    expect(bob().phones).toBe(phones)
    await transactions.commit()
    expect(await ofStoredBob(db, ({ phones }) => [...phones])).toEqual(['1', '2'])
  })

  test('what was changed or handed out for changing is not demoted', async () => {
    const db = await aDatabaseWithBob({ data: new Date(0) })
    await db.transaction(({ rootMapping }) => void rootMapping.set('ann', new Employee()))
    await db.transaction((context) => {
      ;(bobOf(context).data as Date).setTime(7)
      ;(context.rootMapping.get('ann') as Employee).title = 'changed'
      context.connection.cacheMinimize()
    })
    const stored = await db.view(({ rootMapping }) => [
      ((rootMapping.get('bob') as Employee).data as Date).getTime(),
      (rootMapping.get('ann') as Employee).title,
    ])
    expect(stored).toEqual([7, 'changed'])
  })

  test('what it read in one transaction it need not ask for in the next', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk', phones: ['1'] })
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    const { phones } = held
    await transactions.abort()
    const { hits, storageReads } = db.counters
    await db.transaction(({ rootMapping }) => void rootMapping.set('other', new Employee()))
    const between = db.counters.hits - hits
    transactions.begin()
    expect([bob(), held.title, [...held.phones]]).toEqual([held, 'clerk', ['1']])
    expect(held.phones).not.toBe(phones)
    held.title = 'changed'
    await transactions.commit()
    transactions.begin()
    expect(held.title).toBe('changed')
    expect(db.counters.storageReads).toBe(storageReads)
    expect(db.counters.hits - hits - between).toBe(1) // the root, which was changed
    await db.transaction((context) => {
      bobOf(context).title = 'changed again'
    })
    expect(held.title).toBe('changed')
    await transactions.abort()
    transactions.begin()
    expect(held.title).toBe('changed again')
  })
})
