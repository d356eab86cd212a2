import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  connectionOf,
  oidOf,
  serialOf,
  stateOf,
  treeTouch,
} from '../../lib/persistence/index.js'
import { toOid } from '../../lib/storage/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
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

  test('new objects are stored with the objects that refer to them, cycles included', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const bob = new Employee({ title: 'bob' })
      const ann = new Employee({ title: 'ann', boss: bob })
      bob.boss = ann
      bob.data = [{ self: bob }]
      rootMapping.set('bob', bob)
    })
    const seen = await ofStoredBob(db, (bob) => [
      bob.boss!.title,
      bob.boss!.boss === bob,
      (bob.data as [{ self: Employee }])[0].self === bob,
    ])
    expect(seen).toEqual(['ann', true, true])
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

  test('an object of another connection is refused, and nothing is stored', async () => {
    const db = await aDatabaseWithBob({ title: 'bob' })
    const other = await aDatabaseWithBob({ title: 'other' })
    const { transactions, bob } = aConnection(other)
    transactions.begin()
    const foreign = bob()
    const error = await errorOf(() =>
      db.transaction((context) => {
        bobOf(context).title = 'changed'
        bobOf(context).boss = foreign
      }),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_FOREIGN_OBJECT' })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001.*Reach it/)
    expect(await ofStoredBob(db, (it) => [it.title, it.boss])).toEqual(['bob', undefined])
  })

  describe('outside its transaction', () => {
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

function outsideOf<T>(read: () => T): T {
  return runOutsideTransactionScope(read)
}
