import { beforeEach, describe, expect, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { Generation } from '../../lib/storage/generation.js'
import {
  createMemoryDatabase,
  NO_TID,
  nextLink,
  type Oid,
  type StorageCommit,
  type Tid,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { classKeys, objectKeys, preservedKeys } from '../../lib/storage/key-space.js'
import { LogAge } from '../../lib/storage/log-age.js'
import { writeObjectRows } from '../../lib/storage/object-rows.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { decodeRecord, encodeRecord, recordBytes } from '../../lib/storage/record.js'
import { NO_POSITION, type Position } from '../../lib/storage/rows.js'
import { WriteBatch } from '../../lib/storage/write-batch.js'
import { aCommit } from '../support/storage-builders.js'

let database = createMemoryDatabase()
let before: Position = NO_POSITION
let batches: WriteBatch[] = []

beforeEach(async () => {
  database = createMemoryDatabase()
  await database.open()
  before = NO_POSITION
  batches = []
})

/** Writes the object rows of commits that follow those of the last call. */
async function written(
  commits: readonly StorageCommit[],
  {
    historyFrom,
    writtenTo = NO_TID,
    upTo = commits[commits.length - 1]!.tid,
    arrived = () => 0,
  }: { historyFrom?: number; writtenTo?: number; upTo?: number; arrived?: () => number } = {},
): Promise<boolean> {
  const overlay = new Overlay(before.tid)
  const generation = new Generation(database, overlay)
  for (const commit of commits) {
    const linkOf = (oid: Oid) => nextLink(generation.recordAt(oid, before.tid))
    const row = CommitRow.encode(commit, before, historyFrom === undefined ? undefined : linkOf)
    overlay.add(row)
    before = row.position
  }
  const wasIntact = await writeObjectRows({
    generation,
    upTo: toTid(upTo),
    writtenTo: toTid(writtenTo),
    historyFrom: historyFrom as Tid | undefined,
    newBatch: () => new WriteBatch(database, new LogAge(1)),
    write: async (batch) => {
      batches.push(batch)
      await batch.write({ sync: false })
    },
    arrived,
  })
  generation.letGo()
  return wasIntact
}

const recordOf = (oid: number) => {
  const bytes = database.getSync(objectKeys.encode(toOid(oid)))
  return bytes === undefined ? undefined : decodeRecord(bytes, toOid(oid))
}

const preserved = async (): Promise<unknown[]> => {
  const keys = await database.keys(preservedKeys.range).all()
  return keys.map((key) => Object.values(preservedKeys.decode(key) ?? {}))
}

describe('The object rows of some commits', () => {
  test('are the newest of each object up to a commit, and of classes', async () => {
    await written([aCommit(1, [1, 2]), aCommit(2, [1]), aCommit(3, [1, 3])], { upTo: 2 })
    expect([1, 2, 3].map((oid) => recordOf(oid)?.tid)).toEqual([2, 1, undefined])
    expect(await database.keys({ lt: Buffer.from([3]) }).all()).toHaveLength(1)
  })

  test('are written in steps', async () => {
    const oids = Array.from({ length: 1000 }, (_, oid) => oid)
    await written([aCommit(1, oids)])
    expect(batches).toHaveLength(4)
    expect(await database.keys(objectKeys.range).all()).toHaveLength(1000)
    await written([aCommit(2, [1, 2, 3], { state: 'x'.repeat(600_000) })])
    expect(batches).toHaveLength(6)
  })

  test('are written in larger steps while commits bring more than a step takes, up to 1 MB', async () => {
    const oids = Array.from({ length: 5000 }, (_, oid) => oid)
    const state = 'x'.repeat(500)
    await written([aCommit(1, oids, { state })], { arrived: () => batches.length * 150_000 })
    const sizes = batches.map(({ bytes }) => Math.round(bytes / 100_000))
    expect(sizes).toEqual([1, 2, 3, 3, 3, 3, 3, 3, 3, 3])
    batches = []
    await written([aCommit(2, oids, { state })], { arrived: () => 1e9 })
    expect(batches.map(({ bytes }) => Math.floor(bytes / 2 ** 20))).toEqual([1, 1, 0])
  })

  test('of removed objects go; with history they say so', async () => {
    await written([aCommit(1, [1, 2])], { historyFrom: 0 })
    await written([{ ...aCommit(2, []), removed: [toOid(1)] }], { historyFrom: 0 })
    expect(recordOf(1)).toMatchObject({ tid: 2, classId: 0, link: { previousTid: 1 } })
    await written([{ ...aCommit(3, []), removed: [toOid(2)] }])
    expect(recordOf(2)).toBeUndefined()
  })

  test('have links only where history is kept', async () => {
    await written([aCommit(1, [1])], { historyFrom: 0 })
    await written([aCommit(2, [2])])
    expect([recordOf(1)?.link?.number, recordOf(2)?.link]).toEqual([0, undefined])
  })

  test('keep the revision that was current when history began, and no other', async () => {
    await written([aCommit(1, [1, 2]), aCommit(2, [1])])
    await written([aCommit(3, [1]), aCommit(4, [1, 2])], { historyFrom: 2 })
    expect(await preserved()).toEqual([
      [1, 2],
      [2, 1],
    ])
    await written([aCommit(5, [1, 2])], { historyFrom: 2 })
    expect(await preserved()).toHaveLength(2)
  })

  test('that were there already stay as they are; lost ones are written again', async () => {
    const commits = [aCommit(1, [1, 2, 4]), { ...aCommit(2, [3]), removed: [toOid(4)] }]
    await written(commits)
    const again = () => {
      before = NO_POSITION
      batches = []
      return written(commits, { writtenTo: 2 })
    }
    expect(await again()).toBe(true)
    expect(batches).toEqual([])
    await database.del(classKeys.encode(1))
    expect(await again()).toBe(false)
    expect(database.getSync(classKeys.encode(1))).toBeDefined()
    await database.del(objectKeys.encode(toOid(2)))
    await database.put(objectKeys.encode(toOid(3)), Buffer.from('damaged'))
    expect(await again()).toBe(false)
    const record = { oid: toOid(4), tid: toTid(1), classId: 1, state: Buffer.alloc(0) }
    const older = Buffer.alloc(recordBytes(record))
    encodeRecord(older, record)
    await database.put(objectKeys.encode(toOid(4)), older)
    expect(await again()).toBe(false)
    expect([1, 2, 3, 4].map((oid) => recordOf(oid)?.tid)).toEqual([1, 1, 2, undefined])
  })
})
