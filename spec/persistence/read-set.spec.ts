import { describe, expect, test } from '@jest/globals'
import { BTree, type Isolation, type ObjectDatabase } from '../../lib/persistence/index.js'
import { type DataManager, runOutsideTransactionScope } from '../../lib/transaction/index.js'
import { idleManager } from '../support/idle-manager.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  Office,
} from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

type Root = BTree<string, Employee>
const rootOf = (of: { rootMapping: BTree }): Root => of.rootMapping as unknown as Root

/** A database with the employees `a`, `b` and `c`. */
async function aDatabaseWithThree(): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction((context) => {
    for (const name of ['a', 'b', 'c']) rootOf(context).set(name, new Employee({ data: 1 }))
  })
  return db
}

/** A transaction of that isolation that has begun; `read`, then `other` commits, then it commits. */
async function outcome(
  db: ObjectDatabase,
  {
    isolation = 'snapshot',
    read,
    other,
  }: {
    isolation?: Isolation
    read: (root: Root, connection: ReturnType<typeof aConnection>['connection']) => unknown
    other: (root: Root) => unknown
  },
): Promise<string | undefined> {
  const { connection, transactions } = aConnection(db)
  connection.isolation = isolation
  transactions.begin()
  read(rootOf(connection), connection)
  await db.transaction((context) => void other(rootOf(context)))
  const code = await codeThrownBy(() => transactions.commit())
  await transactions.abort().catch(() => undefined)
  connection.close()
  return code
}

