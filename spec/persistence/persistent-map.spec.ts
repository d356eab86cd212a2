import { describe, expect, test } from '@jest/globals'
import { type ObjectDatabase, PersistentMap } from '../../lib/persistence/index.js'
import { aConnection, aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

type Numbers = PersistentMap<string, unknown>
const mapOf = ({ rootMapping }: { rootMapping: { get(key: string): unknown } }): Numbers =>
  rootMapping.get('map') as Numbers

async function aDatabaseWithMap(
  entries: readonly (readonly [string, unknown])[] = [],
): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => {
    rootMapping.set('map', new PersistentMap(entries))
  })
  return db
}

describe('PersistentMap', () => {
  test('is used as a Map', () => {
    const map = new PersistentMap<string, number>([['a', 1]])
    expect(map.set('b', 2).set('c', 3)).toBe(map)
    expect([map.size, map.get('a'), map.get('x'), map.has('c'), map.has('x')]).toEqual([
      3,
      1,
      undefined,
      true,
      false,
    ])
    expect([map.delete('a'), map.delete('a'), map.pop('b'), map.pop('b')]).toEqual([
      true,
      false,
      2,
      undefined,
    ])
    expect([map.getOrInsert('c', 9), map.getOrInsert('d', 4)]).toEqual([3, 4])
    map.update(new Map([['e', 5]]))
    const visited: unknown[] = []
    map.forEach((value, key, whole) => {
      visited.push(key, value, whole === map)
    })
    expect(visited).toEqual(['c', 3, true, 'd', 4, true, 'e', 5, true])
    expect([[...map.keys()], [...map.values()], [...map], [...map.entries()].length]).toEqual([
      ['c', 'd', 'e'],
      [3, 4, 5],
      [
        ['c', 3],
        ['d', 4],
        ['e', 5],
      ],
      3,
    ])
    map.clear()
    expect(map.size).toBe(0)
  })

  test('is one record, and its values notice their changes', async () => {
    const db = await aDatabaseWithMap([
      ['list', [1]],
      ['bob', new Employee({ title: 'bob' })],
    ])
    await db.transaction((context) => {
      ;(mapOf(context).get('list') as number[]).push(2)
    })
    db.cacheClear()
    await db.view((context) => {
      expect(mapOf(context).get('list')).toEqual([1, 2])
      expect((mapOf(context).get('bob') as Employee).title).toBe('bob')
    })
  })

  test('what changes nothing writes nothing', async () => {
    const db = await aDatabaseWithMap([
      ['a', 1],
      ['none', undefined],
      ['list', [1]],
    ])
    const { lastTid } = db
    await db.transaction((context) => {
      const map = mapOf(context)
      map
        .set('a', 1)
        .set('none', undefined)
        .update([['a', 1]])
      map.set('list', map.get('list'))
      expect([map.delete('x'), map.pop('x'), map.getOrInsert('a', 2)]).toEqual([
        false,
        undefined,
        1,
      ])
    })
    expect(db.lastTid).toBe(lastTid)
  })

  test('what cannot be stored is refused', async () => {
    const set = (): unknown => new PersistentMap().set('a', () => 1)
    expect(await codeThrownBy(set)).toBe('PERSISTENCE_UNSTORABLE_VALUE')
  })

  test.each<[string, (map: Numbers) => void, (map: Numbers) => void, unknown]>([
    [
      'new keys',
      (map) => map.set('mine', 1),
      (map) => map.set('theirs', 2),
      { a: 1, b: [1], theirs: 2, mine: 1 },
    ],
    ['a changed and a deleted key', (map) => map.set('a', 2), (map) => map.delete('b'), { a: 2 }],
    [
      'a nested value and another key',
      (map) => (map.get('b') as number[]).push(2),
      (map) => map.set('a', 2),
      { a: 2, b: [1, 2] },
    ],
    [
      'a deleted key and an object',
      (map) => map.delete('a'),
      (map) => map.set('bob', new Employee({ title: 'bob' })),
      { b: [1], bob: 'bob' },
    ],
  ])('writers of %s do not conflict', async (_, mine, theirs, expected) => {
    const db = await aDatabaseWithMap([
      ['a', 1],
      ['b', [1]],
    ])
    expect(await outcomeOf(db, mine, theirs)).toBe('nothing')
    db.cacheClear()
    const found = await db.view((context) =>
      Object.fromEntries(
        [...mapOf(context)].map(([key, value]) => [
          key,
          value instanceof Employee ? value.title : value,
        ]),
      ),
    )
    expect(found).toEqual(expected)
  })

  test.each<[string, (map: Numbers) => void, (map: Numbers) => void]>([
    ['the same new key', (map) => map.set('x', 1), (map) => map.set('x', 2)],
    ['the same key, to the same value', (map) => map.set('x', 1), (map) => map.set('x', 1)],
    ['a key that the other deleted', (map) => map.set('a', 2), (map) => map.delete('a')],
    ['all keys', (map) => map.clear(), (map) => map.set('a', 2)],
  ])('writers of %s conflict', async (_, mine, theirs) => {
    const db = await aDatabaseWithMap([['a', 1]])
    expect(await outcomeOf(db, mine, theirs)).toBe('STORAGE_CONFLICT')
  })
})

/** What happens when `theirs` commits between the beginning and the commit of `mine`. */
async function outcomeOf(
  db: ObjectDatabase,
  mine: (map: Numbers) => void,
  theirs: (map: Numbers) => void,
): Promise<string> {
  const { connection, transactions } = aConnection(db)
  transactions.begin()
  mine(mapOf(connection))
  await db.transaction((context) => theirs(mapOf(context)))
  const code = await codeThrownBy(() => transactions.commit())
  if (code !== 'nothing') await transactions.abort()
  connection.close()
  return code ?? ''
}
