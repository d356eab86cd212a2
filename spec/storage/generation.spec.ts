import { beforeEach, describe, expect, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { Generation } from '../../lib/storage/generation.js'
import {
  createMemoryDatabase,
  NO_TID,
  nextLink,
  type RevisionLink,
  type StorageRecord,
  type Tid,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { commitKeys, objectKeys, preservedKeys } from '../../lib/storage/key-space.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { encodeRecord, recordBytes } from '../../lib/storage/record.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit, codeThrownBy, errorOf } from '../support/storage-builders.js'

let database = createMemoryDatabase()

beforeEach(async () => {
  database = createMemoryDatabase()
  await database.open()
})

const OID = toOid(7)

function bytesOf(tid: number, link?: RevisionLink): Buffer {
  const record: StorageRecord = {
    oid: OID,
    tid: toTid(tid),
    classId: 1,
    state: Buffer.from(`state of ${tid}`),
    link,
  }
  const bytes = Buffer.alloc(recordBytes(record))
  encodeRecord(bytes, record)
  return bytes
}

/** Revisions 1, 2 … of one object, each where a history of ten commits has it. */
async function aHistory(): Promise<Generation> {
  const overlay = new Overlay(toTid(8))
  let previous: { tid: Tid; link: RevisionLink } | undefined
  let before = NO_POSITION
  for (let tid = 1; tid <= 10; tid++) {
    const link = nextLink(previous)
    const row = CommitRow.encode(aCommit(tid, [OID]), before, () => link)
    before = row.position
    previous = { tid: toTid(tid), link }
    if (tid > 8) overlay.add(row)
    else if (tid === 8) await database.put(objectKeys.encode(OID), bytesOf(8, link))
    else if (tid > 3) await database.put(commitKeys.encode(toTid(tid)), row.bytes)
    else if (tid === 3) await database.put(preservedKeys.encode(OID, toTid(3)), bytesOf(3, link))
  }
  return new Generation(database, overlay)
}

describe('A generation', () => {
  test('finds the revision that was current, wherever it is', async () => {
    const generation = await aHistory()
    const texts = [3, 4, 7, 8, 9, 10].map((tid) =>
      String(generation.recordAt(OID, toTid(tid))?.state),
    )
    expect(texts).toEqual([3, 4, 7, 8, 9, 10].map((tid) => `state of ${tid}`))
    expect(generation.recordAt(toOid(1), toTid(10))).toBeUndefined()
  })

  test('finds the revision that one commit wrote, wherever it is', async () => {
    const generation = await aHistory()
    const tids = [1, 3, 5, 8, 9, 10, 11].map((tid) => generation.revision(OID, toTid(tid))?.tid)
    expect(tids).toEqual([undefined, 3, 5, 8, 9, 10, undefined])
  })

  test('says which revision is missing', async () => {
    const generation = await aHistory()
    const error = await errorOf(() => generation.recordAt(OID, toTid(2)))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD' })
    expect(error.message).toMatch(/revision of transaction 0{15}2 is missing/)
  })

  test('goes back revision by revision, as far as history goes', async () => {
    const generation = await aHistory()
    const third = generation.revision(OID, toTid(3)) as StorageRecord
    const tenth = generation.revision(OID, toTid(10)) as StorageRecord
    expect(generation.revisionBefore(tenth, toTid(3))?.tid).toBe(9)
    expect(generation.revisionBefore(third, toTid(3))).toBeUndefined()
    expect(await codeThrownBy(() => generation.revisionBefore(third, toTid(1)))).toBe(
      'STORAGE_CORRUPT_RECORD',
    )
    const first = { ...third, link: nextLink(undefined) }
    expect(generation.revisionBefore(first, NO_TID)).toBeUndefined()
  })

  test('refuses a record of a commit that is not there', async () => {
    await database.put(objectKeys.encode(OID), bytesOf(8))
    const generation = new Generation(database, new Overlay(toTid(7)))
    expect(await codeThrownBy(() => generation.recordAt(OID, toTid(7)))).toBe(
      'STORAGE_CORRUPT_RECORD',
    )
    expect(generation.recordAt(OID, toTid(8))?.tid).toBe(8)
  })

  test('reads LevelDB as it was when it began', async () => {
    const generation = await aHistory()
    await database.clear()
    expect(generation.recordAt(OID, toTid(4))?.tid).toBe(4)
    expect(generation.commit(toTid(5))?.tid).toBe(5)
  })

  test('remembers commit rows, some', async () => {
    const generation = await aHistory()
    const row = generation.commit(toTid(5))
    expect(generation.commit(toTid(5))).toBe(row)
    expect(generation.commit(toTid(3))).toBeUndefined()
    const large = aCommit(20, [0], { state: 'x'.repeat(3_000_000) })
    for (const tid of [20, 21]) {
      const before = { ...NO_POSITION, tid: toTid(tid - 1), classes: 1 }
      const { bytes } = CommitRow.encode({ ...large, tid: toTid(tid) }, before, undefined)
      await database.put(commitKeys.encode(toTid(tid)), bytes)
    }
    const later = new Generation(database, new Overlay(toTid(30)))
    const [first, second] = [later.commit(toTid(20)), later.commit(toTid(21))]
    expect(later.commit(toTid(21))).toBe(second)
    expect(later.commit(toTid(20))).not.toBe(first)
  })

  test('is let go as often as it is held', async () => {
    const generation = await aHistory()
    generation.hold().letGo()
    expect(generation.recordAt(OID, toTid(8))?.tid).toBe(8)
    generation.letGo()
    expect(() => generation.recordAt(OID, toTid(8))).toThrow(/[Ss]napshot/)
  })
})