describe('An object declared with readCurrent', () => {
  test('fails the commit when another transaction wrote it, though nothing else is written', async () => {
    const db = await aDatabaseWithThree()
    const before = db.lastTid
    const code = await outcome(db, {
      read: (root, connection) => connection.readCurrent(root.get('a')!),
      other: (root) => {
        root.get('a')!.title = 'x'
      },
    })
    expect(code).toBe('STORAGE_READ_CONFLICT')
    expect(db.lastTid).toBe(before + 1)
    expect(db.counters.conflicts).toBe(1)
  })

  test('is named, with the winner to wait for', async () => {
    const db = await aDatabaseWithThree()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    connection.readCurrent(rootOf(connection).get('a')!)
    await db.transaction((context) => {
      rootOf(context).get('a')!.title = 'x'
    })
    const error = await errorOf(() => transactions.commit())
    expect(error).toMatchObject({ name: 'ReadConflictError', retryable: true, winner: db.lastTid })
    expect(error.message).toMatch(/spec\.Employee.*Begin again/)
  })

  test('does not when others were written', async () => {
    const code = await outcome(await aDatabaseWithThree(), {
      read: (root, connection) => connection.readCurrent(root.get('a')!),
      other: (root) => {
        root.get('b')!.title = 'x'
        root.delete('c')
      },
    })
    expect(code).toBe('nothing')
  })

  test('counts as a ghost as well', async () => {
    const code = await outcome(await aDatabaseWithThree(), {
      read: (root, connection) => {
        const a = root.get('a')!
        connection.cacheMinimize()
        connection.readCurrent(a)
      },
      other: (root) => {
        root.get('a')!.title = 'x'
      },
    })
    expect(code).toBe('STORAGE_READ_CONFLICT')
  })

  test('stays declared over rollbacks, also of a write to it', async () => {
    const db = await aDatabaseWithThree()
    for (const isFirst of [true, false]) {
      const { connection, transactions } = aConnection(db)
      const transaction = transactions.begin()
      const a = rootOf(connection).get('a')!
      if (!isFirst) connection.add(new Employee())
      connection.readCurrent(a)
      const savepoint = transaction.savepoint()
      a.title = 'mine'
      savepoint.rollback()
      await db.transaction((context) => {
        rootOf(context).get('a')!.title += 'x'
      })
      expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_READ_CONFLICT')
      await transactions.abort()
      connection.close()
    }
  })

  test('counts for one transaction', async () => {
    const db = await aDatabaseWithThree()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    connection.readCurrent(rootOf(connection).get('a')!)
    await transactions.commit()
    transactions.begin()
    rootOf(connection).get('b')!.title = 'x'
    await db.transaction((context) => {
      rootOf(context).get('a')!.title = 'x'
    })
    expect(await codeThrownBy(() => transactions.commit())).toBe('nothing')
  })

  test('counts against a commit that is on its way', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabaseWithBob({}, { storage })
    let release = (): void => undefined
    storage.beforeWrite = () =>
      new Promise((resolve) => {
        release = resolve
      })
    const [writer, reader] = [aConnection(db), aConnection(db)]
    writer.transactions.begin()
    writer.bob().title = 'x'
    reader.transactions.begin()
    reader.connection.readCurrent(reader.bob())
    const writing = writer.transactions.commit()
    expect(await codeThrownBy(() => reader.transactions.commit())).toBe('STORAGE_READ_CONFLICT')
    release()
    await writing
  })

  test('is one of this connection, in a transaction that may write', async () => {
    const db = await aDatabaseWithBob()
    const [one, other] = [aConnection(db), aConnection(db)]
    one.transactions.begin()
    other.transactions.begin()
    expect(await codeThrownBy(() => one.connection.readCurrent(other.bob()))).toBe(
      'PERSISTENCE_FOREIGN_OBJECT',
    )
    one.connection.readCurrent(new Employee())
    expect(
      await codeThrownBy(() =>
        db.view((context) => context.connection.readCurrent(bobOf(context))),
      ),
    ).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
  })

  test('with a tree is its fields; the tree is declared by key and by range', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const office = new Office()
      for (let n = 0; n < 100; n++) office.set(`k${n}`, n)
      rootMapping.set('office', office)
    })
    const officeOf = (root: Root): Office => root.get('office') as unknown as Office
    const asked = (
      read: (office: Office, connection: ReturnType<typeof aConnection>['connection']) => void,
      other: (office: Office) => unknown,
    ) =>
      outcome(db, {
        read: (root, connection) => read(officeOf(root), connection),
        other: (root) => other(officeOf(root)),
      })
    const conflict = 'STORAGE_READ_CONFLICT'
    expect(
      await asked(
        (office, it) => it.readCurrent(office),
        (office) => office.set('k1', 0),
      ),
    ).toBe('nothing')
    expect(
      await asked(
        (office, it) => it.readCurrent(office),
        (office) => {
          office.city = 'x'
        },
      ),
    ).toBe(conflict)
    expect(
      await asked(
        (office, it) => it.readCurrentKey(office, 'k1'),
        (office) => office.set('k2', 0),
      ),
    ).toBe('nothing')
    expect(
      await asked(
        (office, it) => it.readCurrentKey(office, 'k1'),
        (office) => office.set('k1', 0),
      ),
    ).toBe(conflict)
    expect(
      await asked(
        (office, it) => it.readCurrentKey(office, 'zz'),
        (office) => office.set('zz', 0),
      ),
    ).toBe(conflict)
    expect(
      await asked(
        (office, it) => it.readCurrentRange(office, { min: 'a', max: 'b' }),
        (office) => office.set('aa', 0),
      ),
    ).toBe(conflict)
    expect(
      await asked(
        (office, it) => it.readCurrentRange(office, { min: 'a', max: 'aa', excludeMax: true }),
        (office) => office.delete('aa'),
      ),
    ).toBe('nothing')
    expect(
      await asked(
        (office, it) => it.readCurrentRange(office),
        (office) => office.clear(),
      ),
    ).toBe(conflict)
    expect(
      await codeThrownBy(() =>
        asked(
          (office, it) => it.readCurrentRange(office, { min: null as never }),
          () => {},
        ),
      ),
    ).toBe('PERSISTENCE_INVALID_KEY')
  })
})

