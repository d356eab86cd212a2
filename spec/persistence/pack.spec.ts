import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  BTree,
  field,
  type ObjectDatabase,
  oidOf,
  Persistent,
  stored,
  WeakReference,
} from '../../lib/persistence/index.js'
import { createMemoryStorage, type Oid, type Tid } from '../../lib/storage/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { aConnection, aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

@stored('spec.pack.Item')
class Item extends Persistent {
  @field accessor links: Persistent[] = []
  @field accessor weak: WeakReference | undefined = undefined
  @field accessor title = ''
}

/** Whether the storage has the object. */
function exists(db: ObjectDatabase, oid: Oid): boolean {
  const snapshot = db.storage.snapshot()
  try {
    return snapshot.load(oid) !== undefined
  } finally {
    snapshot.close()
  }
}

/** A database whose root mapping leads to `kept`, and no longer to `dropped`. */
async function aDatabaseWithGarbage(count = 3) {
  const db = await aDatabase()
  const oids = await db.transaction(({ rootMapping, connection }) => {
    const items = Array.from({ length: count }, () => new Item())
    const kept = new Item()
    rootMapping.set('kept', kept)
    rootMapping.set('dropped', items[0] as Item)
    items.forEach((item, index) => {
      item.links = items.slice(index + 1, index + 2)
    })
    for (const item of items) connection.add(item)
    return { kept: connection.add(kept), dropped: items.map((item) => oidOf(item) as Oid) }
  })
  await db.transaction(({ rootMapping }) => void rootMapping.delete('dropped'))
  return { db, ...oids }
}

const ALL = { graceMs: 0 }

describe('A pack', () => {
  test('removes what nothing leads to, and keeps the rest', async () => {
    const { db, kept, dropped } = await aDatabaseWithGarbage()
    const report = await db.pack(ALL)
    expect(report).toMatchObject({ removed: 3, transactions: 0 })
    expect(report.removedBytes).toBeGreaterThan(0)
    expect(dropped.map((oid) => exists(db, oid))).toEqual([false, false, false])
    expect(exists(db, kept)).toBe(true)
    expect(await db.pack(ALL)).toMatchObject({ removed: 0, objects: report.objects - 3 })
    await db.close()
  })

  test('removes garbage that leads to itself', async () => {
    const db = await aDatabase()
    await db.transaction(({ connection }) => {
      const [one, other] = [new Item(), new Item()]
      one.links = [other]
      other.links = [one]
      connection.add(one)
    })
    expect(await db.pack(ALL)).toMatchObject({ removed: 2 })
    await db.close()
  })

  test('keeps what is led to through nested values, and nodes of trees', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const tree = new BTree<string, Persistent>()
      rootMapping.set('tree', tree)
      for (let index = 0; index < 500; index++) tree.set(`key ${index}`, new Item())
      const employee = new Employee({ data: { deep: new Map([['x', [new Set([new Item()])]]]) } })
      rootMapping.set('employee', employee)
    })
    const before = await db.pack(ALL)
    expect(before.removed).toBe(0)
    await db.transaction(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree<string, Persistent>
      for (let index = 0; index < 490; index++) tree.delete(`key ${index}`)
    })
    expect((await db.pack(ALL)).removed).toBeGreaterThanOrEqual(490)
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree<string, Item>
      expect([...tree.values()].map(({ title }) => title)).toEqual(Array(10).fill(''))
    })
    await db.close()
  })

  test('a weak reference does not keep its object, and leads nowhere afterwards', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const item = new Item()
      item.weak = new WeakReference(new Item())
      rootMapping.set('item', item)
    })
    expect(await db.pack(ALL)).toMatchObject({ removed: 1 })
    const read = () =>
      db.transaction(({ rootMapping }) => (rootMapping.get('item') as Item).weak?.deref())
    expect(await read()).toBeUndefined()
    db.cacheClear()
    expect(await read()).toBeUndefined()
    await db.close()
  })

  test('keeps what is written within the grace, and removes it later', async () => {
    const clock = new FakeClock()
    const db = await aDatabase({ clock })
    const oid = await db.transaction(({ connection }) => connection.add(new Item()))
    expect(await db.pack()).toMatchObject({ removed: 0 })
    await clock.advance(6 * 60 * 1000)
    expect(await db.pack()).toMatchObject({ removed: 1 })
    expect(exists(db, oid)).toBe(false)
    await db.close()
  })

  test('keeps what other databases refer to', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    expect(await db.pack({ ...ALL, keep: [dropped[1] as Oid] })).toMatchObject({ removed: 1 })
    expect(dropped.map((oid) => exists(db, oid))).toEqual([false, true, true])
    await db.close()
  })

  test('refuses to keep what is no oid', async () => {
    const db = await aDatabase()
    await expect(db.pack({ keep: [-1 as Oid] })).rejects.toThrow(RangeError)
    await db.close()
  })

  test('without garbage collection removes no object', async () => {
    const { db } = await aDatabaseWithGarbage()
    const report = await db.pack({ ...ALL, garbageCollection: false })
    expect(report).toMatchObject({ objects: 0, removed: 0 })
    await db.close()
  })

  test('needs no class of the application', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    db.cacheClear()
    const { decodes, loads } = db.counters
    await db.pack(ALL)
    expect(db.counters).toMatchObject({ decodes, loads })
    expect(exists(db, dropped[0] as Oid)).toBe(false)
    await db.close()
  })

  test('says in its transactions what it was', async () => {
    const { db } = await aDatabaseWithGarbage()
    await db.pack(ALL)
    const row = db.storage.transactionRow(db.lastTid)
    expect(row).toMatchObject({ description: expect.stringMatching(/^pack: 3 objects/), oids: [] })
    expect(row?.removed).toHaveLength(3)
    await db.close()
  })

  test('tells how far it has come, and ends by its signal', async () => {
    const { db } = await aDatabaseWithGarbage(1200)
    const controller = new AbortController()
    const phases = new Set<string>()
    const ended = db.pack({
      ...ALL,
      signal: controller.signal,
      onProgress: ({ phase, done, total }) => {
        phases.add(phase)
        expect(done).toBeLessThanOrEqual(total)
        expect(db.packProgress).toEqual({ phase, done, total })
        if (phase === 'removing') controller.abort(new Error('enough'))
      },
    })
    await expect(ended).rejects.toThrow('enough')
    expect([...phases]).toEqual(['marking', 'checking', 'removing'])
    expect(db.packProgress).toBeUndefined()
    const { removed } = await db.pack(ALL)
    expect(removed).toBeGreaterThan(0)
    expect(removed).toBeLessThan(1200)
    expect(await db.pack(ALL)).toMatchObject({ removed: 0 })
    await db.close()
  })

  test('is refused while another is under way', async () => {
    const { db } = await aDatabaseWithGarbage()
    const first = db.pack(ALL)
    expect(await codeThrownBy(() => db.pack(ALL))).toBe('PERSISTENCE_ALREADY_PACKING')
    expect(await first).toMatchObject({ removed: 3 })
    await db.close()
  })

  test('ends when the database closes', async () => {
    const { db } = await aDatabaseWithGarbage()
    const pack = codeThrownBy(() => db.pack(ALL))
    await db.close()
    expect(await pack).toBe('STORAGE_CLOSED')
    expect(await codeThrownBy(() => db.pack(ALL))).toBe('STORAGE_CLOSED')
  })

  test('without history, `before` is refused', async () => {
    const db = await aDatabase()
    const packed = () => db.pack({ before: new Date(0) })
    expect(await codeThrownBy(packed)).toBe('STORAGE_HISTORY_UNAVAILABLE')
    await db.close()
  })
})

