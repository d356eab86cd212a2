import { describe, expect, test } from '@jest/globals'
import { MemoryLevel } from 'memory-level'
import {
  createMemoryDatabase,
  type LevelDatabase,
  LevelStorage,
  toTid,
} from '../../lib/storage/index.js'
import { transactionKeys } from '../../lib/storage/key-space.js'
import { aCommit, codeThrownBy, errorOf } from '../support/storage-builders.js'

/** A database whose next batches fail, written all the same or not. */
class FailingLevel extends MemoryLevel<Buffer, Buffer> {
  failure: Error | undefined
  writesAllTheSame = false

  constructor() {
    super({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
  }

  async _batch(operations: unknown, options: unknown): Promise<void> {
    if (this.failure === undefined || this.writesAllTheSame)
      await superBatch.call(this, operations, options)
    if (this.failure !== undefined) throw this.failure
  }
}

const superBatch = (
  MemoryLevel.prototype as unknown as {
    _batch(operations: unknown, options: unknown): Promise<void>
  }
)._batch

function storageOn(database: LevelDatabase): LevelStorage {
  return new LevelStorage({
    location: 'test',
    open: async () => {
      await database.open()
      return database
    },
    close: () => database.close(),
  })
}

async function aFailingStorage(): Promise<{ storage: LevelStorage; database: FailingLevel }> {
  const database = new FailingLevel()
  const storage = storageOn(database)
  await storage.open()
  await storage.write([aCommit(1, [0])], 'sync')
  return { storage, database }
}

const levelError = (message: string): Error =>
  Object.assign(new Error(message), { code: 'LEVEL_IO_ERROR' })

describe('A write that fails', () => {
  test('leaves the outcome unknown, names the commits, and keeps the cause', async () => {
    const { storage, database } = await aFailingStorage()
    database.failure = levelError('IO error: 000005.log: Input/output error')
    const error = await errorOf(() => storage.write([aCommit(2, [0]), aCommit(3, [0])], 'sync'))
    expect(error).toMatchObject({
      code: 'STORAGE_OUTCOME_UNKNOWN',
      retryable: false,
      cause: database.failure,
      details: { first: '0000000000000002', last: '0000000000000003', diskFull: false },
    })
    expect(error.message).toMatch(/0000000000000002 to 0000000000000003.*open the storage again/)
  })

  test('on a full disk says so', async () => {
    const { storage, database } = await aFailingStorage()
    database.failure = levelError('IO error: 000005.log: No space left on device')
    const error = await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))
    expect(error).toMatchObject({ code: 'STORAGE_OUTCOME_UNKNOWN', details: { diskFull: true } })
    expect(error.message).toMatch(/disk is full/)
  })

  test('closes the storage to writes and new snapshots; what was read before stays readable', async () => {
    const { storage, database } = await aFailingStorage()
    const snapshot = storage.snapshot()
    database.failure = levelError('IO error')
    database.writesAllTheSame = true
    await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))
    database.failure = undefined

    const refused = await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))
    expect(refused).toMatchObject({
      code: 'STORAGE_CLOSED',
      cause: { code: 'STORAGE_OUTCOME_UNKNOWN' },
    })
    expect(await codeThrownBy(() => storage.snapshot())).toBe('STORAGE_CLOSED')
    expect(snapshot.tid).toBe(1)
    expect(storage.lastTid).toBe(1)
    expect(storage.transactionRow(toTid(1))?.tid).toBe(1)
    expect(storage.transactionRow(toTid(2))).toBeUndefined()
  })

  test.each([true, false])('is decided by the next open: it was written: %p', async (written) => {
    const { storage, database } = await aFailingStorage()
    database.failure = levelError('IO error')
    database.writesAllTheSame = written
    await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))
    database.failure = undefined
    await storage.close()
    const next = storageOn(database)
    await next.open()
    expect(next.lastTid).toBe(written ? 2 : 1)
  })
})

describe('A storage on any database', () => {
  test('is opened once', async () => {
    const storage = storageOn(createMemoryDatabase())
    const opening = storage.open()
    expect(await codeThrownBy(() => storage.open())).toMatch(/InvariantError/)
    await opening
  })

  test('closed while it opens is closed once it has opened', async () => {
    const database = createMemoryDatabase()
    const storage = storageOn(database)
    const opening = storage.open()
    await storage.close()
    await opening
    expect(storage.isOpen).toBe(false)
    expect(database.status).toBe('closed')
  })

  test('says which row of a transaction is damaged', async () => {
    const database = createMemoryDatabase()
    const storage = storageOn(database)
    await storage.open()
    await storage.write([aCommit(1, [0])], 'sync')
    await database.put(transactionKeys.encode(toTid(1)), Buffer.from('damaged'))
    const error = await errorOf(() => storage.transactionRow(toTid(1)))
    expect(error).toMatchObject({
      code: 'STORAGE_CORRUPT_RECORD',
      details: { tid: '0000000000000001' },
    })
  })
})
