import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  BTree,
  difference,
  intersection,
  type KeySequence,
  multiunion,
  symmetricDifference,
  TreeSet,
  union,
  weightedIntersection,
  weightedUnion,
} from '../../../lib/persistence/index.js'
import { aDatabase } from '../../support/persistence-builders.js'
import { codeThrownBy } from '../../support/storage-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

const sorted = (keys: Iterable<number>): number[] => [...new Set(keys)].sort((a, b) => a - b)

describe('Set operations', () => {
  const odd = TreeSet.from([1, 3, 5, 7])
  const few = BTree.from([
    [3, 'three'],
    [4, 'four'],
    [5, 'five'],
  ] as const)

  test.each<[string, KeySequence<number>, number[]]>([
    ['union', union<number>(odd, few), [1, 3, 4, 5, 7]],
    ['intersection', intersection<number>(odd, few), [3, 5]],
    ['difference', difference<number>(odd, few), [1, 7]],
    ['symmetric difference', symmetricDifference<number>(odd, few), [1, 4, 7]],
    ['multiunion', multiunion<number>([odd, few, TreeSet.from([9])]), [1, 3, 4, 5, 7, 9]],
    ['multiunion of none', multiunion<number>([]), []],
    [
      'intersection of a union',
      intersection<number>(union(odd, TreeSet.from([4])), few),
      [3, 4, 5],
    ],
  ])('the %s', (_, keys, expected) => {
    expect([...keys]).toEqual(expected)
  })

  test('equal those of plain sets', () => {
    const keys = fc.uniqueArray(fc.integer({ min: 0, max: 700 }), { maxLength: 400 })
    const sparse = fc.uniqueArray(fc.integer({ min: 0, max: 700 }), { maxLength: 5 })
    const property = fc.property(keys, fc.oneof(keys, sparse), sparse, (a, b, c) => {
      const [one, other, third] = [TreeSet.from(a), TreeSet.from(b), TreeSet.from(c)]
      const [inOne, inOther, inThird] = [new Set(a), new Set(b), new Set(c)]
      expect([...union(one, other)]).toEqual(sorted([...a, ...b]))
      expect([...intersection(one, other)]).toEqual(sorted(a.filter((n) => inOther.has(n))))
      expect([...intersection(other, one)]).toEqual(sorted(b.filter((n) => inOne.has(n))))
      expect([...difference(one, other)]).toEqual(sorted(a.filter((n) => !inOther.has(n))))
      expect([...difference(other, one)]).toEqual(sorted(b.filter((n) => !inOne.has(n))))
      expect([...symmetricDifference(one, other)]).toEqual(
        sorted([...a.filter((n) => !inOther.has(n)), ...b.filter((n) => !inOne.has(n))]),
      )
      expect([...multiunion([one, other, third])]).toEqual(sorted([...a, ...b, ...c]))
      expect([...intersection(union(one, third), difference(other, third))]).toEqual(
        sorted(a.filter((n) => inOther.has(n) && !inThird.has(n))),
      )
      expect([...difference(union(one, other), union(third, other))]).toEqual(
        sorted(a.filter((n) => !inOther.has(n) && !inThird.has(n))),
      )
    })
    fc.assert(property, { seed, numRuns: 60 })
  })

  test('a sparse side leaps over what it does not need', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const many = Array.from({ length: 20_000 }, (_, n) => n)
      rootMapping.set('many', TreeSet.from(many))
      rootMapping.set('few', TreeSet.from([5, 10_000, 19_999]))
    })
    db.cacheClear()
    const before = db.counters.storageReads
    await db.view(({ rootMapping }) => {
      const [many, some] = ['many', 'few'].map((name) => rootMapping.get(name) as TreeSet<number>)
      expect([...intersection(many!, some!)]).toEqual([5, 10_000, 19_999])
      expect([...difference(some!, many!)]).toEqual([])
    })
    expect(db.counters.storageReads - before).toBeLessThan(20)
  })

  test('weights add up', () => {
    const one = BTree.from<string, number>([
      ['a', 1],
      ['b', 2],
    ])
    const other = BTree.from<string, number>([
      ['b', 10],
      ['c', 20],
    ])
    expect([...weightedUnion(one, other, { first: 2 })]).toEqual([
      ['a', 2],
      ['b', 14],
      ['c', 20],
    ])
    expect([...weightedIntersection(one, other, { second: 0.5 })]).toEqual([['b', 7]])
    expect([...weightedUnion<string>(TreeSet.from(['a']), one)]).toEqual([
      ['a', 2],
      ['b', 2],
    ])
  })

  test('what cannot be weighed is refused', async () => {
    const text = BTree.from([['a', 'text']])
    const weigh = (): unknown => [...weightedUnion<string>(text, TreeSet.from(['a']))]
    expect(await codeThrownBy(weigh)).toBe('PERSISTENCE_INVALID_NUMBER')
    const weights = { first: Number.NaN }
    expect(await codeThrownBy(() => weightedUnion<string>(text, text, weights))).toBe(
      'PERSISTENCE_INVALID_NUMBER',
    )
  })
})