describe('A transaction beside a pack', () => {
  test('that refers to an object before its removal keeps it, and all that hangs on it', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const found = connection.get(dropped[0] as Oid)
    connection.rootMapping.set('again', found)
    const seen: string[] = []
    let committed: Promise<unknown> | undefined
    const report = await db.pack({
      ...ALL,
      onProgress: ({ phase }) => void seen.push(phase),
      get signal() {
        // Asked for once, when the pack has begun and nothing is marked yet.
        committed ??= Promise.resolve(transactions.commit())
        return undefined
      },
    })
    await committed
    expect(report.removed).toBe(0)
    expect(dropped.map((oid) => exists(db, oid))).toEqual([true, true, true])
    connection.close()
    await db.close()
  })

  test('that refers to an object after its removal conflicts, and may begin again', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const found = connection.get(dropped[2] as Oid) as Item
    expect(found.title).toBe('')
    ;(connection.rootMapping.get('kept') as Item).links = [found]
    await db.pack(ALL)
    const error = await transactions.commit()?.then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT', retryable: true })
    await transactions.get()?.abort()
    connection.close()
    await db.close()
  })

  test('that writes a removed object conflicts', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const found = connection.get(dropped[1] as Oid) as Item
    found.title = 'changed'
    await db.pack(ALL)
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    await transactions.get()?.abort()
    connection.close()
    await db.close()
  })

  test('that began before goes on reading what was removed', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    await db.pack(ALL)
    await db.storage.checkpoint()
    db.cacheClear()
    expect((connection.get(dropped[0] as Oid) as Item).links).toHaveLength(1)
    await transactions.get()?.abort()
    connection.close()
    await db.close()
  })

  test('that holds a removed object of an earlier one cannot store it', async () => {
    const { db, dropped } = await aDatabaseWithGarbage()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const found = connection.get(dropped[0] as Oid) as Item
    await transactions.get()?.abort()
    await db.pack(ALL)
    transactions.begin()
    ;(connection.rootMapping.get('kept') as Item).links = [found]
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    await transactions.get()?.abort()
    connection.close()
    await db.close()
  })
})

