import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase, toOid } from '../../lib/storage/index.js'
import { LAST_KEY } from '../../lib/storage/key-space.js'
import { LevelSnapshot } from '../../lib/storage/level-snapshot.js'
import { errorOf } from '../support/storage-builders.js'

async function anOpenDatabase(): Promise<ReturnType<typeof createMemoryDatabase>> {
  const database = createMemoryDatabase()
  await database.open()
  return database
}

describe('A snapshot of LevelDB', () => {
  test('tells once that it was closed', async () => {
    let closed = 0
    const snapshot = new LevelSnapshot(await anOpenDatabase(), () => {
      closed++
    })
    snapshot.close()
    snapshot.close()
    expect(closed).toBe(1)
  })

  test('says which object LevelDB cannot read', async () => {
    const database = await anOpenDatabase()
    const snapshot = new LevelSnapshot(database, () => undefined)
    const cause = Object.assign(new Error('bad block'), { code: 'LEVEL_CORRUPTION' })
    database.getSync = () => {
      throw cause
    }
    const error = await errorOf(() => snapshot.load(toOid(5)))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD', cause })
    expect(error.message).toMatch(/oid 0{15}5/)
  })

  test('cannot be taken of a database whose last row is damaged', async () => {
    const database = await anOpenDatabase()
    await database.put(LAST_KEY, Buffer.from('damaged'))
    const error = await errorOf(() => new LevelSnapshot(database, () => undefined))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT' })
    await database.close()
  })
})