// Which phenomena there are at which isolation. The names are those of Berenson and others, "A
// Critique of ANSI SQL Isolation Levels", and of Adya.
describe.each(['snapshot', 'serializable'] as const)('In %s isolation', (isolation) => {
  const strict = isolation === 'serializable'

  test('there is no dirty read', async () => {
    const db = await aDatabaseWithThree()
    const [writer, reader] = [aConnection(db), aConnection(db)]
    writer.transactions.begin()
    rootOf(writer.connection).get('a')!.data = 2
    reader.connection.isolation = isolation
    reader.transactions.begin()
    expect(rootOf(reader.connection).get('a')!.data).toBe(1)
    await writer.transactions.abort()
    expect(rootOf(reader.connection).get('a')!.data).toBe(1)
  })

  test('there is no read that cannot be repeated, no phantom and no read skew', async () => {
    const db = await aDatabaseWithThree()
    const { connection, transactions } = aConnection(db)
    connection.isolation = isolation
    transactions.begin()
    const root = rootOf(connection)
    const seen = () => [root.size, [...root].map(([key, { data }]) => [key, data])]
    expect(root.get('a')!.data).toBe(1)
    await db.transaction((context) => {
      rootOf(context).get('a')!.data = 2
      rootOf(context).get('b')!.data = 0
      rootOf(context).set('d', new Employee())
      rootOf(context).delete('c')
    })
    expect(seen()).toEqual([
      3,
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
    ])
  })

  test('there is no lost update', async () => {
    const db = await aDatabaseWithThree()
    const add = (root: Root): void => {
      root.get('a')!.data = (root.get('a')!.data as number) + 1
    }
    expect(await outcome(db, { isolation, read: add, other: add })).toMatch(
      /STORAGE_(READ_)?CONFLICT/,
    )
    expect(await db.view((context) => rootOf(context).get('a')!.data)).toBe(2)
  })

  test(`there is ${strict ? 'no' : 'a'} write skew`, async () => {
    const db = await aDatabaseWithThree()
    const leave =
      (who: string) =>
      (root: Root): void => {
        const onCall = [...root.values()].filter(({ data }) => data === 1)
        if (onCall.length > 2) root.get(who)!.data = 0
      }
    const code = await outcome(db, { isolation, read: leave('a'), other: leave('b') })
    expect(code).toBe(strict ? 'STORAGE_READ_CONFLICT' : 'nothing')
  })

  test(`there is ${strict ? 'no' : 'a'} write skew by a phantom`, async () => {
    const db = await aDatabaseWithThree()
    const addUnlessFull =
      (name: string) =>
      (root: Root): void => {
        if (root.size < 4) root.set(name, new Employee())
      }
    const code = await outcome(db, {
      isolation,
      read: addUnlessFull('x'),
      other: addUnlessFull('y'),
    })
    expect(code).toBe(strict ? 'STORAGE_READ_CONFLICT' : 'nothing')
  })
})

