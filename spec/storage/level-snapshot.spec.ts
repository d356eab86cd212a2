import { describe, expect, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { Generation } from '../../lib/storage/generation.js'
import { createMemoryDatabase, NO_TID, toOid, toTid } from '../../lib/storage/index.js'
import { LevelSnapshot } from '../../lib/storage/level-snapshot.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit, errorOf } from '../support/storage-builders.js'

async function aSnapshot() {
  const database = createMemoryDatabase()
  await database.open()
  const overlay = new Overlay(NO_TID)
  overlay.add(CommitRow.encode(aCommit(1, [3]), NO_POSITION, undefined))
  const generation = new Generation(database, overlay)
  const closed: LevelSnapshot[] = []
  const snapshot = new LevelSnapshot(generation, toTid(1), (one) => closed.push(one))
  return { database, generation, snapshot, closed }
}

describe('A snapshot of a generation', () => {
  test('tells once that it was closed, and lets its generation go', async () => {
    const { generation, snapshot, closed } = await aSnapshot()
    snapshot.close()
    snapshot.close()
    expect(closed).toEqual([snapshot])
    generation.letGo()
    expect(() => generation.letGo()).toThrow('as often as it is held')
  })

  test('names itself and what was asked when it is closed', async () => {
    const { snapshot } = await aSnapshot()
    snapshot.close()
    expect((await errorOf(() => snapshot.load(toOid(5)))).message).toMatch(
      /oid 0{15}5 was asked of the snapshot at transaction 0{15}1, which is closed/,
    )
  })

  test('says which object LevelDB cannot read', async () => {
    const { database, snapshot } = await aSnapshot()
    const cause = Object.assign(new Error('bad block'), { code: 'LEVEL_CORRUPTION' })
    database.getSync = () => {
      throw cause
    }
    const error = await errorOf(() => snapshot.load(toOid(5)))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD', cause })
    expect(error.message).toMatch(/oid 0{15}5/)
    expect(snapshot.load(toOid(3))?.tid).toBe(1)
  })

  test('a walk over its records keeps the generation until it ends', async () => {
    const { generation, snapshot } = await aSnapshot()
    const walk = snapshot.records()
    await walk.next()
    snapshot.close()
    generation.letGo()
    await walk.return()
    expect(() => generation.letGo()).toThrow('as often as it is held')
  })
})
