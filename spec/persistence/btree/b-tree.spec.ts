import { describe, expect, test } from '@jest/globals'
import { BTree, type Key } from '../../../lib/persistence/index.js'
import { aDatabase } from '../../support/persistence-builders.js'

describe('BTree', () => {
  test('keeps entries in the order of their keys', () => {
    const tree = new BTree<string, number>()
    expect(tree.set('b', 2).set('a', 1).set('c', 3)).toBe(tree)
    expect([...tree]).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ])
    expect([...tree.keys()]).toEqual(['a', 'b', 'c'])
    expect([...tree.values({ reverse: true })]).toEqual([3, 2, 1])
    expect([...tree.entries({ min: 'b', excludeMin: true })]).toEqual([['c', 3]])
    expect([tree.get('b'), tree.get('x'), tree.has('c'), tree.has('x')]).toEqual([
      2,
      undefined,
      true,
      false,
    ])
    expect([tree.size, tree.delete('a'), tree.delete('a'), tree.size]).toEqual([3, true, false, 2])
    tree.clear()
    expect([tree.size, [...tree]]).toEqual([0, []])
  })

  test('gives the lowest and highest keys, or those next to a bound', () => {
    const tree = new BTree<number, string>()
    expect([tree.minKey(), tree.maxKey()]).toEqual([undefined, undefined])
    for (const n of [10, 20, 30]) tree.set(n, 'x')
    expect([tree.minKey(), tree.minKey(11), tree.minKey(20), tree.minKey(31)]).toEqual([
      10,
      20,
      20,
      undefined,
    ])
    expect([tree.maxKey(), tree.maxKey(29), tree.maxKey(20), tree.maxKey(9)]).toEqual([
      30,
      20,
      20,
      undefined,
    ])
  })

  test('has a value undefined', () => {
    const tree = new BTree<string, undefined>()
    tree.set('a', undefined)
    expect([tree.has('a'), tree.get('a'), tree.size]).toEqual([true, undefined, 1])
  })

  test('entries that come and go under an iterator are seen as their keys say', () => {
    const tree = new BTree<number, number>()
    for (let n = 0; n < 300; n += 2) tree.set(n, n)
    const seen: number[] = []
    for (const [key] of tree) {
      seen.push(key)
      if (key === 100) {
        tree.delete(102)
        tree.set(103, 1)
        tree.set(1, 1)
        for (let n = 200; n < 250; n += 2) tree.delete(n)
      }
    }
    const expected = Array.from({ length: 150 }, (_, n) => n * 2)
      .filter((n) => n !== 102 && !(n >= 200 && n < 250))
      .concat(103)
      .sort((a, b) => a - b)
    expect(seen).toEqual(expected)
  })

  test('every entry can be deleted while it is walked', () => {
    const tree = new BTree<number, number>()
    for (let n = 0; n < 1000; n++) tree.set(n, n)
    for (const key of tree.keys()) tree.delete(key)
    expect([tree.size, [...tree]]).toEqual([0, []])
  })

  test('keys of every kind survive the disk', async () => {
    const keys: Key[] = [
      -1.5,
      2 ** 53,
      Number.POSITIVE_INFINITY,
      5n,
      2n ** 90n,
      '',
      'é',
      '\u{1f600}',
      ['a', 1, [2n]],
    ]
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const tree = new BTree()
      for (const key of keys) tree.set(key, key)
      rootMapping.set('tree', tree)
    })
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree
      expect([...tree.keys()]).toEqual(keys)
      expect(keys.map((key) => tree.get(key))).toEqual(keys)
    })
  })

  test('a look-up loads a handful of records', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const tree = new BTree<number, string>()
      for (let n = 0; n < 10_000; n++) tree.set(n, 'value')
      rootMapping.set('tree', tree)
    })
    db.cacheClear()
    const before = db.counters.storageReads
    expect(await db.view(({ rootMapping }) => (rootMapping.get('tree') as BTree).get(7777))).toBe(
      'value',
    )
    expect(db.counters.storageReads - before).toBeLessThanOrEqual(4)
  })

  test('a write stores the nodes on its way, not the tree', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const tree = new BTree<number, string>()
      for (let n = 0; n < 10_000; n++) tree.set(n, 'value')
      rootMapping.set('tree', tree)
    })
    db.cacheClear()
    await db.transaction(
      ({ rootMapping }) => void (rootMapping.get('tree') as BTree).set(5000, 'new'),
    )
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree
      expect([tree.get(5000), tree.get(4999), tree.get(5001), tree.size]).toEqual([
        'new',
        'value',
        'value',
        10_000,
      ])
    })
  })
})
