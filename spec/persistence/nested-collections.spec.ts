import { describe, expect, test } from '@jest/globals'
import { plain } from '../../lib/persistence/index.js'
import { aDatabaseWithBob, bobOf, ofStoredBob } from '../support/persistence-builders.js'

type Row = { n: number }

describe('A Map or Set inside a stored value', () => {
  test('a change inside each entry of a Map or Set under iteration is stored', async () => {
    const db = await aDatabaseWithBob({
      data: [
        new Map([
          ['a', { n: 1 }],
          ['b', { n: 2 }],
        ]),
        new Set([{ n: 1 }, { n: 2 }]),
      ],
    })
    await db.transaction((context) => {
      const [map, set] = bobOf(context).data as [Map<string, Row>, Set<Row>]
      for (const [, row] of map) row.n *= 10
      for (const row of set) row.n *= 10
    })
    expect(await ofStoredBob(db, (bob) => plain(bob.data))).toEqual([
      new Map([
        ['a', { n: 10 }],
        ['b', { n: 20 }],
      ]),
      new Set([{ n: 10 }, { n: 20 }]),
    ])
  })

  test('iteration over a Map or Set that changes meanwhile follows JavaScript', async () => {
    const entries = [1, 2, 3, 4]
    const visit = (map: Map<number, string>, set: Set<number>): number[] => {
      const seen: number[] = []
      for (const key of map.keys()) {
        seen.push(key)
        if (key === 1) map.delete(3)
        if (key === 4) map.set(5, 'new')
      }
      for (const member of set) {
        seen.push(member)
        if (member === 1) set.delete(3)
        if (member === 4) set.add(5)
      }
      return seen
    }
    const aMap = () => new Map(entries.map((n) => [n, String(n)]))
    const db = await aDatabaseWithBob({ data: [aMap(), new Set(entries)] })
    const expected = visit(aMap(), new Set(entries))
    const seen = await db.transaction((context) => {
      const [map, set] = bobOf(context).data as [Map<number, string>, Set<number>]
      return visit(map, set)
    })
    expect(seen).toEqual(expected)
  })

  test('forEach hands out what can be changed', async () => {
    const db = await aDatabaseWithBob({ data: [new Map([['a', { n: 1 }]]), new Set([{ n: 1 }])] })
    await db.transaction((context) => {
      const [map, set] = bobOf(context).data as [Map<string, Row>, Set<Row>]
      map.forEach((row, key, whole) => {
        expect([key, whole]).toEqual(['a', map])
        row.n = 5
      })
      set.forEach((row) => {
        row.n = 6
      })
    })
    expect(await ofStoredBob(db, (bob) => plain(bob.data))).toEqual([
      new Map([['a', { n: 5 }]]),
      new Set([{ n: 6 }]),
    ])
  })

  test('a Set has the members that it hands out, and has them once', async () => {
    const db = await aDatabaseWithBob({ data: new Set([{ n: 1 }]) })
    await db.transaction((context) => {
      const set = bobOf(context).data as Set<Row>
      const [member] = set
      expect(set.has(member!)).toBe(true)
      set.add(member!)
      expect(set.size).toBe(1)
      member!.n = 2
      expect(set.has(member!)).toBe(true)
      expect(set.delete(member!)).toBe(true)
      expect(set.size).toBe(0)
    })
  })
})
