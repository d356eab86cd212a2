import { describe, expect, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { walkCommits } from '../../lib/storage/commit-walk.js'
import { Generation } from '../../lib/storage/generation.js'
import { createMemoryDatabase, toTid } from '../../lib/storage/index.js'
import { commitKeys } from '../../lib/storage/key-space.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit, errorOf } from '../support/storage-builders.js'

/** Commits 3 to 6 in LevelDB, 7 to 9 in the overlay; another row of 7 in LevelDB is on its way. */
async function aGeneration() {
  const database = createMemoryDatabase()
  await database.open()
  const overlay = new Overlay(toTid(6))
  for (let tid = 3; tid <= 9; tid++) {
    const before = { ...NO_POSITION, tid: toTid(tid - 1), classes: 1 }
    const row = CommitRow.encode(aCommit(tid, [tid]), before, undefined)
    if (tid <= 7) await database.put(commitKeys.encode(toTid(tid)), row.bytes)
    if (tid > 6) overlay.add(row)
  }
  return { database, generation: new Generation(database, overlay) }
}

async function walked(
  generation: Generation,
  after: number,
  upTo: number,
  reverse = false,
): Promise<number[]> {
  const tids: number[] = []
  const range = { after: toTid(after), upTo: toTid(upTo), reverse }
  for await (const { tid } of walkCommits(generation, range)) tids.push(tid)
  return tids
}

describe('A walk over commits', () => {
  test('goes from LevelDB into the overlay, and back', async () => {
    const { generation } = await aGeneration()
    expect(await walked(generation, 0, 9)).toEqual([3, 4, 5, 6, 7, 8, 9])
    expect(await walked(generation, 0, 9, true)).toEqual([9, 8, 7, 6, 5, 4, 3])
  })

  test.each([
    [4, 5, [5]],
    [5, 8, [6, 7, 8]],
    [6, 7, [7]],
    [8, 12, [9]],
    [5, 5, []],
    [8, 3, []],
  ])('after %i, up to %i, gives %j', async (after, upTo, tids) => {
    const { generation } = await aGeneration()
    expect(await walked(generation, after, upTo)).toEqual(tids)
    expect(await walked(generation, after, upTo, true)).toEqual([...tids].reverse())
  })

  test('holds its generation until it ends', async () => {
    const { generation } = await aGeneration()
    const walk = walkCommits(generation, { after: toTid(3), upTo: toTid(9) })
    await walk.next()
    generation.letGo()
    await walk.return()
    expect(() => generation.letGo()).toThrow('as often as it is held')
  })

  test('names a row that is damaged', async () => {
    const { database } = await aGeneration()
    await database.put(commitKeys.encode(toTid(4)), Buffer.from('damaged'))
    const generation = new Generation(database, new Overlay(toTid(6)))
    expect(await errorOf(() => walked(generation, 0, 6))).toMatchObject({
      code: 'STORAGE_CORRUPT_RECORD',
      details: { tid: '0000000000000004' },
    })
  })
})
