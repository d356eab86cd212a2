import { describe, expect, test } from '@jest/globals'
import {
  createMemoryDatabase,
  type History,
  LevelStorage,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { commitKeys, objectKeys, preservedKeys } from '../../lib/storage/key-space.js'
import { aCommit, codeThrownBy } from '../support/storage-builders.js'

/** What opens its rows again and again; opened, it has all of them in tables, and none in logs. */
async function sessions() {
  const database = createMemoryDatabase()
  const open = async (history: History | undefined): Promise<LevelStorage> => {
    const place = {
      location: 'test',
      open: async () => {
        await database.open()
        return database
      },
      close: () => database.close(),
    }
    const storage = new LevelStorage(place, { history })
    await storage.open()
    return storage
  }
  const commits = async (): Promise<number[]> => {
    const keys = await database.keys(commitKeys.range).all()
    return keys.map((key) => commitKeys.decode(key) as number)
  }
  const preserved = async (): Promise<number[][]> => {
    const keys = await database.keys(preservedKeys.range).all()
    return keys.map((key) => Object.values(preservedKeys.decode(key) ?? {}))
  }
  /** With these commits in object rows for good, a session that has just begun. */
  const withCommits = async (
    given: readonly (readonly [oids: number[], removed?: number[]])[],
  ): Promise<LevelStorage> => {
    const storage = await open('all')
    for (const [oids, removed = []] of given) {
      const tid = storage.lastTid + 1
      const commit = { ...aCommit(tid, oids), removed: removed.map(toOid) }
      await storage.write([commit], 'relaxed')
    }
    await storage.close()
    const next = await open('all')
    await next.checkpoint()
    return next
  }
  return { database, open, commits, preserved, withCommits }
}

const textAt = (storage: LevelStorage, tid: number, oid: number): string | undefined => {
  const record = storage.snapshotAt(toTid(tid)).load(toOid(oid))
  return record && String(record.state)
}

describe('Trimming a history', () => {
  test('removes commits, and keeps revisions that were replaced later', async () => {
    const { commits, preserved, withCommits } = await sessions()
    // Object 1 is replaced before, 2 after the oldest commit to be read, 3 never.
    const storage = await withCommits([[[1, 2, 3]], [[1]], [[4]], [[2]]])
    expect(await storage.pruneHistory({ before: toTid(3) })).toEqual({
      historyFrom: 3,
      transactions: 3,
      preserved: 1,
    })
    expect(await commits()).toEqual([4])
    expect(await preserved()).toEqual([[2, 1]])
    expect([1, 2, 3, 4].map((oid) => textAt(storage, 3, oid))).toEqual([
      'state of 2',
      'state of 1',
      'state of 1',
      'state of 3',
    ])
    await storage.close()
  })

  test('lets go what was kept before', async () => {
    const { preserved, withCommits } = await sessions()
    const storage = await withCommits([[[1]], [[2]], [[1]], [[1]]])
    await storage.pruneHistory({ before: toTid(2) })
    expect(await preserved()).toEqual([[1, 1]])
    await storage.pruneHistory({ before: toTid(3) })
    expect(await preserved()).toEqual([[1, 3]])
    await storage.pruneHistory({ before: toTid(4) })
    expect(await preserved()).toEqual([])
    expect(textAt(storage, 4, 1)).toBe('state of 4')
    await storage.close()
  })

  test('forgets removed objects', async () => {
    const { database, withCommits } = await sessions()
    const storage = await withCommits([[[1, 2]], [[], [1]], [[3]]])
    const row = () => database.getSync(objectKeys.encode(toOid(1)))
    expect(row()).toBeDefined()
    await storage.pruneHistory({ before: toTid(2) })
    expect(row()).toBeUndefined()
    expect([textAt(storage, 2, 1), storage.revisions(toOid(1))]).toEqual([undefined, []])
    await storage.write([aCommit(4, [1])], 'sync')
    await storage.checkpoint()
    expect(storage.snapshot().load(toOid(1))?.link?.number).toBe(0)
    await storage.close()
  })

  test('knows a removed object that was written again later', async () => {
    const { preserved, withCommits } = await sessions()
    const storage = await withCommits([[[1]], [[], [1]], [[1]]])
    await storage.pruneHistory({ before: toTid(2) })
    expect(await preserved()).toEqual([[1, 2]])
    expect([textAt(storage, 2, 1), textAt(storage, 3, 1)]).toEqual([undefined, 'state of 3'])
    await storage.close()
  })

  test('works in steps, and goes on where it was interrupted', async () => {
    const { commits, open, withCommits } = await sessions()
    const storage = await withCommits(
      Array.from({ length: 1600 }, (_, index) => [[0, index + 1]] as const) as never,
    )
    const abort = new AbortController()
    const seen: number[] = []
    const prune = (one: LevelStorage, signal?: AbortSignal) =>
      one.pruneHistory({
        before: toTid(1550),
        signal,
        onProgress: ({ transactions }) => {
          seen.push(transactions)
          abort.abort(new Error('enough'))
        },
      })
    expect(await codeThrownBy(() => prune(storage, abort.signal))).toBe('Error: enough')
    expect([storage.historyFrom, (await commits())[0]]).toEqual([1550, 501])
    expect(textAt(storage, 1550, 0)).toBe('state of 1550')
    await storage.close()

    const next = await open(undefined)
    expect(textAt(next, 1550, 0)).toBe('state of 1550')
    expect((await prune(next)).transactions).toBe(1050)
    expect([(await commits())[0], seen]).toEqual([1551, [500, 500, 1000, 1050]])
    await next.close()
  })

  test('that ended removes all it had kept', async () => {
    const { database, commits, open, preserved, withCommits } = await sessions()
    const storage = await withCommits([[[1, 2]], [[1], [2]], [[1]]])
    await storage.pruneHistory({ before: toTid(1) })
    await storage.close()
    const off = await open('off')
    await off.write([aCommit(4, [3])], 'sync')
    await off.checkpoint()
    expect([await preserved(), await commits()]).toEqual([[], [4]])
    expect(database.getSync(objectKeys.encode(toOid(2)))).toBeUndefined()
    await off.close()
  })
})

describe('Trimming the redo log', () => {
  test('also removes what an earlier session left', async () => {
    const { database, commits, open } = await sessions()
    const first = await open(undefined)
    for (let tid = 1; tid <= 5; tid++) await first.write([aCommit(tid, [tid])], 'relaxed')
    await first.close()
    await database.open()
    const leftover = await database.get(commitKeys.encode(toTid(2)))
    await database.close()
    for (let session = 0; session < 2; session++) {
      const next = await open(undefined)
      await next.write([aCommit(next.lastTid + 1, [1])], 'relaxed')
      await next.checkpoint()
      // What is newer than the last session may still be in logs.
      expect(await commits()).toEqual([next.lastTid])
      await database.put(commitKeys.encode(toTid(2)), leftover as Buffer)
      await next.close()
    }
  })
})
