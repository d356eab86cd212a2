import { describe, expect, test } from '@jest/globals'
import { type ObjectDatabase, PersistentList } from '../../lib/persistence/index.js'
import { aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

type Items = PersistentList<unknown>
const listOf = ({ rootMapping }: { rootMapping: { get(key: string): unknown } }): Items =>
  rootMapping.get('list') as Items

async function aDatabaseWithList(...items: unknown[]): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => {
    rootMapping.set('list', new PersistentList(items))
  })
  return db
}

describe('PersistentList', () => {
  test('is changed as an array is', () => {
    const list = new PersistentList(['b'])
    expect([list.push('c', 'd'), list.unshift('a'), list.length]).toEqual([3, 4, 4])
    expect([list.pop(), list.shift(), [...list]]).toEqual(['d', 'a', ['b', 'c']])
    expect([list.splice(1, 1, 'x', 'y'), [...list]]).toEqual([['c'], ['b', 'x', 'y']])
    expect([list.splice(1), [...list]]).toEqual([['x', 'y'], ['b']])
    expect([...list.set(0, 'z').set(-1, 'q')]).toEqual(['q'])
    list.push('a', 'm')
    expect([[...list.sort()], [...list.reverse()]]).toEqual([
      ['a', 'm', 'q'],
      ['q', 'm', 'a'],
    ])
    expect([...list.sort((one, other) => (one < other ? -1 : 1))]).toEqual(['a', 'm', 'q'])
    list.clear()
    expect([list.length, list.pop(), list.shift()]).toEqual([0, undefined, undefined])
  })

  test('is read as an array is', () => {
    const list = new PersistentList([3, 1, 2])
    expect([list.at(0), list.at(-1), list.at(9)]).toEqual([3, 2, undefined])
    expect([[...list.keys()], [...list.values()], [...list.entries()].at(-1)]).toEqual([
      [0, 1, 2],
      [3, 1, 2],
      [2, 2],
    ])
    expect([list.includes(1), list.indexOf(2), list.indexOf(9)]).toEqual([true, 2, -1])
    expect([list.find((n) => n < 3), list.findIndex((n) => n < 3)]).toEqual([1, 1])
    expect([list.some((n) => n > 2), list.every((n) => n > 2)]).toEqual([true, false])
    expect([list.filter((n) => n > 1), list.map((n, at) => n * at)]).toEqual([
      [3, 2],
      [0, 1, 4],
    ])
    expect([list.reduce((sum, n) => sum + n, 0), list.join('-'), list.slice(1)]).toEqual([
      6,
      '3-1-2',
      [1, 2],
    ])
    const visited: number[] = []
    list.forEach((n, at) => {
      visited.push(n, at)
    })
    expect(visited).toEqual([3, 0, 1, 1, 2, 2])
  })

  test('survives the disk, and its items notice their changes', async () => {
    const db = await aDatabaseWithList({ phones: ['1'] })
    await db.transaction((context) => {
      ;(listOf(context).at(0) as { phones: string[] }).phones.push('2')
      listOf(context).push('last')
    })
    db.cacheClear()
    expect(await db.view((context) => listOf(context).slice())).toEqual([
      { phones: ['1', '2'] },
      'last',
    ])
  })

  test('what changes nothing writes nothing', async () => {
    const db = await aDatabaseWithList(1, 2)
    const { lastTid } = db
    await db.transaction(async (context) => {
      const list = listOf(context)
      list.set(0, 1).sort()
      list.push()
      list.unshift()
      expect([list.splice(2, 1), list.splice(0, 0)]).toEqual([[], []])
    })
    expect(db.lastTid).toBe(lastTid)
  })

  test.each([2, -3, 0.5, Number.NaN])('there is no item %d of two to replace', async (index) => {
    const list = new PersistentList([1, 2])
    expect(await codeThrownBy(() => list.set(index, 9))).toBe('PERSISTENCE_INVALID_RANGE')
  })

  test('any two writers conflict', async () => {
    const db = await aDatabaseWithList()
    const writer = (item: number): Promise<void> =>
      db.transaction(async (context) => {
        const list = listOf(context)
        await Promise.resolve()
        list.push(item)
      })
    await Promise.all([1, 2, 3].map(writer))
    expect(db.counters.conflicts).toBeGreaterThan(0)
    expect((await db.view((context) => listOf(context).slice())).sort()).toEqual([1, 2, 3])
  })
})
