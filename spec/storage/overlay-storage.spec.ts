import { afterEach, describe, expect, test } from '@jest/globals'
import {
  createMemoryDatabase,
  createMemoryStorage,
  createOverlayStorage,
  type Storage,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { describeStorage } from '../contracts/storage-contract.js'
import { contentsOf, headOf } from '../support/backup-builders.js'
import { aDatabase, bobOf, Employee } from '../support/persistence-builders.js'
import { aCommit, codeThrownBy, METADATA } from '../support/storage-builders.js'

let emptyBase = createMemoryDatabase()
let database = createMemoryDatabase()

describeStorage('An overlay', {
  keepsAllHistory: true,
  factory: {
    create: async ({ readOnly = false } = {}) =>
      createOverlayStorage(createMemoryStorage({ database: emptyBase }), {
        changes: createMemoryStorage({ database, readOnly, history: 'all' }),
      }),
    clear: async () => {
      emptyBase = createMemoryDatabase()
      database = createMemoryDatabase()
    },
  },
})

const open: Storage[] = []
afterEach(async () => {
  for (const storage of open.splice(0).reverse()) await storage.close()
})

async function opened<T extends Storage>(storage: T): Promise<T> {
  await storage.open()
  open.push(storage)
  return storage
}

/** Commit `tid`, at `tid` seconds. */
async function commit(
  storage: Storage,
  oids: readonly number[],
  removed: readonly number[] = [],
): Promise<void> {
  const tid = storage.lastTid + 1
  const metadata = { ...METADATA, timeMs: tid * 1000 }
  await storage.write(
    [{ ...aCommit(tid, oids, { metadata }), removed: removed.map(toOid) }],
    'sync',
  )
}

async function aBase(history: 'all' | 'off' = 'off'): Promise<Storage> {
  const base = await opened(createMemoryStorage({ history }))
  await commit(base, [0, 1, 2])
  await commit(base, [1])
  return base
}

const oidsIn = async (storage: Storage): Promise<number[]> =>
  (await tidsIn(storage)).map(([oid]) => oid)

const tidsIn = async (storage: Storage, tid?: number): Promise<[number, number][]> => {
  const snapshot = tid === undefined ? storage.snapshot() : storage.snapshotAt(toTid(tid))
  const found: [number, number][] = []
  for await (const record of snapshot.records()) found.push([record.oid, record.tid])
  snapshot.close()
  return found
}

describe('An overlay over a base', () => {
  test('begins as the base is', async () => {
    const base = await aBase()
    const overlay = await opened(createOverlayStorage(base))
    expect({ ...headOf(overlay), historyFrom: undefined }).toEqual(headOf(base))
    expect(await contentsOf(overlay)).toEqual(await contentsOf(base))
    expect(overlay.historyFrom).toBe(2)
  })

  test('takes commits, and the base stays as it is', async () => {
    const base = await aBase()
    const before = await contentsOf(base)
    const overlay = await opened(createOverlayStorage(base))
    await commit(overlay, [1, 7], [2])
    await commit(overlay, [5])
    for (let again = 0; again < 2; again++) {
      expect(await tidsIn(overlay)).toEqual([
        [0, 1],
        [1, 3],
        [5, 4],
        [7, 3],
      ])
      const snapshot = overlay.snapshot()
      const loaded = [0, 1, 2, 5].map((oid) => snapshot.load(toOid(oid))?.tid)
      snapshot.close()
      expect(loaded).toEqual([1, 3, undefined, 4])
      await overlay.checkpoint()
    }
    expect(overlay.highestOid).toBe(7)
    expect([await contentsOf(base), base.lastTid]).toEqual([before, 2])
  })

  test('does not see what the base commits later', async () => {
    const base = await aBase()
    const overlay = await opened(createOverlayStorage(base))
    await commit(base, [0, 9])
    await base.checkpoint()
    expect(await tidsIn(overlay)).toEqual([
      [0, 1],
      [1, 2],
      [2, 1],
    ])
    await commit(overlay, [0])
    expect(overlay.lastTid).toBe(3)
    expect(overlay.transactionRow(toTid(3))?.oids).toEqual([0])
  })

  test('reads itself as it was, and the base as far as that keeps its history', async () => {
    const base = await aBase('all')
    const overlay = await opened(createOverlayStorage(base))
    await commit(overlay, [1], [2])
    await commit(overlay, [2])
    expect(overlay.historyFrom).toBe(0)
    const all = await Promise.all([1, 2, 3, 4].map((tid) => tidsIn(overlay, tid)))
    expect(all).toEqual([
      [
        [0, 1],
        [1, 1],
        [2, 1],
      ],
      [
        [0, 1],
        [1, 2],
        [2, 1],
      ],
      [
        [0, 1],
        [1, 3],
      ],
      [
        [0, 1],
        [1, 3],
        [2, 4],
      ],
    ])
    const revisions = overlay.revisions(toOid(2)).map(({ tid, removed }) => [tid, removed])
    expect(revisions).toEqual([
      [4, false],
      [3, true],
      [1, false],
    ])
    expect(overlay.revisions(toOid(1), { limit: 2 }).map(({ tid }) => tid)).toEqual([3, 2])
    const loaded = [1, 2, 3].map((tid) => overlay.loadRevision(toOid(1), toTid(tid))?.tid)
    expect(loaded).toEqual([1, 2, 3])
    expect([500, 1500, 2000, 3500, 9000].map((ms) => overlay.tidAt(ms))).toEqual([0, 1, 2, 3, 4])
    expect([1, 2, 3, 4].map((tid) => overlay.timeOf(toTid(tid)))).toEqual([1000, 2000, 3000, 4000])
  })

  test('lists the transactions of both, and gives the commits of both', async () => {
    const overlay = await opened(createOverlayStorage(await aBase('all')))
    await commit(overlay, [1])
    await commit(overlay, [2])
    const tidsOf = async (items: AsyncIterable<{ readonly tid: number }>): Promise<number[]> => {
      const tids: number[] = []
      for await (const { tid } of items) tids.push(tid)
      return tids
    }
    expect(await tidsOf(overlay.transactions())).toEqual([1, 2, 3, 4])
    expect(await tidsOf(overlay.transactions({ reverse: true }))).toEqual([4, 3, 2, 1])
    const part = { after: toTid(1), upTo: toTid(3) }
    expect(await tidsOf(overlay.transactions(part))).toEqual([2, 3])
    expect(await tidsOf(overlay.commits(part))).toEqual([2, 3])
    expect(await tidsOf(overlay.commits())).toEqual([1, 2, 3, 4])
    expect(await tidsOf(overlay.commits({ after: toTid(3) }))).toEqual([4])
    expect(await tidsOf(overlay.commits({ upTo: toTid(2) }))).toEqual([1, 2])
  })

  test('goes on where its changes are kept, though the base went on', async () => {
    const base = await aBase('all')
    const kept = createMemoryDatabase()
    const changes = () => createMemoryStorage({ database: kept, history: 'all' })
    const first = await opened(createOverlayStorage(base, { changes: changes() }))
    await commit(first, [1, 6], [2])
    const before = await contentsOf(first)
    await first.close()
    await commit(base, [0, 1, 2])
    const again = await opened(createOverlayStorage(base, { changes: changes() }))
    expect(await contentsOf(again)).toEqual(before)
    expect(again.lastTid).toBe(3)
  })

  test('can be the base of another, which is dropped alone', async () => {
    const base = await aBase()
    const lower = await opened(createOverlayStorage(base))
    await commit(lower, [3])
    const upper = await opened(createOverlayStorage(lower))
    await commit(upper, [4], [1, 3])
    expect(await oidsIn(upper)).toEqual([0, 2, 4])
    await upper.close()
    expect(await oidsIn(lower)).toEqual([0, 1, 2, 3])
    expect(base.isOpen).toBe(true)
  })

  test('opens its base, and closes it when nobody else has opened it', async () => {
    const base = createMemoryStorage()
    const overlay = createOverlayStorage(base)
    await overlay.open()
    expect(base.isOpen).toBe(true)
    await overlay.close()
    expect(base.isOpen).toBe(false)
  })

  test('refuses changes of another database, and those without history', async () => {
    const base = await aBase()
    const other = await aBase('all')
    const refused = (changes: Storage) =>
      codeThrownBy(() => createOverlayStorage(base, { changes }).open())
    expect(await refused(other)).toBe('STORAGE_NOT_EMPTY')
    expect(await refused(createMemoryStorage())).toBe('STORAGE_HISTORY_UNAVAILABLE')
    expect(base.isOpen).toBe(true)
  })

  test('keeps its history: pruning does nothing', async () => {
    const overlay = await opened(createOverlayStorage(await aBase()))
    await commit(overlay, [0])
    const pruned = await overlay.pruneHistory({ before: toTid(3) })
    expect(pruned).toEqual({ historyFrom: 2, transactions: 0, preserved: 0 })
    expect(await tidsIn(overlay, 2)).toHaveLength(3)
    const prune = () => overlay.pruneHistory({ before: toTid(9) })
    expect(await codeThrownBy(prune)).toBe('STORAGE_HISTORY_UNAVAILABLE')
  })
})

describe('A database in an overlay', () => {
  test('is changed, undone and packed, and the one below is not', async () => {
    const base = createMemoryStorage()
    const below = await aDatabase({ storage: base })
    await below.transaction(({ rootMapping }) => {
      rootMapping.set('bob', new Employee({ title: 'Bob' }))
      rootMapping.set('eve', new Employee({ title: 'Eve' }))
    })
    const db = await aDatabase({ storage: createOverlayStorage(base) })
    await db.transaction((context) => {
      bobOf(context).title = 'Robert'
      context.rootMapping.delete('eve')
      context.rootMapping.set('new', new Employee({ boss: bobOf(context) }))
    })
    const tid = db.lastTid
    await db.pack({ graceMs: 0 })
    await db.view((context) => expect(bobOf(context).title).toBe('Robert'))
    const past = await db.at({ before: tid }, (context) => bobOf(context).title)
    expect(past).toBe('Bob')
    await db.transaction((context) => {
      bobOf(context).title = 'Bobby'
    })
    await db.undo(db.lastTid)
    await db.view((context) => expect(bobOf(context).title).toBe('Robert'))
    await db.close()
    await below.view((context) => {
      expect(bobOf(context).title).toBe('Bob')
      expect([...context.rootMapping.keys()]).toEqual(['bob', 'eve'])
    })
    await below.close()
  })
})
