import { describe, expect, test } from '@jest/globals'
import { MemoryLevel } from 'memory-level'
import {
  createMemoryDatabase,
  type LevelDatabase,
  LevelStorage,
  type LevelStorageOptions,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { CHECKPOINT_KEY, commitKeys, objectKeys } from '../../lib/storage/key-space.js'
import { aCommit, codeThrownBy, errorOf } from '../support/storage-builders.js'

type Write = (...given: unknown[]) => Promise<void>
const { _batch: reallyBatch, _put: reallyPut } = MemoryLevel.prototype as unknown as {
  _batch: Write
  _put: Write
}

/** A database whose next writes fail, written all the same or not. */
class FailingLevel extends MemoryLevel<Buffer, Buffer> {
  failure: Error | undefined
  writesAllTheSame = false
  /** How many writes succeed before the failure counts. */
  spared = 0

  constructor() {
    super({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
  }

  _batch(...given: unknown[]): Promise<void> {
    return this.#failing(reallyBatch, given)
  }

  _put(...given: unknown[]): Promise<void> {
    return this.#failing(reallyPut, given)
  }

  async #failing(write: Write, given: unknown[]): Promise<void> {
    const fails = this.failure !== undefined && this.spared-- <= 0
    if (!fails || this.writesAllTheSame) await write.apply(this, given)
    if (fails) throw this.failure
  }
}

function storageOn(database: LevelDatabase, options: LevelStorageOptions = {}): LevelStorage {
  return new LevelStorage(
    {
      location: 'test',
      open: async () => {
        await database.open()
        return database
      },
      close: () => database.close(),
    },
    options,
  )
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

  test('closes the storage to writes; what was acknowledged stays readable', async () => {
    const { storage, database } = await aFailingStorage()
    const before = storage.snapshot()
    database.failure = levelError('IO error')
    database.writesAllTheSame = true
    await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))
    database.failure = undefined

    for (const call of [
      () => storage.write([aCommit(2, [0])], 'sync'),
      () => storage.checkpoint(),
      () => storage.pruneHistory({ before: toTid(1) }),
    ]) {
      expect(await errorOf(call)).toMatchObject({
        code: 'STORAGE_CLOSED',
        cause: { code: 'STORAGE_OUTCOME_UNKNOWN' },
      })
    }
    for (const snapshot of [before, storage.snapshot()]) {
      expect([snapshot.tid, snapshot.load(toOid(0))?.tid]).toEqual([1, 1])
    }
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

describe('A checkpoint that fails', () => {
  test('says so; no commit is lost, and no more are taken', async () => {
    const { storage, database } = await aFailingStorage()
    database.failure = levelError('IO error: 000005.log: No space left on device')
    const error = await errorOf(() => storage.checkpoint())
    expect(error).toMatchObject({
      code: 'STORAGE_CHECKPOINT_FAILED',
      cause: database.failure,
      details: { diskFull: true },
    })
    expect(error.message).toMatch(/Every acknowledged commit is on disk.*make room/)
    database.failure = undefined
    expect(await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))).toMatchObject({
      code: 'STORAGE_CLOSED',
      cause: error,
    })
    expect(storage.snapshot().load(toOid(0))?.tid).toBe(1)
    await storage.close()
    const next = storageOn(database)
    await next.open()
    expect(next.snapshot().load(toOid(0))?.tid).toBe(1)
    await next.write([aCommit(2, [0])], 'sync')
  })

  test('by itself, is told to the next write', async () => {
    const database = new FailingLevel()
    const storage = storageOn(database, { checkpointBytes: 1 })
    await storage.open()
    database.failure = levelError('IO error')
    database.spared = 1
    await storage.write([aCommit(1, [0])], 'sync')
    await new Promise(setImmediate)
    expect(await errorOf(() => storage.write([aCommit(2, [0])], 'sync'))).toMatchObject({
      code: 'STORAGE_CLOSED',
      cause: { code: 'STORAGE_CHECKPOINT_FAILED' },
    })
    await storage.close()
  })

  test('at closing, does not keep it from being closed', async () => {
    const { storage, database } = await aFailingStorage()
    database.failure = levelError('IO error')
    await storage.close()
    expect(database.status).toBe('closed')
  })
})

describe.each([true, false])('Whichever write fails, and it was written: %p', (written) => {
  test.each(['all', undefined] as const)(
    'acknowledged commits are there after opening again, none half; history: %p',
    async (history) => {
      for (let nth = 0; nth < 40; nth++) {
        const database = new FailingLevel()
        const options = { history, checkpointBytes: 1000, writeBufferBytes: 500 }
        const storage = storageOn(database, options)
        await storage.open()
        Object.assign(database, { failure: levelError('IO error'), writesAllTheSame: written })
        database.spared = nth
        const acknowledged = await commitUntilRefused(storage)
        await storage.close()
        database.failure = undefined

        const next = storageOn(database, options)
        await next.open()
        expect([0, 1]).toContain(next.lastTid - acknowledged)
        const snapshot = next.snapshot()
        for (let oid = 0; oid < 4; oid++) {
          const newest = next.lastTid - ((next.lastTid - oid + 4) % 4)
          const tid = newest < 1 ? undefined : newest
          expect(snapshot.load(toOid(oid))?.tid).toBe(tid)
          expect(snapshot.load(toOid(oid + 4))?.tid).toBe(tid)
        }
        await next.close()
      }
    },
  )
})

/** Tid n writes objects n modulo 4, and that plus 4. @returns the last acknowledged one. */
async function commitUntilRefused(storage: LevelStorage): Promise<number> {
  for (let tid = 1; tid < 100; tid++) {
    try {
      await storage.write([aCommit(tid, [tid % 4, (tid % 4) + 4])], 'sync')
    } catch {
      return tid - 1
    }
    if (tid % 10 === 0) await storage.checkpoint().catch(() => undefined)
  }
  return 99
}

describe('Opening again', () => {
  /** A database that counts the rows that its iterators give. */
  function aCountingDatabase() {
    const database = createMemoryDatabase()
    const counted = { rows: 0 }
    const iterator = database.iterator.bind(database) as (...given: unknown[]) => {
      nextv(size: number): Promise<unknown[]>
    }
    database.iterator = ((...given: unknown[]) => {
      const made = iterator(...given)
      const nextv = made.nextv.bind(made)
      made.nextv = async (size) => {
        const rows = await nextv(size)
        counted.rows += rows.length
        return rows
      }
      return made
    }) as never
    return { database, counted }
  }

  test.each(['all', 'off'] as const)(
    'reads as much, whatever the size of the database; history: %s',
    async (history) => {
      const { database, counted } = aCountingDatabase()
      const options = { history, checkpointBytes: 2000, writeBufferBytes: 2000 }
      const counts: number[] = []
      for (const commits of [100, 1000]) {
        const storage = storageOn(database, options)
        await storage.open()
        for (let tid = storage.lastTid + 1; tid <= commits; tid++) {
          await storage.write([aCommit(tid, [tid])], 'relaxed')
        }
        await storage.close()
        const next = storageOn(database, options)
        counted.rows = 0
        await next.open()
        counts.push(counted.rows)
        expect(next.snapshot().load(toOid(1))?.tid).toBe(1)
        await next.close()
      }
      // What waits for a checkpoint, at most five times what brings one on, and what may be in logs,
      // five write buffers; a commit has 98 bytes.
      expect(Math.max(...counts)).toBeLessThan((5 * 2000 + 5 * 2000) / 98)
    },
  )

  test('what was settled is not read again', async () => {
    const { database, counted } = aCountingDatabase()
    const counts: number[] = []
    for (let session = 0; session < 3; session++) {
      const storage = storageOn(database)
      counted.rows = 0
      await storage.open()
      counts.push(counted.rows)
      if (session === 0) await storage.write([aCommit(1, [0]), aCommit(2, [0])], 'sync')
      await storage.checkpoint()
      await storage.close()
    }
    // The class row; and once the two commits.
    expect(counts).toEqual([0, 3, 1])
  })
})

describe('Commits that come faster than checkpoints are made', () => {
  test('wait for them', async () => {
    const database = new FailingLevel()
    const storage = storageOn(database, { checkpointBytes: 1000 })
    await storage.open()
    for (let tid = 1; tid <= 200; tid++) {
      await storage.write([aCommit(tid, [tid], { state: 'x'.repeat(500) })], 'relaxed')
    }
    const snapshot = storage.snapshot()
    for (let oid = 1; oid <= 200; oid++) expect(snapshot.load(toOid(oid))?.tid).toBe(oid)
    // No more than what waits, what is being written, and one commit are left.
    expect((await rowsFrom(database, commitKeys.range)).length).toBeGreaterThan(0)
    await storage.close()
  })
})

describe('A pause in commits', () => {
  test('brings a checkpoint', async () => {
    const database = createMemoryDatabase()
    const storage = storageOn(database, { idleMs: 1 })
    await storage.open()
    const before = database.getSync(CHECKPOINT_KEY)
    await storage.write([aCommit(1, [0])], 'sync')
    while (database.getSync(CHECKPOINT_KEY)?.equals(before as Buffer)) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    expect(storage.snapshot().load(toOid(0))?.tid).toBe(1)
    await storage.close()
  })
})

async function rowsFrom(database: LevelDatabase, range: object): Promise<unknown[]> {
  return await database.iterator(range).all()
}

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

  test('a damaged object can be written anew', async () => {
    const database = createMemoryDatabase()
    const storage = storageOn(database, { history: 'all' })
    await storage.open()
    await storage.write([aCommit(1, [0])], 'sync')
    await storage.checkpoint()
    await database.put(objectKeys.encode(toOid(0)), Buffer.from('damaged'))
    await storage.write([aCommit(2, [1])], 'sync')
    await storage.checkpoint()
    expect(await codeThrownBy(() => storage.snapshot().load(toOid(0)))).toBe(
      'STORAGE_CORRUPT_RECORD',
    )
    await storage.write([aCommit(3, [0])], 'sync')
    await storage.checkpoint()
    expect(storage.snapshot().load(toOid(0))?.tid).toBe(3)
    await storage.close()
  })
})
