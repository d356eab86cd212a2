import { describe, expect, test } from '@jest/globals'
import { BTree, type Key } from '../../../lib/persistence/index.js'
import { runOutsideTransactionScope } from '../../../lib/transaction/index.js'
import { aConnection, aDatabase } from '../../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../../support/storage-builders.js'

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

  test('is made of entries, of an array, a Map or another tree', () => {
    const tree = new BTree<string, number>([
      ['b', 2],
      ['a', 1],
    ])
    expect([...new BTree<string, number>(tree)]).toEqual([...new BTree(new Map(tree))])
    expect([...tree]).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(() => new BTree([[Number.NaN, 1]])).toThrow(/no key/)
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
      Uint8Array.of(0, 255),
      ['a', 1, [2n]],
      ['b', Uint8Array.of(1)],
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

  test('inserts only what is absent', () => {
    const tree = BTree.from([['a', 1]])
    expect([tree.insert('a', 2), tree.insert('b', 2), [...tree.values()]]).toEqual([
      false,
      true,
      [1, 2],
    ])
    expect([tree.getOrInsert('a', 9), tree.getOrInsert('c', 3)]).toEqual([1, 3])
    const asked: string[] = []
    const compute = (key: string): number => asked.push(key)
    expect([
      tree.getOrInsertComputed('a', compute),
      tree.getOrInsertComputed('d', compute),
      asked,
    ]).toEqual([1, 1, ['d']])
  })

  test('gives an item or says which key is missing', async () => {
    const tree = BTree.from<string, unknown>([['a', undefined]])
    expect(tree.getItem('a')).toBeUndefined()
    expect(await errorOf(() => tree.getItem('x'))).toMatchObject({
      code: 'PERSISTENCE_KEY_NOT_FOUND',
      message: expect.stringContaining('"x"'),
    })
  })

  test('gives what it deletes', () => {
    const tree = BTree.from([['a', 1]])
    expect([tree.pop('a'), tree.pop('a'), tree.size]).toEqual([1, undefined, 0])
  })

  test('takes entries from anything that has some', () => {
    const tree = BTree.from(new Map([['b', 2]]))
    expect([...tree.update(BTree.from([['a', 1]])).update([['b', 3]])]).toEqual([
      ['a', 1],
      ['b', 3],
    ])
  })

  test('gives entries by value, the highest first', async () => {
    const tree = BTree.from([
      ['a', 2],
      ['b', 3],
      ['c', 2],
      ['d', 1],
    ])
    expect(tree.byValue(2)).toEqual([
      [3, 'b'],
      [2, 'a'],
      [2, 'c'],
    ])
    expect(tree.byValue().length).toBe(4)
    expect(await codeThrownBy(() => BTree.from([['a', {}]]).byValue())).toBe(
      'PERSISTENCE_INVALID_KEY',
    )
  })

  test('has nothing for what is no key, and refuses to set it', async () => {
    const tree = BTree.from<Key, number>([[1, 1]])
    for (const key of [null, undefined, {}, Symbol('x'), Number.NaN, ['a', null]] as never[]) {
      expect([tree.get(key), tree.has(key), tree.delete(key)]).toEqual([undefined, false, false])
      for (const write of [() => tree.set(key, 1), () => tree.insert(key, 1)]) {
        expect(await codeThrownBy(write)).toBe('PERSISTENCE_INVALID_KEY')
      }
    }
  })

  test('keys that are bytes are found by their value, and are nobody else’s', () => {
    const key = Uint8Array.of(1, 2)
    const tree = BTree.from([[key, 'x']])
    key[0] = 9
    expect([tree.get(Buffer.from([1, 2])), tree.get(key)]).toEqual(['x', undefined])
    for (const given of tree.keys()) given.fill(0)
    expect([...tree.keys()]).toEqual([Uint8Array.of(1, 2)])
  })

  test('what changes nothing writes nothing', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from([['a', 1]]))
      rootMapping.set('empty', new BTree())
    })
    const { lastTid } = db
    await db.transaction(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree
      expect([tree.delete('x'), tree.insert('a', 2), tree.getOrInsert('a', 2)]).toEqual([
        false,
        false,
        1,
      ])
      expect(tree.pop('x')).toBeUndefined()
      ;(rootMapping.get('empty') as BTree).clear()
    })
    expect(db.lastTid).toBe(lastTid)
  })

  test('is read after its replayed commit as that left it', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from(numbered(2000)))
    })
    const { connection, transactions } = aConnection(db)
    const transaction = transactions.begin()
    const tree = connection.rootMapping.get('tree') as BTree<number, number>
    tree.set(500, -1)
    await runOutsideTransactionScope(() =>
      db.transaction(({ rootMapping }) => {
        const theirs = rootMapping.get('tree') as BTree<number, number>
        for (let n = 0; n < 2000; n += 7) theirs.set(n, -2)
      }),
    )
    const read = (): unknown[] => [tree.get(500), tree.get(7), tree.size, [...tree].length]
    let inHook: unknown[] = []
    transaction.addAfterCommitHook(() => {
      inHook = read()
    })
    await transactions.commit()
    expect(inHook).toEqual([-1, -2, 2000, 2000])
    expect(read()).toEqual([-1, -2, 2000, 2000])
  })

  test('an after-commit hook reads what its transaction wrote', async () => {
    const db = await aDatabase()
    let found: unknown[] = []
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from(numbered(2000)))
    })
    await db.transaction(({ rootMapping, transaction }) => {
      const tree = rootMapping.get('tree') as BTree<number, number>
      for (let n = 2000; n < 3000; n++) tree.set(n, n)
      transaction.addAfterCommitHook(() => {
        found = [tree.size, tree.get(2999), [...tree.keys()].length]
      })
    })
    expect(found).toEqual([3000, 2999, 3000])
  })

  test('a reader of an earlier commit finds the tree as it was, whoever looked before', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from(numbered(2000)))
    })
    const valueIn = (context: { rootMapping: BTree }): unknown =>
      (context.rootMapping.get('tree') as BTree<number, number>).get(500)
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    expect(valueIn(connection)).toBe(500)
    for (let round = 0; round < 3; round++) {
      await db.transaction(({ rootMapping }) => {
        ;(rootMapping.get('tree') as BTree<number, number>).set(500, -1 - round)
      })
      expect(await db.view(valueIn)).toBe(-1 - round)
      expect(valueIn(connection)).toBe(500)
    }
  })

  test('nodes that the cache let go are let go by their parents, too', async () => {
    const db = await aDatabase({ cacheBytes: 60_000 })
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('tree', BTree.from(numbered(20_000)))
    })
    await db.view(({ rootMapping }) => {
      const tree = rootMapping.get('tree') as BTree<number, number>
      for (let round = 0; round < 2; round++) {
        for (let n = 0; n < 20_000; n += 30) expect(tree.get(n)).toBe(n)
      }
      const before = db.counters.storageReads
      for (let n = 0; n < 20_000; n += 30) tree.get(n)
      // What fits is found without a read; most do not fit.
      expect(db.counters.storageReads - before).toBeGreaterThan(400)
    })
  })
})

function numbered(count: number): [number, number][] {
  return Array.from({ length: count }, (_, n) => [n, n])
}
