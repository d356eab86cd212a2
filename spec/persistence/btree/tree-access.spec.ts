import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  type ObjectDatabase,
  plain,
  stateOf,
  treeClear,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeKeys,
  treeSet,
  treeSize,
  treeTouch,
} from '../../../lib/persistence/index.js'
import { runOutsideTransactionScope } from '../../../lib/transaction/index.js'
import { aConnection, aDatabase, Employee, Office } from '../../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../../support/storage-builders.js'

const officeOf = ({ rootMapping }: { rootMapping: BTree }): Office =>
  rootMapping.get('office') as Office

async function aDatabaseWithOffice(
  entries: Iterable<readonly [string, unknown]> = [],
): Promise<ObjectDatabase> {
  const db = await aDatabase()
  await db.transaction(({ rootMapping }) => {
    const office = new Office()
    for (const [key, value] of entries) office.set(key, value)
    rootMapping.set('office', office as never)
  })
  return db
}

/** What happens when `theirs` commits between the beginning and the commit of `mine`. */
async function outcomeOf(
  db: ObjectDatabase,
  mine: (office: Office) => void,
  theirs: (office: Office) => void,
): Promise<string> {
  const { connection, transactions } = aConnection(db)
  transactions.begin()
  mine(officeOf(connection))
  await db.transaction((context) => theirs(officeOf(context)))
  const code = await codeThrownBy(() => transactions.commit())
  if (code !== 'nothing') await transactions.abort()
  connection.close()
  return code ?? ''
}

describe('Tree of an object', () => {
  test('stands in its owner’s record, beside the owner’s fields', async () => {
    const db = await aDatabaseWithOffice([['a', 1]])
    await db.transaction((context) => {
      officeOf(context).city = 'Norman'
    })
    db.cacheClear()
    expect(
      await db.view((context) => [officeOf(context).city, officeOf(context).get('a')]),
    ).toEqual(['Norman', 1])
  })

  test('is worked with by functions, too', async () => {
    const office = new Office()
    expect([treeSet(office, 'b', 2), treeSet(office, 'b', 3), treeSet(office, 'a', 1)]).toEqual([
      true,
      false,
      true,
    ])
    expect([treeGet(office, 'b'), treeHas(office, 'x'), treeSize(office)]).toEqual([3, false, 2])
    expect([[...treeEntries(office)], [...treeKeys(office, { reverse: true })]]).toEqual([
      [
        ['a', 1],
        ['b', 3],
      ],
      ['b', 'a'],
    ])
    expect([treeDelete(office, 'a'), treeDelete(office, 'a')]).toEqual([true, false])
    treeClear(office)
    expect(treeSize(office)).toBe(0)
  })

  test('plain values are copied, frozen, and so are Map and Set', async () => {
    const mine = { list: [1], map: new Map([['a', [1]]]), set: new Set([1]) }
    const check = (office: Office): void => {
      const value = office.get('v') as typeof mine
      expect(plain(value)).toEqual({ list: [1], map: new Map([['a', [1]]]), set: new Set([1]) })
      expect(() => value.list.push(2)).toThrow(TypeError)
      expect(() => value.map.set('b', [])).toThrow(TypeError)
      expect(() => value.map.get('a')!.push(2)).toThrow(TypeError)
      expect(() => value.set.clear()).toThrow(TypeError)
    }
    const office = new Office()
    office.set('v', mine)
    mine.list.push(9)
    check(office)
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      rootMapping.set('office', office as never)
      check(office)
    })
    await db.transaction((context) => check(officeOf(context)))
    db.cacheClear()
    await db.view((context) => check(officeOf(context)))
  })

  test('values around objects and Dates are frozen just so', async () => {
    const db = await aDatabaseWithOffice([
      ['v', { boss: new Employee({ title: 'boss' }), at: [new Date(0)] }],
    ])
    await db.transaction((context) => {
      const value = officeOf(context).get('v') as { boss: Employee; at: Date[] }
      expect(value.boss.title).toBe('boss')
      expect(() => value.at.push(new Date())).toThrow(TypeError)
      value.at[0]!.setTime(99)
    })
    expect(
      await db.view((context) => (officeOf(context).get('v') as { at: Date[] }).at[0]),
    ).toEqual(new Date(0))
  })

  test('what cannot be stored is refused and leaves the tree as it was', async () => {
    const db = await aDatabaseWithOffice([['a', 1]])
    await db.transaction(async (context) => {
      const office = officeOf(context)
      const error = await errorOf(() => office.set('a', { deep: [() => 1] }))
      expect(error).toMatchObject({ code: 'PERSISTENCE_UNSTORABLE_VALUE' })
      expect(error.message).toMatch(/spec\.Office.*oid 0000000000000001.*\[a\]\.deep\[0\]/)
      expect(await codeThrownBy(() => office.set(Number.NaN as never, 1))).toBe(
        'PERSISTENCE_INVALID_KEY',
      )
      expect(await codeThrownBy(() => office.keys({ min: {} as never }).next())).toBe(
        'PERSISTENCE_INVALID_KEY',
      )
      expect([office.get('a'), office.size, stateOf(office)]).toEqual([1, 1, 'upToDate'])
    })
  })

  test('a look-up with what is no key finds nothing', async () => {
    const tree = new BTree<number, string>()
    for (let n = 0; n < 200; n++) tree.set(n, 'x')
    expect([tree.get(Number.NaN), tree.has(Number.NaN)]).toEqual([undefined, false])
  })

  test('the tuples it hands out cannot be changed', async () => {
    const db = await aDatabase()
    await db.transaction(
      ({ rootMapping }) => void rootMapping.set('tree', new BTree().set(['a', 1], 1) as never),
    )
    db.cacheClear()
    await db.transaction(({ rootMapping }) => {
      const [key] = (rootMapping.get('tree') as unknown as BTree<[string, number]>).keys()
      expect(() => key!.push()).toThrow(TypeError)
    })
  })
})

