import { describe, expect, test } from '@jest/globals'
import { aDatabase, aMemoryPlace, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

describe('The packs of a database', () => {
  test('are one at a time, and say how far the running one is', async () => {
    const db = await aDatabase()
    expect(db.packProgress).toBeUndefined()
    const running = db.pack()
    expect(db.packProgress).toEqual({ phase: 'marking', done: 0, total: 0 })
    expect(await codeThrownBy(() => db.pack())).toBe('PERSISTENCE_ALREADY_PACKING')
    await running
    expect(db.packProgress).toBeUndefined()
    await db.pack()
    await db.close()
  })

  test('may follow one that failed', async () => {
    const db = await aDatabase()
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(db.pack({ signal })).rejects.toThrow('enough')
    expect(await db.pack()).toMatchObject({ removed: 0 })
    await db.close()
  })

  test('protect by their youth only objects of this session', async () => {
    const open = aMemoryPlace()
    const db = await open()
    await db.transaction(({ connection }) => void connection.add(new Employee()))
    expect(await db.pack()).toMatchObject({ removed: 0 })
    await db.close()
    const again = await open()
    expect(await again.pack()).toMatchObject({ removed: 1 })
    await again.close()
  })
})
