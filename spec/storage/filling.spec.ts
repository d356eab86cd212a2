import { afterEach, describe, expect, test } from '@jest/globals'
import {
  createDirectoryStorage,
  createMemoryStorage,
  type LevelStorage,
  NO_TID,
  type StorageChanges,
  type StorageContents,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import {
  aCommit,
  codeThrownBy,
  copyAsKilled,
  EMPLOYEE,
  errorOf,
  TemporaryDirectories,
} from '../support/storage-builders.js'

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

const record = (oid: number, tid: number) => ({
  oid: toOid(oid),
  tid: toTid(tid),
  classId: 1,
  state: Buffer.from(`${oid} of ${tid}`),
})

async function* oneByOne(changes: readonly StorageChanges[]) {
  yield* changes
}

function contents(changes: readonly StorageChanges[]): StorageContents {
  return {
    databaseId: '00000000-1111-2222-3333-444444444444',
    tid: toTid(9),
    timeMs: 9000,
    highestOid: 77,
    classes: [EMPLOYEE],
    changes: oneByOne(changes),
  }
}

const CHANGES: readonly StorageChanges[] = [
  { records: [record(0, 3), record(1, 4), record(2, 4)] },
  { records: [record(1, 8)], removed: [toOid(2)] },
]

async function opened(storage: LevelStorage): Promise<LevelStorage> {
  await storage.open()
  return storage
}

const tidsIn = async (storage: LevelStorage): Promise<unknown[]> => {
  const found: unknown[] = []
  const snapshot = storage.snapshot()
  for await (const { oid, tid } of snapshot.records()) found.push([oid, tid])
  snapshot.close()
  return found
}

describe('A storage that was filled', () => {
  test('is what it was filled with, and goes on from there', async () => {
    const location = await directories.create()
    let storage = await opened(createDirectoryStorage(location))
    await storage.fill(contents(CHANGES))
    for (let again = 0; again < 2; again++) {
      expect(storage.databaseId).toBe('00000000-1111-2222-3333-444444444444')
      expect([storage.lastTid, storage.highestOid, storage.timeOf(toTid(9))]).toEqual([9, 77, 9000])
      expect(await tidsIn(storage)).toEqual([
        [0, 3],
        [1, 8],
      ])
      await storage.close()
      storage = await opened(createDirectoryStorage(location))
    }
    await storage.write([aCommit(10, [1, 78])], 'sync')
    expect(storage.highestOid).toBe(78)
    await storage.close()
  })

  test('keeps history from then on, where it is asked to', async () => {
    const storage = await opened(createMemoryStorage({ history: 'all' }))
    await storage.fill(contents(CHANGES))
    expect([storage.historyFrom, storage.timeOf(toTid(9))]).toEqual([9, 9000])
    await storage.write([aCommit(10, [1])], 'sync')
    expect(storage.snapshotAt(toTid(9)).load(toOid(1))?.tid).toBe(8)
    expect(storage.revisions(toOid(1)).map(({ tid }) => tid)).toEqual([10, 8])
  })

  test('survives a killed process once it is filled', async () => {
    const [location, copy] = [await directories.create(), await directories.create()]
    const storage = await opened(createDirectoryStorage(location))
    await storage.fill(contents(CHANGES))
    copyAsKilled(location, copy)
    await storage.close()
    const survivor = await opened(createDirectoryStorage(copy))
    expect([survivor.lastTid, (await tidsIn(survivor)).length]).toEqual([9, 2])
    await survivor.close()
  })
})

describe('A storage that was filled in part', () => {
  async function* broken() {
    yield CHANGES[0] as StorageChanges
    throw new Error('the source is gone')
  }

  test('takes no more commits, and cannot be opened again', async () => {
    const location = await directories.create()
    const storage = await opened(createDirectoryStorage(location))
    const filling = () => storage.fill({ ...contents([]), changes: broken() })
    expect(await codeThrownBy(filling)).toBe('Error: the source is gone')
    expect(await codeThrownBy(() => storage.write([aCommit(1, [0])], 'sync'))).toBe(
      'STORAGE_CLOSED',
    )
    await storage.close()
    const error = await errorOf(() => createDirectoryStorage(location).open())
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    expect(error.message).toContain('restore that did not end')
  })
})

describe('Filling', () => {
  test('is refused by a storage that has commits, is read-only, or closed', async () => {
    const storage = await opened(createMemoryStorage())
    await storage.write([aCommit(1, [0])], 'sync')
    expect(await codeThrownBy(() => storage.fill(contents([])))).toBe('STORAGE_NOT_EMPTY')
    await storage.close()
    expect(await codeThrownBy(() => storage.fill(contents([])))).toBe('STORAGE_CLOSED')
  })

  test('with nothing gives the id alone', async () => {
    const storage = await opened(createMemoryStorage())
    const nothing = { ...contents([]), tid: NO_TID, timeMs: Number.NEGATIVE_INFINITY }
    await storage.fill({ ...nothing, highestOid: -1, classes: [] })
    expect(storage.databaseId).toBe('00000000-1111-2222-3333-444444444444')
    await storage.write([aCommit(1, [0])], 'sync')
    expect(storage.lastTid).toBe(1)
  })
})
