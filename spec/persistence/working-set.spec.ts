import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  oidOf,
  type Persistent,
  stateOf,
  WeakReference,
} from '../../lib/persistence/index.js'
import type { Transaction } from '../../lib/transaction/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
} from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

/** A transaction on a Bob of that state, with the means to end it. */
async function aTransaction(state: ConstructorParameters<typeof Employee>[0] = {}) {
  const db = await aDatabaseWithBob(state)
  const { connection, transactions, bob } = aConnection(db)
  const transaction = transactions.begin()
  const root = connection.rootMapping
  return { db, connection, transactions, transaction, root, bob: bob() }
}

const storedBob = <T>(
  { db }: { db: Awaited<ReturnType<typeof aDatabase>> },
  read: (bob: Employee) => T,
): Promise<T> => {
  db.cacheClear()
  return db.view((context) => read(bobOf(context)))
}

const bumped = (root: BTree<string, Persistent>): string[] => [...root.keys()]

describe('A savepoint of a connection', () => {
  test('brings back fields, and the transaction goes on from there', async () => {
    const all = await aTransaction({ title: 'clerk' })
    const { bob, transaction, transactions } = all
    bob.title = 'one'
    const savepoint = transaction.savepoint()
    bob.title = 'two'
    savepoint.rollback()
    expect([bob.title, stateOf(bob)]).toEqual(['one', 'changed'])
    bob.phones.push('7')
    await transactions.commit()
    expect(await storedBob(all, ({ title, phones }) => [title, [...phones]])).toEqual([
      'one',
      ['7'],
    ])
  })

  test('makes an object that was unchanged unchanged again', async () => {
    const { db, bob, transaction, transactions, connection } = await aTransaction({
      title: 'clerk',
    })
    connection.add(new Employee())
    const savepoint = transaction.savepoint()
    bob.title = 'two'
    savepoint.rollback()
    expect([bob.title, stateOf(bob)]).toEqual(['clerk', 'upToDate'])
    const before = db.lastTid
    await transactions.commit()
    await db.view((context) => expect(bobOf(context).title).toBe('clerk'))
    expect(db.lastTid).toBe(before + 1)
  })

  test('can be rolled back to again and again, also over later ones', async () => {
    const { bob, transaction } = await aTransaction()
    bob.data = 0
    const savepoints = [1, 2, 3, 4].map((n) => {
      const savepoint = transaction.savepoint()
      bob.data = n
      bob.phones.push(String(n))
      return savepoint
    })
    savepoints[2]!.rollback()
    expect([bob.data, [...bob.phones]]).toEqual([2, ['1', '2']])
    bob.data = 'other'
    bob.phones.pop()
    savepoints[2]!.rollback()
    expect([bob.data, [...bob.phones]]).toEqual([2, ['1', '2']])
    expect(savepoints[3]!.valid).toBe(false)
    savepoints[0]!.rollback()
    expect([bob.data, [...bob.phones]]).toEqual([0, []])
    savepoints[0]!.rollback()
    expect([bob.data, [...bob.phones]]).toEqual([0, []])
  })

  test('taken before the connection took part lets it leave', async () => {
    const { db, bob, transaction, transactions } = await aTransaction({ title: 'clerk' })
    const savepoint = transaction.savepoint()
    bob.title = 'two'
    savepoint.rollback()
    expect([bob.title, transaction.managers.length]).toEqual(['clerk', 0])
    bob.title = 'three'
    expect(transaction.managers.length).toBe(1)
    await transactions.commit()
    await db.view((context) => expect(bobOf(context).title).toBe('three'))
  })

  test('nested values held by the program read the restored value, and can be written', async () => {
    const all = await aTransaction({
      data: { list: [{ n: 1 }, { n: 2 }], map: new Map([['a', [1]]]) },
    })
    const { bob, transaction, transactions } = all
    const data = bob.data as { list: { n: number }[]; map: Map<string, number[]>; more?: number }
    const [first, second] = data.list
    const inMap = data.map.get('a')!
    second!.n = 20
    const savepoint = transaction.savepoint()
    data.list.shift()
    second!.n = 200
    inMap.push(2)
    data.more = 1
    const added = data.list[data.list.push({ n: 3 }) - 1]!
    savepoint.rollback()
    expect(JSON.parse(JSON.stringify(data))).toEqual({ list: [{ n: 1 }, { n: 20 }], map: {} })
    expect([first!.n, second!.n, [...inMap]]).toEqual([1, 20, [1]])
    expect(bob.data).toBe(data)
    expect(data.list[1]).toBe(second)
    expect(data.map.get('a')).toBe(inMap)
    expect(
      await codeThrownBy(() => {
        added.n = 4
      }),
    ).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    expect(added.n).toBe(3)
    second!.n++
    inMap.push(5)
    await transactions.commit()
    expect(
      await storedBob(all, (stored) => {
        const { list, map } = stored.data as typeof data
        return [list.map(({ n }) => n), [...map.get('a')!]]
      }),
    ).toEqual([
      [1, 21],
      [1, 5],
    ])
  })

  test('an item that moved within its array is the same item after a rollback', async () => {
    const { bob, transaction } = await aTransaction({ data: [{ n: 1 }, { n: 2 }, { n: 3 }] })
    const data = bob.data as { n: number }[]
    const last = data[2]!
    data.shift()
    const savepoint = transaction.savepoint()
    data.reverse()
    last.n = 30
    savepoint.rollback()
    expect(data.map(({ n }) => n)).toEqual([2, 3])
    last.n = 33
    expect(data.map(({ n }) => n)).toEqual([2, 33])
  })

  test('sets hold the members that they held', async () => {
    const member = { n: 1 }
    const { bob, transaction } = await aTransaction({ data: new Set([member, 'text']) })
    const data = bob.data as Set<unknown>
    const [held] = data as Set<{ n: number }>
    data.add('more')
    const savepoint = transaction.savepoint()
    data.delete('text')
    held!.n = 5
    savepoint.rollback()
    expect([[...data].slice(1), held!.n]).toEqual([['text', 'more'], 1])
    held!.n = 6
    expect(([...data][0] as typeof member).n).toBe(6)
  })

  test('a value assigned over another makes the other current again', async () => {
    const { bob, transaction } = await aTransaction({ phones: ['1'] })
    const phones = bob.phones
    phones.push('2')
    const savepoint = transaction.savepoint()
    bob.phones = ['other']
    const other = bob.phones
    savepoint.rollback()
    expect(bob.phones).toBe(phones)
    phones.push('3')
    expect([...bob.phones]).toEqual(['1', '2', '3'])
    expect(await codeThrownBy(() => other.push('x'))).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
  })

  test.each([
    ['stored', true],
    ['assigned in the transaction', false],
  ])('Dates and binary data %s hold what they held', async (_, isStored) => {
    const data = () => ({ at: new Date(1), bytes: new Uint8Array([1, 2]) })
    const all = await aTransaction(isStored ? { data: data() } : {})
    const { bob, transaction, transactions } = all
    if (!isStored) bob.data = data()
    const { at, bytes } = bob.data as ReturnType<typeof data>
    at.setTime(2)
    const first = transaction.savepoint()
    at.setTime(3)
    bytes[0] = 9
    const second = transaction.savepoint()
    at.setTime(4)
    second.rollback()
    expect([at.getTime(), [...bytes]]).toEqual([3, [9, 2]])
    first.rollback()
    expect([at.getTime(), [...bytes]]).toEqual([2, [1, 2]])
    expect((bob.data as ReturnType<typeof data>).at).toBe(at)
    bytes[1] = 7
    await transactions.commit()
    const stored = await storedBob(all, (it) => {
      const value = it.data as ReturnType<typeof data>
      return [value.at.getTime(), [...value.bytes]]
    })
    expect(stored).toEqual([2, [1, 7]])
  })

  test('trees have the keys that they had, and their operations', async () => {
    const { db, root, transaction, transactions } = await aTransaction()
    for (let n = 0; n < 100; n++) root.set(`k${n}`, new Employee())
    const savepoint = transaction.savepoint()
    const before = bumped(root)
    for (let n = 100; n < 300; n++) root.set(`k${n}`, new Employee())
    for (let n = 0; n < 50; n++) root.delete(`k${n}`)
    savepoint.rollback()
    expect([bumped(root), root.size]).toEqual([before, 101])
    root.set('after', new Employee())
    // Another transaction writes a key whose write was rolled back: no conflict.
    await db.transaction(({ rootMapping }) => void rootMapping.set('k200', new Employee()))
    await transactions.commit()
    await db.view(({ rootMapping }) => expect(rootMapping.size).toBe(103))
  })

  test('objects added since belong to nobody, and keep their memory', async () => {
    const { db, connection, bob, transaction, transactions } = await aTransaction()
    const early = new Employee({ title: 'early' })
    const earlyOid = connection.add(early)
    const savepoint = transaction.savepoint()
    const late = new Employee({ title: 'late', phones: ['1'] })
    connection.add(late)
    late.title = 'later'
    early.title = 'changed'
    savepoint.rollback()
    expect([oidOf(late), late.title, [...late.phones], stateOf(late)]).toEqual([
      undefined,
      'later',
      ['1'],
      'unsaved',
    ])
    expect([oidOf(early), early.title]).toEqual([earlyOid, 'early'])
    bob.boss = late
    await transactions.commit()
    expect(await storedBob({ db }, (it) => it.boss!.title)).toBe('later')
    await db.view(({ connection: other }) =>
      expect((other.get(earlyOid) as Employee).title).toBe('early'),
    )
  })

  describe('brings back objects that are new and were never added', () => {
    test.each<[string, (bob: Employee, one: Employee) => void, (bob: Employee) => Employee]>([
      [
        'in a field',
        (bob, one) => {
          bob.boss = one
        },
        (bob) => bob.boss!,
      ],
      [
        'in a nested value',
        (bob, one) => {
          bob.data = { list: [new Map([['a', one]])] }
        },
        (bob) => (bob.data as { list: Map<string, Employee>[] }).list[0]!.get('a')!,
      ],
      [
        'in a nested value that was handed out',
        (bob, one) => void (bob.data as Employee[]).push(one),
        (bob) => (bob.data as Employee[])[1]!,
      ],
      [
        'through other new ones',
        (bob, one) => {
          bob.boss = new Employee({ data: new Employee({ boss: one }) })
        },
        (bob) => (bob.boss!.data as Employee).boss!,
      ],
      [
        'in a new tree',
        (bob, one) => {
          const tree = new BTree()
          for (let n = 0; n < 100; n++) tree.set(n, new Employee())
          tree.set(70, one)
          bob.data = [tree]
        },
        (bob) => (bob.data as [BTree<number, Employee>])[0].get(70)!,
      ],
      [
        'by a weak reference',
        (bob, one) => {
          bob.data = new WeakReference(one)
        },
        (bob) => (bob.data as WeakReference<Employee>).deref()!,
      ],
    ])('%s', async (_, hold, held) => {
      const all = await aTransaction({ data: [0] })
      const { bob, transaction, transactions } = all
      const one = new Employee({ title: 'one', phones: ['1'] })
      hold(bob, one)
      const savepoint = transaction.savepoint()
      one.title = 'two'
      one.phones.push('2')
      savepoint.rollback()
      expect([one.title, [...one.phones]]).toEqual(['one', ['1']])
      one.phones.push('3')
      await transactions.commit()
      expect(
        await storedBob(all, (stored) => [held(stored).title, [...held(stored).phones]]),
      ).toEqual(['one', ['1', '3']])
    })

    test('in a tree that was changed before, and since', async () => {
      const { db, root, transaction, transactions } = await aTransaction()
      const staff = Array.from({ length: 100 }, () => new Employee({ title: 'new' }))
      const savepoints = staff.map((one, n) => {
        root.set(`k${n}`, one)
        return transaction.savepoint()
      })
      for (const one of staff) one.title = 'later'
      savepoints[49]!.rollback()
      expect(staff.map(({ title }) => title)).toEqual(
        staff.map((_, n) => (n < 50 ? 'new' : 'later')),
      )
      expect(staff.map(oidOf).filter((oid) => oid === undefined)).toHaveLength(50)
      await transactions.commit()
      await db.view(({ rootMapping }) => {
        expect(rootMapping.size).toBe(51)
        for (let n = 0; n < 50; n++)
          expect((rootMapping.get(`k${n}`) as Employee).title).toBe('new')
      })
    })

    test('and stores them only when they are reached at the commit, or were added', async () => {
      const all = await aTransaction()
      const { bob, connection, transaction, transactions } = all
      const [unreached, below, reached, added] = ['u', 'b', 'r', 'a'].map(
        (title) => new Employee({ title }),
      ) as [Employee, Employee, Employee, Employee]
      unreached.boss = below
      bob.data = [unreached, reached, added]
      const savepoint = transaction.savepoint()
      expect(connection.get(oidOf(unreached)!)).toBe(unreached)
      connection.add(added)
      bob.data = []
      bob.boss = reached
      const before = connection.counters.stores
      await transactions.commit()
      expect(savepoint.valid).toBe(false)
      expect(connection.counters.stores - before).toBe(3) // Bob, and two
      expect([unreached, below].map((one) => [stateOf(one), one.title])).toEqual([
        ['unsaved', 'u'],
        ['unsaved', 'b'],
      ])
      expect([reached, added].map(stateOf)).toEqual(['upToDate', 'upToDate'])
      expect(await storedBob(all, ({ boss }) => boss!.title)).toBe('r')
    })

    test('and an abort lets them go', async () => {
      const { bob, transaction, transactions } = await aTransaction()
      const one = new Employee({ title: 'one' })
      bob.boss = one
      transaction.savepoint()
      one.title = 'two'
      await transactions.abort()
      expect([oidOf(one), one.title, stateOf(one)]).toEqual([undefined, 'two', 'unsaved'])
    })
  })

  test('volatile properties stay', async () => {
    const { bob, transaction } = await aTransaction()
    bob.title = 'x'
    const savepoint = transaction.savepoint()
    Object.assign(bob, { volatile: 1 })
    bob.title = 'y'
    savepoint.rollback()
    expect(bob).toMatchObject({ volatile: 1, title: 'x' })
  })

  test('survives a minimized cache', async () => {
    const { bob, connection, transaction } = await aTransaction()
    bob.title = 'kept'
    const savepoint = transaction.savepoint()
    bob.title = 'dropped'
    connection.cacheMinimize()
    savepoint.rollback()
    connection.cacheMinimize()
    expect(bob.title).toBe('kept')
  })

  test('does not take in what other transactions commit', async () => {
    const { db, bob, transaction, root } = await aTransaction({ title: 'clerk' })
    root.set('own', new Employee())
    const savepoint = transaction.savepoint()
    await db.transaction((context) => {
      bobOf(context).title = 'theirs'
    })
    savepoint.rollback()
    expect(bob.title).toBe('clerk')
  })

  test('an abort after it gives everything back', async () => {
    const { bob, transaction, transactions } = await aTransaction({ title: 'clerk', phones: ['1'] })
    bob.phones.push('2')
    transaction.savepoint()
    bob.phones.push('3')
    bob.title = 'x'
    await transactions.abort()
    transactions.begin()
    expect([bob.title, [...bob.phones]]).toEqual(['clerk', ['1']])
  })

  test('what was changed long before costs a later savepoint nothing', async () => {
    const db = await aDatabase()
    const { connection, transactions } = aConnection(db)
    const transaction: Transaction = transactions.begin()
    const many = Array.from({ length: 1000 }, (_, n) => {
      const one = new Employee({ data: n })
      connection.add(one)
      return one
    })
    for (let n = 0; n < 100; n++) {
      transaction.savepoint()
      many[n]!.title = String(n)
    }
    const savepoint = transaction.savepoint()
    for (const one of many) one.title = 'x'
    savepoint.rollback()
    expect(many[99]!.title).toBe('99')
    expect(many[100]!.title).toBe('')
  })
})
