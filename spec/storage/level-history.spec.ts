import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase, createMemoryStorage, toOid, toTid } from '../../lib/storage/index.js'
import { commitKeys } from '../../lib/storage/key-space.js'
import { aCommit, codeThrownBy, errorOf } from '../support/storage-builders.js'

describe('The history of a storage', () => {
  test('knows when each commit was, and which was the newest at a time', async () => {
    const storage = createMemoryStorage({ history: 'all' })
    await storage.open()
    for (const tid of [1, 2, 3]) {
      const metadata = { ...aCommit(tid, [0]).metadata, timeMs: tid * 100 }
      await storage.write([aCommit(tid, [0], { metadata })], 'sync')
    }
    await storage.checkpoint()
    expect([1, 2, 3].map((tid) => storage.timeOf(toTid(tid)))).toEqual([100, 200, 300])
    expect([100, 250, 999].map((timeMs) => storage.tidAt(timeMs))).toEqual([1, 2, 3])
    expect(storage.revisions(toOid(0), { limit: 2 }).map(({ tid }) => tid)).toEqual([3, 2])
    await storage.close()
  })

  test('says which row of a transaction is damaged', async () => {
    const database = createMemoryDatabase()
    const storage = createMemoryStorage({ database, history: 'all' })
    await storage.open()
    await storage.write([aCommit(1, [0]), aCommit(2, [0])], 'sync')
    await database.put(commitKeys.encode(toTid(1)), Buffer.from('damaged'))
    await storage.checkpoint()
    const walk = async () => {
      for await (const _ of storage.commits());
    }
    for (const call of [
      () => storage.transactionRow(toTid(1)),
      () => storage.loadRevision(toOid(0), toTid(1)),
      () => storage.snapshotAt(toTid(1)).load(toOid(0)),
      walk,
    ]) {
      expect(await errorOf(call)).toMatchObject({
        code: 'STORAGE_CORRUPT_RECORD',
        details: { tid: '0000000000000001' },
      })
    }
    expect(storage.snapshot().load(toOid(0))?.tid).toBe(2)
    await storage.close()
  })

  test('says which transaction is missing', async () => {
    const database = createMemoryDatabase()
    const storage = createMemoryStorage({ database, history: 'all' })
    await storage.open()
    await storage.write([aCommit(1, [0]), aCommit(2, [0]), aCommit(3, [0])], 'sync')
    await database.del(commitKeys.encode(toTid(2)))
    await storage.checkpoint()
    const walk = async () => {
      for await (const _ of storage.commits());
    }
    expect(await errorOf(walk)).toMatchObject({
      code: 'STORAGE_CORRUPT',
      details: { tid: '0000000000000002' },
    })
    expect(await codeThrownBy(() => storage.snapshotAt(toTid(2)).load(toOid(0)))).toBe(
      'STORAGE_CORRUPT_RECORD',
    )
    expect(await codeThrownBy(() => storage.revisions(toOid(0)))).toBe('STORAGE_CORRUPT_RECORD')
    await storage.close()
  })

  test('a walk ends when the storage is closed', async () => {
    const storage = createMemoryStorage()
    await storage.open()
    await storage.write([aCommit(1, [0]), aCommit(2, [0])], 'sync')
    const walk = storage.commits()[Symbol.asyncIterator]()
    await walk.next()
    await storage.close()
    expect(await codeThrownBy(() => walk.next())).toBe('STORAGE_CLOSED')
  })
})
