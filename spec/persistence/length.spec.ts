import { describe, expect, test } from '@jest/globals'
import { Length } from '../../lib/persistence/index.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

describe('Length', () => {
  test('counts', () => {
    const length = new Length(5)
    expect([length.change(2), length.change(-4), length.value]).toEqual([7, 3, 3])
    length.set(10)
    expect(length.value).toBe(10)
    expect(new Length().value).toBe(0)
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, '1' as never, undefined as never])(
    '%p is refused',
    async (value) => {
      const length = new Length()
      expect(await codeThrownBy(() => length.set(value))).toBe('PERSISTENCE_INVALID_NUMBER')
      expect(await codeThrownBy(() => length.change(value))).toBe('PERSISTENCE_INVALID_NUMBER')
      expect(length.value).toBe(0)
    },
  )

  test('the difference of both changes counts', () => {
    const states = { old: { count: 10 }, saved: { count: 13 }, wanted: { count: 9 } }
    expect(Length.resolveConflict(states)).toEqual({ count: 12 })
  })

  test('many transactions change it at once, without a conflict', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('length', new Length()))
    const change = (by: number): Promise<void> =>
      db.transaction(async ({ rootMapping }) => {
        await Promise.resolve()
        ;(rootMapping.get('length') as Length).change(by)
      })
    await Promise.all(Array.from({ length: 20 }, (_, by) => change(by)))
    db.cacheClear()
    expect(await db.view(({ rootMapping }) => (rootMapping.get('length') as Length).value)).toBe(
      190,
    )
    expect(db.counters.conflicts).toBe(0)
  })

  test('a change by nothing writes nothing', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('length', new Length(3)))
    const { lastTid } = db
    await db.transaction(({ rootMapping }) => {
      const length = rootMapping.get('length') as Length
      length.change(0)
      length.set(3)
    })
    expect(db.lastTid).toBe(lastTid)
  })
})