describe('Writers of one tree', () => {
  const hundred = Array.from({ length: 100 }, (_, n) => [String(n).padStart(3, '0'), n] as const)

  test.each<[string, (office: Office) => void, (office: Office) => void]>([
    ['of different new keys', (o) => o.set('x', 1), (o) => o.set('y', 1)],
    ['of different old keys', (o) => o.set('001', 'm'), (o) => o.set('002', 't')],
    ['of keys that share a leaf which both split', (o) => fill(o, 'm'), (o) => fill(o, 't')],
    ['of a key and of a deleted one', (o) => o.set('x', 1), (o) => o.delete('001')],
    ['of leaves, one of which is emptied', (o) => o.set('001x', 1), (o) => empty(o, 60)],
    ['of a leaf that the other emptied, too', (o) => empty(o, 50), (o) => empty(o, 100, 50)],
    [
      'of a key, and of a field of the owner',
      (o) => o.set('x', 1),
      (o) => {
        o.city = 'Norman'
      },
    ],
    [
      'of a field of the owner, and of a key',
      (o) => {
        o.city = 'Norman'
      },
      (o) => o.set('x', 1),
    ],
    [
      'of a key, and one who deleted what was not there',
      (o) => o.set('x', 1),
      (o) => o.delete('no'),
    ],
  ])('%s do not conflict, and both are kept', async (_, mine, theirs) => {
    const expected = new Office()
    for (const [key, value] of hundred) expected.set(key, value)
    theirs(expected)
    mine(expected)
    const db = await aDatabaseWithOffice(hundred)
    expect(await outcomeOf(db, mine, theirs)).toBe('nothing')
    db.cacheClear()
    await db.view((context) => {
      const office = officeOf(context)
      expect([...office]).toEqual([...expected])
      expect([office.size, office.city]).toEqual([expected.size, expected.city])
    })
  })

  test.each<[string, (office: Office) => void, (office: Office) => void]>([
    ['of the same new key', (o) => o.set('x', 1), (o) => o.set('x', 2)],
    ['of the same key with equal values', (o) => o.set('x', 1), (o) => o.set('x', 1)],
    ['of a key that the other deleted', (o) => o.set('001', 1), (o) => o.delete('001')],
    ['who delete the same key', (o) => o.delete('001'), (o) => o.delete('001')],
    ['of a key in a tree that was removed', (o) => o.set('x', 1), (o) => treeTouch(o)],
    ['of a removed tree, into which another wrote', (o) => treeTouch(o), (o) => o.set('x', 1)],
    ['who both remove it', (o) => treeTouch(o), (o) => treeTouch(o)],
    ['of a key in a tree that was cleared', (o) => o.set('x', 1), (o) => o.clear()],
    ['who clear it after a write', (o) => o.clear(), (o) => o.set('x', 1)],
    [
      'of the same field of the owner',
      (o) => {
        o.city = 'a'
      },
      (o) => {
        o.city = 'b'
      },
    ],
    [
      'of the same field, and of keys',
      (o) => {
        o.city = 'a'
        o.set('x', 1)
      },
      (o) => {
        o.city = 'b'
        o.set('y', 1)
      },
    ],
  ])('%s conflict', async (_, mine, theirs) => {
    const db = await aDatabaseWithOffice(hundred)
    expect(await outcomeOf(db, mine, theirs)).toBe('STORAGE_CONFLICT')
  })

  test('the conflict names the tree and the key', async () => {
    const db = await aDatabaseWithOffice()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    officeOf(connection).set('x', 1)
    await db.transaction((context) => void officeOf(context).set('x', 2))
    const { message } = await errorOf(() => transactions.commit())
    expect(message).toMatch(/"x".*spec\.Office.*oid 0000000000000001/)
  })

  test('a text key that looks like a tuple does not conflict with the tuple', async () => {
    const db = await aDatabaseWithOffice()
    const asTree = (o: Office) => o as unknown as BTree
    expect(
      await outcomeOf(
        db,
        (o) => asTree(o).set(['a'], 1),
        (o) => asTree(o).set('tuple:string:1:a', 2),
      ),
    ).toBe('nothing')
    expect(await db.view((context) => officeOf(context).size)).toBe(2)
  })

  test('eight with rising keys never conflict, across splits', async () => {
    const db = await aDatabaseWithOffice()
    let next = 0
    const writer = async (): Promise<void> => {
      for (let round = 0; round < 40; round++) {
        await db.transaction(async (context) => {
          const office = officeOf(context)
          if (round % 3 === 0) await nextTurn()
          for (let n = 0; n < 5; n++) office.set(String(next++).padStart(6, '0'), n)
        })
      }
    }
    await Promise.all(Array.from({ length: 8 }, writer))
    expect(db.counters.conflicts).toBe(0)
    expect(db.counters.replays).toBeGreaterThan(0)
    db.cacheClear()
    expect(
      await db.view((context) => [officeOf(context).size, [...officeOf(context).keys()]]),
    ).toEqual([1600, Array.from({ length: 1600 }, (_, n) => String(n).padStart(6, '0'))])
  })

  test('who empty leaves while others fill them never conflict', async () => {
    const key = (n: number): string => String(n).padStart(6, '0')
    const db = await aDatabaseWithOffice(
      Array.from({ length: 800 }, (_, n) => [key(n), n] as const),
    )
    const worker = (residue: number) => async (): Promise<void> => {
      for (let n = residue; n < 800; n += 8) {
        await db.transaction(async (context) => {
          const office = officeOf(context)
          if (n % 3 === 0) await nextTurn()
          if (residue % 2 === 0) office.delete(key(n))
          else office.set(`${key(n)}+`, n)
        })
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, residue) => worker(residue)()))
    expect(db.counters.conflicts).toBe(0)
    db.cacheClear()
    const odd = Array.from({ length: 400 }, (_, n) => key(2 * n + 1))
    expect(await db.view((context) => [...officeOf(context).keys()])).toEqual(
      odd.flatMap((k) => [k, `${k}+`]),
    )
  })

  test('a new object is stored once when its key is replayed', async () => {
    const db = await aDatabaseWithOffice()
    const employee = new Employee({ title: 'bob' })
    expect(
      await outcomeOf(
        db,
        (o) => o.set('bob', employee),
        (o) => o.set('ann', new Employee({ title: 'ann' })),
      ),
    ).toBe('nothing')
    db.cacheClear()
    expect(
      await db.view((context) => [...officeOf(context).values()].map((e) => (e as Employee).title)),
    ).toEqual(['ann', 'bob'])
  })

  test('what a replay wrote is what its own connection reads next', async () => {
    const db = await aDatabaseWithOffice()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const office = officeOf(connection)
    office.set('mine', 1)
    await runOutsideTransactionScope(() =>
      db.transaction((context) => void officeOf(context).set('theirs', 2)),
    )
    await transactions.commit()
    transactions.begin()
    expect([...office.keys()]).toEqual(['mine', 'theirs'])
  })
})

function fill(office: Office, suffix: string): void {
  for (let n = 0; n < 100; n++) office.set(`${String(n).padStart(3, '0')}${suffix}`, n)
}

function empty(office: Office, below: number, from = 0): void {
  for (let n = from; n < below; n++) office.delete(String(n).padStart(3, '0'))
}
