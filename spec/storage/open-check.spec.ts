import { beforeEach, describe, expect, test } from '@jest/globals'
import { createMemoryDatabase, createMemoryStorage, toOid, toTid } from '../../lib/storage/index.js'
import { classKeys, LAST_KEY, objectKeys, transactionKeys } from '../../lib/storage/key-space.js'
import { decodeLastRow, encodeLastRow, encodeTransactionRow } from '../../lib/storage/rows.js'
import { aCommit, errorOf, METADATA } from '../support/storage-builders.js'

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

const changeLast = async (change: object): Promise<void> => {
  const last = decodeLastRow((await database.get(LAST_KEY))!)
  await database.put(LAST_KEY, encodeLastRow({ ...last, ...change }))
}

describe('Opening', () => {
  test.each([
    ['IO error: 000003.log: No space left on device', 'LEVEL_IO_ERROR', 'STORAGE_FULL'],
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
    for (const tid of [3, 4, 5, 7]) await database.del(transactionKeys.encode(toTid(tid)))
    const error = await errorOf(open)
    expect(error).toMatchObject({
      code: 'STORAGE_CORRUPT',
      details: { missing: ['0000000000000007', '0000000000000003 to 0000000000000005'] },
    })
    expect(error.message).toMatch(
      /missing: 0000000000000007, 0000000000000003 to 0000000000000005.*backup/,
    )
  })

  test.each([1, 9])('notices that transaction %i is missing', async (tid) => {
    await database.del(transactionKeys.encode(toTid(tid)))
    expect(await errorOf(open)).toMatchObject({ details: { missing: [`000000000000000${tid}`] } })
  })

  test('notices a transaction newer than the last row', async () => {
    await changeLast({ tid: 8, commits: 8 })
    expect((await errorOf(open)).message).toMatch(/0000000000000009 is newer than its last row/)
  })

  test('notices a count of commits that does not agree', async () => {
    await changeLast({ commits: 8 })
    expect((await errorOf(open)).message).toMatch(/counts 8 commits up to tid 0000000000000009/)
  })

  test('notices a transaction row that is damaged, or belongs elsewhere', async () => {
    const row = (await database.get(transactionKeys.encode(toTid(4))))!
    await database.put(transactionKeys.encode(toTid(5)), row)
    expect((await errorOf(open)).message).toMatch(
      /0000000000000005 belongs to transaction 0000000000000004/,
    )
    row[4]! ^= 1
    await database.put(transactionKeys.encode(toTid(5)), row)
    expect((await errorOf(open)).message).toMatch(
      /row of transaction 0000000000000005 cannot be read/,
    )
  })

  test('notices a transaction row that names too few objects', async () => {
    const row = { ...METADATA, tid: toTid(5), oids: [toOid(5)] }
    await database.put(
      transactionKeys.encode(toTid(5)),
      encodeTransactionRow({ row, records: 2, bytes: 100 }),
    )
    expect((await errorOf(open)).message).toMatch(/names 1 of 2 objects/)
  })

  test('names objects older than the transactions that wrote them, or missing', async () => {
    const older = (await database.get(objectKeys.encode(toOid(100))))!
    const storage = createMemoryStorage({ database })
    await database.close()
    await storage.open()
    await storage.write([aCommit(10, [100])], 'relaxed')
    await storage.close()
    await database.open()
    await database.put(objectKeys.encode(toOid(100)), older)
    await database.del(objectKeys.encode(toOid(2)))
    const error = await errorOf(open)
    expect(error).toMatchObject({
      code: 'STORAGE_CORRUPT',
      details: { oids: ['0000000000000064', '0000000000000002'] },
    })
  })

  test('lets a record with flipped bytes pass: reading it says so', async () => {
    const record = (await database.get(objectKeys.encode(toOid(100))))!
    record[25]! ^= 1
    await database.put(objectKeys.encode(toOid(100)), record)
    await open()
  })

  test('notices class rows that are missing or too many', async () => {
    const row = (await database.get(classKeys.encode(1)))!
    await database.del(classKeys.encode(1))
    expect((await errorOf(open)).message).toMatch(/0 of its 1 class rows/)
    await database.put(classKeys.encode(2), row)
    expect((await errorOf(open)).message).toMatch(/row of class 1 is missing/)
  })

  test('looks no further back than logs can reach', async () => {
    await changeLast({ writeBufferBytes: 100 })
    await database.del(transactionKeys.encode(toTid(1)))
    await open()
    await database.del(transactionKeys.encode(toTid(8)))
    expect(await errorOf(open)).toMatchObject({ code: 'STORAGE_CORRUPT' })
  })
})
