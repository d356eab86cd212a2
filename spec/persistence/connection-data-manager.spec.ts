import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import { connectionOf, oidOf, stateOf } from '../../lib/persistence/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  Office,
  ofStoredBob,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

describe('A connection’s part in a transaction', () => {
  test('after a failed commit nothing can be changed until the abort', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    const { phones } = held
    held.title = 'mine'
    await db.transaction((context) => {
      bobOf(context).title = 'theirs'
    })
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    const writes: (() => unknown)[] = [
      () => {
        held.title = 'again'
      },
      () => phones.push('1'),
      () => connection.add(new Employee()),
      () => transactions.savepoint(),
      () => transactions.commit(),
    ]
    for (const write of writes) {
      expect(await codeThrownBy(write)).toBe('TRANSACTION_FAILED')
    }
    await transactions.abort()
    transactions.begin()
    held.title = 'mine after all'
    await transactions.commit()
    expect(await ofStoredBob(db, ({ title }) => title)).toBe('mine after all')
  })

  test('conflicts are counted by class', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    const office = new Office()
    await db.transaction(({ rootMapping }) => void rootMapping.set('office', office))
    const theirs = () =>
      db.transaction((context) => {
        bobOf(context).title = 'theirs'
        ;(context.rootMapping.get('office') as Office).set('k', 1)
      })
    const attempts: (() => void)[] = [
      () => {
        bob().title = 'mine'
      },
      () => void (connection.rootMapping.get('office') as Office).set('k', 2),
      () => connection.readCurrent(bob()),
    ]
    for (const attempt of attempts) {
      transactions.begin()
      attempt()
      await theirs()
      await expect(transactions.commit()).rejects.toThrow()
      await transactions.abort()
    }
    expect(db.counters.conflicts).toBe(3)
    expect(db.conflictsByClass).toEqual(
      new Map([
        ['spec.Employee', 2],
        ['spec.Office', 1],
      ]),
    )
  })

  test('Dates can be read while another manager of the transaction commits', async () => {
    const db = await aDatabaseWithBob({ data: new Date(3) })
    const { transactions, bob } = aConnection(db)
    transactions.begin()
    let seen: Date | undefined
    transactions.current!.join({
      sortKey: 'reader',
      abort: () => undefined,
      tpcBegin: () => undefined,
      commit: () => {
        seen = bob().data as Date
      },
      tpcVote: () => undefined,
      tpcFinish: () => undefined,
      tpcAbort: () => undefined,
    })
    await transactions.commit()
    expect(seen).toEqual(new Date(3))
  })

  test('an object is not written, and the error says how', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const held = await db.transaction((context) => bobOf(context))
    const error = await errorOf(() => {
      held.title = 'late'
    })
    expect(error).toMatchObject({ code: 'PERSISTENCE_OUTSIDE_TRANSACTION' })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001.*db\.transaction/)
    expect(held.title).toBe('clerk')
  })

  test('work that outlives its transaction cannot write, not even while that commits', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const codes: (string | undefined)[] = []
    let late: Promise<void> | undefined
    let isOver = false
    await db.transaction((context) => {
      const bob = bobOf(context)
      const other = new Employee()
      context.rootMapping.set('other', other)
      bob.title = 'in time'
      late = (async () => {
        await Promise.resolve()
        while (!isOver) {
          codes.push(
            await codeThrownBy(() => {
              bob.title = 'late'
            }),
          )
          codes.push(
            await codeThrownBy(() => {
              other.title = 'late'
            }),
          )
          await nextTurn()
        }
      })()
    })
    isOver = true
    await late
    expect(codes.length).toBeGreaterThan(0)
    const stored = await db.view((context) => [
      bobOf(context).title,
      (context.rootMapping.get('other') as Employee).title,
    ])
    // A write was either refused, or in time and stored.
    const wasRefused = codes.every((code) => code === 'PERSISTENCE_OUTSIDE_TRANSACTION')
    expect(stored).toEqual(wasRefused ? ['in time', ''] : ['late', 'late'])
    expect(
      await db.transaction((context) => [bobOf(context).title, stateOf(bobOf(context))]),
    ).toEqual([stored[0], 'upToDate'])
  })

  test('writing in db.view is refused', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    await db.view(async (context) => {
      for (const write of [
        () => {
          bobOf(context).title = 'boss'
        },
        () => context.rootMapping.set('x', 1 as never),
        () => context.rootMapping.delete('bob'),
        () => context.rootMapping.clear(),
        () => context.connection.add(new Employee()),
      ]) {
        const error = await errorOf(write)
        expect(error).toMatchObject({ code: 'PERSISTENCE_READ_ONLY_TRANSACTION' })
        expect(error.message).toContain('use db.transaction')
      }
      expect([bobOf(context).title, context.rootMapping.size]).toEqual(['clerk', 1])
    })
  })

  describe('abort', () => {
    test('puts changed objects back', async () => {
      const db = await aDatabaseWithBob({ title: 'clerk', phones: ['1'] })
      const { transactions, bob } = aConnection(db)
      transactions.begin()
      const held = bob()
      held.title = 'boss'
      held.phones.push('2')
      expect(stateOf(held)).toBe('changed')
      await transactions.abort()
      expect([held.title, [...held.phones], stateOf(held)]).toEqual(['clerk', ['1'], 'upToDate'])
    })

    test('keeps the state of a new object, and makes it unsaved', async () => {
      const db = await aDatabase()
      const { connection, transactions } = aConnection(db)
      const employee = new Employee({ title: 'new', data: { at: new Date(0), list: [1] } })
      transactions.begin()
      connection.rootMapping.set('bob', employee as never)
      connection.add(employee)
      const data = employee.data as { at: Date; list: number[] }
      data.at.setTime(5)
      data.list.push(2)
      employee.title = 'newer'
      await transactions.abort()
      expect([stateOf(employee), oidOf(employee), connectionOf(employee)]).toEqual([
        'unsaved',
        undefined,
        undefined,
      ])
      expect(employee.title).toBe('newer')
      expect(employee.data).toEqual({ at: new Date(5), list: [1, 2] })
      employee.phones.push('writable anywhere')

      await db.transaction(({ rootMapping }) => void rootMapping.set('bob', employee as never))
      expect(await ofStoredBob(db, (bob) => [bob.title, bob.data, [...bob.phones]])).toEqual([
        'newer',
        { at: new Date(5), list: [1, 2] },
        ['writable anywhere'],
      ])
    })

    test('of a new tree lets it be stored in another database', async () => {
      const [db, other] = [await aDatabase(), await aDatabase()]
      await other.transaction(({ rootMapping }) => {
        for (let n = 0; n < 20; n++) rootMapping.set(`e${n}`, new Employee({ data: n }) as never)
      })
      const { connection, transactions } = aConnection(db)
      const tree = new Office()
      for (let n = 0; n < 500; n++) tree.set(String(n), n)
      transactions.begin()
      connection.add(tree)
      transactions.current!.join({
        sortKey: '~zz',
        abort: () => undefined,
        tpcBegin: () => undefined,
        commit: () => undefined,
        tpcVote: () => {
          throw new Error('vetoed')
        },
        tpcFinish: () => undefined,
        tpcAbort: () => undefined,
      })
      await expect(transactions.commit()).rejects.toThrow('vetoed')
      await transactions.abort()
      await other.transaction(({ rootMapping }) => void rootMapping.set('tree', tree as never))
      other.cacheClear()
      await other.view(({ rootMapping }) => {
        for (let n = 0; n < 20; n++) expect((rootMapping.get(`e${n}`) as Employee).data).toBe(n)
        expect([...(rootMapping.get('tree') as unknown as Office).values()].length).toBe(500)
      })
    })

    test('after a conflict leaves the loser with the winner’s state', async () => {
      const db = await aDatabaseWithBob({ title: 'clerk' })
      const { transactions, bob } = aConnection(db)
      transactions.begin()
      const held = bob()
      held.title = 'mine'
      await db.transaction((context) => {
        bobOf(context).title = 'theirs'
      })
      expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
      await transactions.abort()
      transactions.begin()
      expect(held.title).toBe('theirs')
      held.title = 'mine again'
      await transactions.commit()
      expect(await ofStoredBob(db, (it) => it.title)).toBe('mine again')
    })
  })
})
