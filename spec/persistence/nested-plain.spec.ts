import { describe, expect, test } from '@jest/globals'
import { aDatabaseWithBob, bobOf, ofStoredBob } from '../support/persistence-builders.js'

type Row = { n: number }

describe('An array or plain object inside a stored value', () => {
  test('what splice and shift took out can be read', async () => {
    const db = await aDatabaseWithBob({ data: [{ n: 1 }, { n: 2 }, { n: 3 }] })
    await db.transaction((context) => {
      const rows = bobOf(context).data as Row[]
      expect(rows.shift()).toEqual({ n: 1 })
      expect(rows.splice(0, 1)).toEqual([{ n: 2 }])
      expect(rows.pop()).toEqual({ n: 3 })
      expect(rows.shift()).toBeUndefined()
    })
    expect(await ofStoredBob(db, (bob) => bob.data)).toEqual([])
  })

  test('takes all that a method is given, or nothing', async () => {
    const db = await aDatabaseWithBob({ data: [1] })
    await db.transaction((context) => {
      const data = bobOf(context).data as unknown[]
      expect(() => data.push(2, () => undefined)).toThrow(
        expect.objectContaining({ code: 'PERSISTENCE_UNSTORABLE_VALUE' }),
      )
      expect([...data]).toEqual([1])
    })
    expect(await ofStoredBob(db, ({ data }) => data)).toEqual([1])
  })

  test('an array has no properties but its items', async () => {
    const db = await aDatabaseWithBob({ data: [1] })
    await db.transaction((context) => {
      const data = bobOf(context).data as unknown as Record<string, unknown>
      for (const key of ['name', '01', '-1']) {
        expect(() => {
          data[key] = 1
        }).toThrow(expect.objectContaining({ code: 'PERSISTENCE_UNSTORABLE_VALUE' }))
      }
    })
  })

  test('its methods are for arrays of its kind', async () => {
    const db = await aDatabaseWithBob({ phones: ['1'] })
    await db.transaction((context) => {
      const { push } = bobOf(context).phones
      expect(() => Reflect.apply(push, [], ['2'])).toThrow(TypeError)
    })
  })
})