describe('A pack of a database with history', () => {
  async function aDatabaseWithHistory() {
    const db = await aDatabase({ storage: createMemoryStorage({ history: 'all' }) })
    const made = await db.transaction(({ rootMapping, connection }) => {
      const item = new Item()
      rootMapping.set('item', item)
      return connection.add(item)
    })
    const madeAt = db.lastTid
    await db.transaction(({ rootMapping }) => void rootMapping.delete('item'))
    return { db, made, madeAt, droppedAt: db.lastTid }
  }

  test('keeps what can be reached at an instant that can still be read', async () => {
    const { db, made, madeAt } = await aDatabaseWithHistory()
    expect(await db.pack({ ...ALL, before: madeAt })).toMatchObject({ removed: 0 })
    expect(exists(db, made)).toBe(true)
    expect(db.storage.historyFrom).toBe(madeAt)
    await db.close()
  })

  test('removes what cannot, and forgets the transactions before', async () => {
    const { db, made, droppedAt } = await aDatabaseWithHistory()
    expect(await db.pack({ ...ALL, before: droppedAt })).toMatchObject({ removed: 1 })
    expect(exists(db, made)).toBe(false)
    expect(db.storage.historyFrom).toBe(droppedAt)
    await db.close()
  })

  test('forgets all history when nothing else is said', async () => {
    const { db, made, madeAt } = await aDatabaseWithHistory()
    await db.pack(ALL)
    const read = () => db.storage.snapshotAt(madeAt)
    expect(await codeThrownBy(read)).toBe('STORAGE_HISTORY_UNAVAILABLE')
    expect(exists(db, made)).toBe(false)
    await db.close()
  })

  test('takes a time, or an age', async () => {
    const { db, made } = await aDatabaseWithHistory()
    expect(await db.pack({ ...ALL, before: new Date(0) })).toMatchObject({ removed: 0 })
    expect(await db.pack({ ...ALL, before: { ageMs: 3_600_000 } })).toMatchObject({ removed: 0 })
    expect(exists(db, made)).toBe(true)
    expect(await db.pack({ ...ALL, before: { ageMs: -1000 } })).toMatchObject({ removed: 1 })
    await db.close()
  })
})

/** What the item under `0` leads to, itself included, in the order in which it is met. */
function reachedFrom(rootMapping: BTree<string, Persistent>): Item[] {
  const all: Item[] = [rootMapping.get('0') as Item]
  for (const item of all) {
    for (const next of item.links) if (!all.includes(next as Item)) all.push(next as Item)
  }
  return all
}

/** Links one of the items to another, or a new one; or cuts its links. */
function change(
  rootMapping: BTree<string, Persistent>,
  { from, to }: { readonly from: number; readonly to: number | undefined },
): void {
  const all = reachedFrom(rootMapping)
  const item = all[from % all.length] as Item
  item.links = to === undefined ? [] : [...item.links, all[to] ?? new Item()]
  item.title += 'x'
}

const someChanges = fc.array(
  fc.record({ from: fc.nat(9), to: fc.option(fc.nat(9), { nil: undefined, freq: 3 }) }),
  { minLength: 1, maxLength: 25 },
)

describe('A pack of a random history', () => {
  test('leaves every instant as it was that can still be read', async () => {
    await fc.assert(
      fc.asyncProperty(someChanges, fc.nat(), async (changes, where) => {
        const db = await aDatabase({ storage: createMemoryStorage({ history: 'all' }) })
        await db.transaction(({ rootMapping }) => void rootMapping.set('0', new Item()))
        const first = db.lastTid
        for (const one of changes) {
          await db.transaction(({ rootMapping }) => change(rootMapping, one))
        }
        const last = db.lastTid
        const read = (tid: number): Promise<string[]> =>
          db.at(tid as Tid, ({ rootMapping }) => reachedFrom(rootMapping).map(({ title }) => title))
        const before = first + (where % (last - first + 1))
        const expected: string[][] = []
        for (let tid = before; tid <= last; tid++) expected.push(await read(tid))
        await db.pack({ ...ALL, before: before as Tid })
        await db.storage.checkpoint()
        db.cacheClear()
        const found: string[][] = []
        for (let tid = before; tid <= last; tid++) found.push(await read(tid))
        expect(found).toEqual(expected)
        await db.close()
      }),
      { numRuns: 60 },
    )
  })
})

describe('Packs beside random commits', () => {
  test('never lose what the root leads to, and leave nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ from: fc.nat(9), to: fc.option(fc.nat(9), { nil: undefined, freq: 3 }) }),
            fc.constant('pack' as const),
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const db = await aDatabase()
          const packs: Promise<unknown>[] = []
          await db.transaction(({ rootMapping }) => void rootMapping.set('0', new Item()))
          for (const step of steps) {
            if (step === 'pack') {
              packs.push(db.pack(ALL).catch(() => undefined))
              await new Promise(setImmediate)
            } else await db.transaction(({ rootMapping }) => change(rootMapping, step))
          }
          await Promise.all(packs)
          await db.pack(ALL)
          db.cacheClear()
          const reached = await db.view(({ rootMapping }) => reachedFrom(rootMapping).length)
          const { objects, removed } = await db.pack(ALL)
          expect([objects, removed]).toEqual([reached + 1, 0]) // and the root mapping
          await db.close()
        },
      ),
      { numRuns: 40 },
    )
  })
})
