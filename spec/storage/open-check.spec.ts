import { beforeEach, describe, expect, jest, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import {
  createMemoryDatabase,
  createMemoryStorage,
  NO_TID,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import {
  CHECKPOINT_KEY,
  classKeys,
  commitKeys,
  FORMAT_KEY,
  objectKeys,
} from '../../lib/storage/key-space.js'
import { readContents } from '../../lib/storage/open-check.js'
import { encodeRecord, recordBytes } from '../../lib/storage/record.js'
import { decodeCheckpointRow, encodeCheckpointRow } from '../../lib/storage/rows.js'
import { aCommit, errorOf } from '../support/storage-builders.js'

let database = createMemoryDatabase()

beforeEach(async () => {
  database = createMemoryDatabase()
  const storage = createMemoryStorage({ database })
  await storage.open()
  // Object 100 is written by all commits, object n by commit n alone.
  for (let tid = 1; tid <= 9; tid++) await storage.write([aCommit(tid, [tid, 100])], 'relaxed')
  await storage.close()
  await database.open()
})

async function open(): Promise<void> {
  await database.close()
  const storage = createMemoryStorage({ database })
  try {
    await storage.open()
  } finally {
    await storage.close()
    await database.open()
  }
}

const changeCheckpoint = async (change: object): Promise<void> => {
  const row = decodeCheckpointRow((await database.get(CHECKPOINT_KEY))!)
  await database.put(CHECKPOINT_KEY, encodeCheckpointRow({ ...row, ...change }))
}

describe('Opening', () => {
  test.each([
    ['IO error: 000003.log: No space left on device', 'LEVEL_IO_ERROR', 'STORAGE_FULL'],
    ['IO error: 000003.log: Input/output error', 'LEVEL_IO_ERROR', 'STORAGE_DISK_FAILED'],
    ['Corruption: bad block type', 'LEVEL_CORRUPTION', 'STORAGE_CORRUPT'],
  ])('says %s in our words', async (message, code, ours) => {
    const failing = createMemoryDatabase()
    failing.getSync = () => {
      throw Object.assign(new Error(message), { code })
    }
    const storage = createMemoryStorage({ database: failing })
    expect(await errorOf(() => storage.open())).toMatchObject({ code: ours })
    await storage.close()
  })

  test('accepts what was written', async () => {
    await open()
  })

  test('names transactions that are missing', async () => {
    for (const tid of [3, 4, 5, 7]) await database.del(commitKeys.encode(toTid(tid)))
    const error = await errorOf(open)
    expect(error).toMatchObject({
      code: 'STORAGE_CORRUPT',
      details: { missing: ['0000000000000003 to 0000000000000005', '0000000000000007'] },
    })
    expect(error.message).toMatch(
      /missing: 0000000000000003 to 0000000000000005, 0000000000000007.*backup/,
    )
  })

  test.each([1, 9])('notices that transaction %i is missing', async (tid) => {
    await database.del(commitKeys.encode(toTid(tid)))
    expect(await errorOf(open)).toMatchObject({ details: { missing: [`000000000000000${tid}`] } })
  })

  test('does not miss what a checkpoint has allowed to go', async () => {
    await changeCheckpoint({ redoTid: toTid(7) })
    for (let tid = 1; tid <= 7; tid++) await database.del(commitKeys.encode(toTid(tid)))
    await open()
    await database.del(commitKeys.encode(toTid(8)))
    expect(await errorOf(open)).toMatchObject({ details: { missing: ['0000000000000008'] } })
  })

  /** As a process leaves it that is killed after nine relaxed commits without a checkpoint. */
  async function relaxed(): Promise<void> {
    database = createMemoryDatabase()
    const storage = createMemoryStorage({ database })
    await storage.open()
    for (let tid = 1; tid <= 9; tid++) await storage.write([aCommit(tid, [tid, 100])], 'relaxed')
    const rows = await database.iterator().all()
    await storage.close()
    database = createMemoryDatabase()
    await database.open()
    for (const [key, value] of rows) await database.put(key, value)
  }

  async function openAndWarn(): Promise<string[]> {
    const emitted = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    await open()
    const warnings = emitted.mock.calls.map(([warning]) => String(warning))
    emitted.mockRestore()
    return warnings
  }

  test('goes back to the commit before relaxed ones that a power loss took, and says so', async () => {
    await relaxed()
    for (const tid of [4, 5, 7]) await database.del(commitKeys.encode(toTid(tid)))
    const [warning] = await openAndWarn()
    expect(warning).toMatch(/goes on from transaction 0000000000000003.* 3 that came later/)
    expect(await openAndWarn()).toEqual([])
    expect((await database.keys(commitKeys.range).all()).length).toBe(3)
    expect(decodeCheckpointRow((await database.get(CHECKPOINT_KEY))!).position.tid).toBe(3)
    expect(await database.get(objectKeys.encode(toOid(9)))).toBeUndefined()
  })

  test('changes nothing about that when it is for reading', async () => {
    await relaxed()
    await database.del(commitKeys.encode(toTid(4)))
    await database.close()
    const storage = createMemoryStorage({ database, readOnly: true })
    await storage.open()
    expect(storage.lastTid).toBe(3)
    expect(storage.snapshot().load(toOid(100))?.tid).toBe(3)
    await storage.close()
    await database.open()
    expect((await database.keys(commitKeys.range).all()).length).toBe(8)
  })

  test('does not go back behind a commit that a later one knows to be synced', async () => {
    await relaxed()
    await database.del(commitKeys.encode(toTid(4)))
    await database.put(commitKeys.encode(toTid(10)), await rowKnowing(4))
    expect(await errorOf(open)).toMatchObject({ details: { missing: ['0000000000000004'] } })
  })

  test('does not go back behind a commit that an object row is of', async () => {
    await relaxed()
    await database.put(objectKeys.encode(toOid(4)), recordOf(4))
    await database.del(commitKeys.encode(toTid(4)))
    expect(await errorOf(open)).toMatchObject({ details: { missing: ['0000000000000004'] } })
  })

  /** The row of commit 10. */
  async function rowKnowing(syncedTid: number): Promise<Buffer> {
    const { position } = CommitRow.decode((await database.get(commitKeys.encode(toTid(9))))!)
    return CommitRow.encode(aCommit(10, [10]), position, undefined, toTid(syncedTid)).bytes
  }

  function recordOf(tid: number): Buffer {
    const record = { oid: toOid(tid), tid: toTid(tid), classId: 1, state: Buffer.from('state') }
    const bytes = Buffer.alloc(recordBytes(record))
    encodeRecord(bytes, record)
    return bytes
  }

  test('takes commits after the last checkpoint', async () => {
    const { position } = decodeCheckpointRow((await database.get(CHECKPOINT_KEY))!)
    await changeCheckpoint({ position: { ...position, tid: toTid(4) } })
    await open()
  })

  test('notices a row that is damaged, or belongs elsewhere', async () => {
    const row = (await database.get(commitKeys.encode(toTid(4))))!
    await database.put(commitKeys.encode(toTid(5)), row)
    expect((await errorOf(open)).message).toMatch(
      /row of transaction 0000000000000005.* belongs to transaction 0000000000000004/,
    )
    const damaged = Buffer.from(row)
    damaged[4]! ^= 1
    await database.put(commitKeys.encode(toTid(5)), damaged)
    expect((await errorOf(open)).message).toMatch(
      /row of transaction 0000000000000005 cannot be read/,
    )
    await database.put(commitKeys.encode(toTid(5)), (await database.get(classKeys.encode(1)))!)
    expect(await errorOf(open)).toMatchObject({ code: 'STORAGE_CORRUPT' })
  })

  test.each([CHECKPOINT_KEY, FORMAT_KEY])(
    'notices that row %# of its own is missing',
    async (key) => {
      await database.del(key)
      expect(await errorOf(open)).toMatchObject({ code: 'STORAGE_CORRUPT' })
    },
  )

  test('notices a checkpoint row that is damaged', async () => {
    await database.put(CHECKPOINT_KEY, Buffer.from('damaged'))
    expect((await errorOf(open)).message).toMatch(/checkpoint row cannot be read.*backup/)
  })

  test('heals objects that are older than the transactions that wrote them, or missing', async () => {
    const older = (await database.get(objectKeys.encode(toOid(5))))!
    await database.put(objectKeys.encode(toOid(100)), older)
    await database.del(objectKeys.encode(toOid(2)))
    await database.close()
    const storage = createMemoryStorage({ database })
    await storage.open()
    for (let again = 0; again < 2; again++) {
      const snapshot = storage.snapshot()
      expect([snapshot.load(toOid(100))?.tid, snapshot.load(toOid(2))?.tid]).toEqual([9, 2])
      await storage.checkpoint()
    }
    await storage.close()
    await database.open()
    expect(await database.get(objectKeys.encode(toOid(2)))).toBeDefined()
  })

  describe('after a session of LevelDB', () => {
    const read = (wholeSession: number | undefined, readOnly = false) =>
      readContents(database, {
        location: 'memory',
        history: undefined,
        readOnly,
        syncedTid: NO_TID,
        session: 8,
        wholeSession,
      })
    const storedRow = () => decodeCheckpointRow(database.getSync(CHECKPOINT_KEY)!)

    beforeEach(async () => {
      const { position } = storedRow()
      await changeCheckpoint({ session: 7, position: { ...position, tid: toTid(4) } })
    })

    test('of which nothing is missing reads the commits after the checkpoint alone', async () => {
      await database.del(commitKeys.encode(toTid(3)))
      const { overlay, checkpoint, position } = await read(7)
      expect(overlay).toMatchObject({ after: 4, lastTid: 9 })
      expect([checkpoint.redoTid, position.tid]).toEqual([0, 9])
    })

    test('that was another one, or of which something is missing, reads those after the redo tid', async () => {
      for (const session of [6, undefined]) {
        expect((await read(session)).overlay).toMatchObject({ after: 0, lastTid: 9 })
        expect(storedRow().session).toBe(7)
      }
      await database.del(commitKeys.encode(toTid(3)))
      expect(await errorOf(() => read(6))).toMatchObject({ code: 'STORAGE_CORRUPT' })
    })

    test('of which nothing is missing says the same of this one, unless it is for reading', async () => {
      await read(7, true)
      expect(storedRow().session).toBe(7)
      const { checkpoint } = await read(7)
      expect([checkpoint.session, storedRow()]).toEqual([8, checkpoint])
    })
  })

  test('lets an object row with flipped bytes pass: reading it says so', async () => {
    const record = (await database.get(objectKeys.encode(toOid(100))))!
    record[25]! ^= 1
    await database.put(objectKeys.encode(toOid(100)), record)
    await open()
  })

  test('notices class rows that are missing or damaged, unless commits have them', async () => {
    const row = (await database.get(classKeys.encode(1)))!
    await database.del(classKeys.encode(1))
    await open()
    await changeCheckpoint({ redoTid: toTid(1) })
    expect((await errorOf(open)).message).toMatch(/row of class 1 is missing/)
    await database.put(classKeys.encode(2), row)
    expect((await errorOf(open)).message).toMatch(/row of class 2 is another's/)
  })

  test('notices keys that nobody wrote', async () => {
    await database.put(Buffer.from([3, 255, 255, 255, 255, 0, 0, 0, 0]), Buffer.alloc(0))
    expect((await errorOf(open)).message).toMatch(/a transaction has the key 03ffffffff00000000/)
  })

  test('history begins again after what was written without it', async () => {
    const sessions = [
      { history: 'all', upTo: 11, from: 9 },
      { history: 'off', upTo: 12, from: undefined },
      { history: undefined, upTo: 13, from: 12 },
    ] as const
    for (const { history, upTo, from } of sessions) {
      await database.close()
      const storage = createMemoryStorage({ database, history })
      await storage.open()
      expect(storage.historyFrom).toBe(from)
      for (let tid = storage.lastTid + 1; tid <= upTo; tid++) {
        await storage.write([aCommit(tid, [100])], 'relaxed')
      }
      // Killed before any checkpoint: the checkpoint row still says that history is kept.
      const rows = await database.iterator().all()
      await storage.close()
      database = createMemoryDatabase()
      await database.open()
      for (const [key, value] of rows) await database.put(key, value)
    }
  })
})
