import { describe, expect, jest, test } from '@jest/globals'
import { CommitDirectory } from '../../lib/storage/commit-directory.js'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { createMemoryStorage, nextLink, toOid, toTid } from '../../lib/storage/index.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit } from '../support/storage-builders.js'

describe('The directory of a commit', () => {
  const link = nextLink({ tid: toTid(1), link: nextLink(undefined) })

  test('has the links of its row, and no states', () => {
    const row = CommitRow.encode(
      aCommit(1, [3, 5], { state: 'x'.repeat(5000) }),
      NO_POSITION,
      () => link,
    )
    const directory = new CommitDirectory(row)
    expect([3, 5, 6].map((oid) => directory.has(toOid(oid)))).toEqual([true, true, false])
    expect(directory.linkOf(toOid(5))).toEqual(link)
    expect(directory.linkOf(toOid(6))).toBeUndefined()
    expect(directory.byteLength).toBeLessThan(500)
  })

  test('has no links where the commit was made without history', () => {
    const directory = new CommitDirectory(CommitRow.encode(aCommit(1, [3]), NO_POSITION, undefined))
    expect([directory.has(toOid(3)), directory.linkOf(toOid(3))]).toEqual([true, undefined])
  })
})

test('Many objects are read as they were long ago without reading large commits again and again', async () => {
  const storage = createMemoryStorage({ history: 'all' })
  await storage.open()
  const oids = Array.from({ length: 40 }, (_, oid) => oid)
  // Sixteen commits are more than the rows that are remembered.
  for (let tid = 1; tid <= 16; tid++) {
    await storage.write([aCommit(tid, oids, { state: `${tid} `.repeat(5000) })], 'relaxed')
  }
  await storage.checkpoint()
  const decode = jest.spyOn(CommitRow, 'decode')
  const snapshot = storage.snapshotAt(toTid(2))
  for (const oid of oids) expect(snapshot.load(toOid(oid))?.tid).toBe(2)
  expect(decode.mock.calls.length).toBeLessThan(20)
  decode.mockRestore()
  await storage.close()
})