describe('A serializable transaction', () => {
  const check = async (
    read: (root: Root) => unknown,
    other: (root: Root) => unknown,
  ): Promise<string | undefined> =>
    outcome(await aDatabaseWithThree(), {
      isolation: 'serializable',
      read: (root, connection) => {
        read(root)
        connection.add(new Employee())
      },
      other,
    })
  const conflict = 'STORAGE_READ_CONFLICT'

  test('conflicts on a key that it looked for, there or absent', async () => {
    expect(
      await check(
        (root) => root.get('a'),
        (root) => root.delete('a'),
      ),
    ).toBe(conflict)
    expect(
      await check(
        (root) => root.has('x'),
        (root) => root.set('x', new Employee()),
      ),
    ).toBe(conflict)
    expect(
      await check(
        (root) => root.get('a'),
        (root) => root.set('x', new Employee()),
      ),
    ).toBe('nothing')
    expect(
      await check(
        (root) => root.delete('x'),
        (root) => root.set('x', new Employee()),
      ),
    ).toBe(conflict)
  })

  test('conflicts on the part of a range that it walked, and no further', async () => {
    const take =
      (count: number, reverse: boolean) =>
      (root: Root): void => {
        const names = root.keys({ reverse })
        for (let n = 0; n < count; n++) names.next()
      }
    const put = (name: string) => (root: Root) => root.set(name, new Employee())
    expect(await check(take(2, false), put('aa'))).toBe(conflict)
    expect(await check(take(2, false), put('bb'))).toBe('nothing')
    expect(await check(take(2, true), put('bb'))).toBe(conflict)
    expect(await check(take(2, true), put('aa'))).toBe('nothing')
    expect(await check(take(4, false), put('z'))).toBe(conflict)
    expect(await check((root) => [...root.keys({ limit: 1 })], put('aa'))).toBe('nothing')
    expect(await check((root) => root.minKey(), put('0'))).toBe(conflict)
    expect(await check((root) => [...root.keys({ max: 'b' })], put('bb'))).toBe('nothing')
  })

  test('conflicts on an object whose field it read, not on one that it only reached', async () => {
    const write = (root: Root): void => {
      root.get('a')!.title = 'x'
    }
    expect(await check((root) => root.get('a')!.title, write)).toBe(conflict)
    expect(await check((root) => root.get('a'), write)).toBe('nothing')
    expect(await check((root) => root.get('b')!.title, write)).toBe('nothing')
  })

  test('conflicts on what it read before a rollback', async () => {
    const db = await aDatabaseWithThree()
    const { connection, transactions } = aConnection(db)
    connection.isolation = 'serializable'
    const transaction = transactions.begin()
    const savepoint = transaction.savepoint()
    const seen = rootOf(connection).get('a')!.data
    connection.add(new Employee())
    savepoint.rollback()
    rootOf(connection).get('b')!.data = seen
    await db.transaction((context) => {
      rootOf(context).get('a')!.data = 7
    })
    expect(await codeThrownBy(() => transactions.commit())).toBe(conflict)
  })

  test('that only read is as of its beginning, unless others take part in it', async () => {
    const run = async (joined?: DataManager): Promise<string | undefined> => {
      const db = await aDatabaseWithThree()
      const { connection, transactions } = aConnection(db)
      connection.isolation = 'serializable'
      const transaction = transactions.begin()
      expect(rootOf(connection).get('a')!.data).toBe(1)
      if (joined !== undefined) transaction.join(joined)
      await db.transaction((context) => {
        rootOf(context).get('a')!.data = 2
      })
      return codeThrownBy(() => transactions.commit())
    }
    expect(await run()).toBe('nothing')
    expect(await run(idleManager)).toBe(conflict)
  })

  test('begins again by itself, and waits for the winner', async () => {
    const db = await aDatabaseWithThree()
    let tries = 0
    await db.transaction(
      async (context) => {
        const root = rootOf(context)
        const seen = root.get('a')!.data as number
        if (++tries === 1) {
          await runOutsideTransactionScope(() =>
            db.transaction((rival) => {
              rootOf(rival).get('a')!.data = 5
            }),
          )
        }
        root.get('b')!.data = seen
      },
      { isolation: 'serializable' },
    )
    expect(tries).toBe(2)
    expect(await db.view((context) => rootOf(context).get('b')!.data)).toBe(5)
  })

  test('is the exception: the next one on the connection is not', async () => {
    const db = await aDatabaseWithThree()
    const reads: boolean[] = []
    for (const isolation of ['serializable', undefined] as const) {
      await db.transaction(
        ({ connection }) => void reads.push(connection.reads !== undefined),
        isolation && { isolation },
      )
    }
    expect(reads).toEqual([true, false])
  })

  test('many that each add what they counted end as if they had run in turn', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('list', new BTree<string, number>())
    })
    await Promise.all(
      Array.from({ length: 8 }, (_, client) =>
        db.transaction(
          ({ rootMapping }) => {
            const list = rootMapping.get('list') as BTree<string, number>
            list.set(`client${client}`, list.size)
          },
          { isolation: 'serializable', tries: 100 },
        ),
      ),
    )
    const counts = await db.view(({ rootMapping }) => [
      ...(rootMapping.get('list') as BTree<string, number>).values(),
    ])
    expect(counts.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })
})
