import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import {
  BTree,
  ObjectDatabase,
  oidOf,
  type Persistent,
  stateOf,
} from '../../lib/persistence/index.js'
import { createMemoryStorage, type Tid } from '../../lib/storage/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  aMemoryPlace,
  bobOf,
  Employee,
} from '../support/persistence-builders.js'
import { PersistenceProcess } from '../support/persistence-process.js'
import { codeThrownBy, errorOf, TemporaryDirectories } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

describe('Object database', () => {
  test('a new one has an empty root mapping, made by its first commit', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage })
    expect(db.lastTid).toBe(1)
    const [size, oid] = await db.view(({ rootMapping }) => [rootMapping.size, oidOf(rootMapping)])
    expect([size, oid]).toEqual([0, 0])
    expect([db.location, db.isOpen]).toEqual(['memory', true])
    const [first] = storage.batches[0]!
    expect(first!.metadata.description).toBe('initial database creation')
  })

  test('a reader never sees what was committed after its transaction began', async () => {
    const db = await aDatabaseWithBob({ title: 'old' })
    const seen = await db.view(async (context) => {
      await outside(() =>
        db.transaction((inner) => {
          bobOf(inner).title = 'new'
          inner.rootMapping.set('ann', new Employee())
        }),
      )
      db.cacheClear()
      return [bobOf(context).title, context.rootMapping.has('ann')]
    })
    expect(seen).toEqual(['old', false])
    expect(await db.view((context) => bobOf(context).title)).toBe('new')
  })

  test('a reader sees one revision throughout, however many are committed meanwhile', async () => {
    const db = await aDatabaseWithBob({ data: 0 }, { cacheBytes: 1 })
    const reader = aConnection(db)
    reader.transactions.begin()
    for (let n = 1; n <= 20; n++) {
      await db.transaction((context) => {
        bobOf(context).data = n
      })
      reader.connection.cacheMinimize()
      expect(reader.bob().data).toBe(0)
    }
    await reader.transactions.abort()
    reader.transactions.begin()
    expect(reader.bob().data).toBe(20)
  })

  test('many commits at a time share batches, and have one order', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage })
    await db.transaction(({ rootMapping }) => {
      for (let n = 0; n < 64; n++) rootMapping.set(`e${n}`, new Employee())
    })
    const first = db.lastTid
    const batchesBefore = storage.batches.length
    const tids = await Promise.all(
      Array.from({ length: 64 }, async (_, n) => {
        await db.transaction(({ rootMapping }) => {
          ;(rootMapping.get(`e${n}`) as Employee).title = 'written'
        })
        return db.lastTid
      }),
    )
    const batches = storage.batches.slice(batchesBefore)
    expect(batches.length).toBeLessThanOrEqual(16)
    expect(batches.flat().map(({ tid }) => tid)).toEqual(
      Array.from({ length: 64 }, (_, n) => first + 1 + n),
    )
    expect(Math.max(...tids)).toBe(first + 64)
    expect(db.counters.conflicts).toBe(0)
  })

  test('a failed write leaves the outcome unknown, closes the database and nothing half done', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage })
    const boss = new Employee({ title: 'boss' })
    await db.transaction(
      ({ rootMapping }) => void rootMapping.set('bob', new Employee({ title: 'clerk' })),
    )
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const held = bob()
    let releaseWrite = (): void => undefined
    storage.beforeWrite = async () => {
      await new Promise<void>((resolve) => {
        releaseWrite = resolve
      })
      throw Object.assign(new Error('disk on fire'), { code: 'STORAGE_OUTCOME_UNKNOWN' })
    }
    held.title = 'chief'
    held.boss = boss
    const failing = errorOf(() => transactions.commit())
    const gathering = codeThrownBy(() =>
      db.transaction(({ rootMapping }) => void rootMapping.set('ann', new Employee())),
    )
    await nextTurn()
    releaseWrite()
    expect((await failing).message).toBe('disk on fire')
    expect(await gathering).toBe('STORAGE_OUTCOME_UNKNOWN')
    expect(db.isOpen).toBe(false)
    expect([held.title, held.boss, stateOf(held)]).toEqual(['clerk', undefined, 'upToDate'])
    expect([stateOf(boss), oidOf(boss), boss.title]).toEqual(['unsaved', undefined, 'boss'])
    await transactions.abort()
    expect(await codeThrownBy(() => db.transaction(() => undefined))).toBe('STORAGE_CLOSED')
    expect(await codeThrownBy(() => db.view(() => undefined))).toBe('STORAGE_CLOSED')
    expect(connection.transaction).toBeUndefined()
  })

  test('a transaction that was running when a write failed cannot commit', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabaseWithBob({}, { storage })
    const later = aConnection(db)
    later.transactions.begin()
    later.bob().title = 'late'
    storage.beforeWrite = () => {
      throw new Error('no')
    }
    await errorOf(() => db.transaction(({ rootMapping }) => void rootMapping.set('x', 1 as never)))
    storage.beforeWrite = () => undefined
    const written = storage.batches.length
    expect(await codeThrownBy(() => later.transactions.commit())).toMatch(
      /STORAGE_OUTCOME_UNKNOWN|STORAGE_CLOSED/,
    )
    expect(storage.batches.length).toBe(written)
  })

  test('close waits for commits under way, and every other commit fails', async () => {
    const open = aMemoryPlace()
    const db = await open()
    const acknowledged: number[] = []
    const refused: (string | undefined)[] = []
    const writers = Array.from({ length: 40 }, async (_, n) => {
      for (let turn = 0; turn < n % 7; turn++) await nextTurn()
      try {
        await db.transaction(async ({ rootMapping }) => {
          if (n % 3 === 0) await nextTurn()
          rootMapping.set(`n${n}`, n as never)
        })
        acknowledged.push(n)
      } catch (error) {
        refused.push((error as { code?: string }).code)
      }
    })
    await nextTurn()
    await nextTurn()
    await db.close()
    await Promise.all(writers)
    expect(acknowledged.length).toBeGreaterThan(0)
    expect(new Set(refused)).toEqual(new Set(['STORAGE_CLOSED']))
    const reopened = await open()
    const stored = await reopened.view(({ rootMapping }) => [...rootMapping.values()])
    expect((stored as unknown as number[]).sort()).toEqual(acknowledged.sort())
    await reopened.close()
    await reopened.close()
  })

  test('what was committed is there when the directory is opened again', async () => {
    const directory = await directories.create()
    for (let round = 1; round <= 3; round++) {
      await using db = await ObjectDatabase.open(directory)
      expect(await db.view(({ rootMapping }) => rootMapping.size)).toBe((round - 1) * 200)
      await db.transaction(({ rootMapping }) => {
        for (let n = 0; n < 200; n++) {
          rootMapping.set(`${round}-${n}`, new Employee({ title: `${round}`, phones: [`${n}`] }))
        }
      })
    }
    await using db = await ObjectDatabase.open(directory)
    const [title, phones] = await db.view(({ rootMapping }) => {
      const employee = rootMapping.get('2-117') as Employee
      return [employee.title, [...employee.phones]]
    })
    expect([title, phones, db.lastTid]).toEqual(['2', ['117'], 4])
  })

  test('every acknowledged commit survives kill -9', async () => {
    const directory = await directories.create()
    const child = new PersistenceProcess('write', directory)
    let acknowledged = 0
    while (acknowledged < 200) acknowledged = Number(await child.nextLine())
    await child.kill()
    await using db = await ObjectDatabase.open(directory)
    const keys = await db.view(({ rootMapping }) => [...rootMapping.keys()])
    expect(keys.length).toBeGreaterThanOrEqual(acknowledged)
    expect(keys).toEqual(keys.map((_, n) => String(n + 1).padStart(8, '0')))
    const titles = await db.view(({ rootMapping }) =>
      [...rootMapping.values()].map((employee) => (employee as Employee).title),
    )
    expect(titles).toEqual(keys)
  })

  test('a directory that could not be initialized is let go', async () => {
    const storage = new WrappedStorage()
    storage.beforeWrite = () => {
      throw new Error('no')
    }
    const error = await errorOf(() =>
      ObjectDatabase.open('', { storage, onError: () => undefined }),
    )
    expect(error.message).toBe('no')
    expect(storage.isOpen).toBe(false)
  })

  test('the shared cache stays within its budget, and everything can still be read', async () => {
    const cacheBytes = 50_000
    const db = await aDatabase({ cacheBytes })
    await db.transaction(({ rootMapping }) => {
      for (let n = 0; n < 500; n++) {
        rootMapping.set(String(n), new Employee({ title: 'x'.repeat(200), data: n }))
      }
    })
    expect(db.cache.bytes).toBeLessThanOrEqual(cacheBytes)
    const sum = await db.view(({ rootMapping }) => {
      let total = 0
      for (const employee of rootMapping.values()) total += (employee as Employee).data as number
      return total
    })
    expect(sum).toBe((499 * 500) / 2)
    expect(db.cache.bytes).toBeLessThanOrEqual(cacheBytes)
  })

  test('counts what commits took', async () => {
    const clock = new FakeClock()
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage, clock })
    const { commitMs } = db.counters
    for (const ms of [5, 20, 10]) {
      storage.beforeWrite = () => clock.advance(ms)
      await db.transaction(({ connection }) => void connection.add(new Employee()))
    }
    const { commits, slowestCommitMs } = db.counters
    expect([commits, db.counters.commitMs - commitMs, slowestCommitMs]).toEqual([4, 35, 20])
  })

  test('a closed one says so, whatever is asked of it', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = 'never stored'
    await db.close()
    const asked: (() => unknown)[] = [
      () => db.transaction(() => undefined),
      () => db.view(() => undefined),
      () => db.at(1 as Tid, () => undefined),
      () => aConnection(db),
      () => db.pack(),
      () => transactions.commit(),
    ]
    for (const ask of asked) expect(await codeThrownBy(ask)).toBe('STORAGE_CLOSED')
    await transactions.abort()
    connection.close()
  })

  test('a storage of one’s own takes the place of a directory', async () => {
    const storage = createMemoryStorage()
    await storage.open()
    const db = await ObjectDatabase.open('ignored', { storage, durability: 'relaxed' })
    expect(db.location).toBe('memory')
    await db.close()
    expect(storage.isOpen).toBe(false)
  })

  test('the note is stored with the transaction', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage })
    await db.transaction(
      ({ rootMapping, transaction }) => {
        transaction.user = 'anna'
        rootMapping.set('tree', new BTree() as Persistent)
      },
      { note: 'a tree' },
    )
    expect(storage.batches.at(-1)![0]!.metadata).toMatchObject({
      user: 'anna',
      description: 'a tree',
    })
  })
})

/** As if another call did it. */
function outside<T>(work: () => Promise<T>): Promise<T> {
  return runOutsideTransactionScope(work)
}
