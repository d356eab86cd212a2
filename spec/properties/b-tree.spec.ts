import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compareKeys } from '../../lib/persistence/btree/keys.js'
import {
  BTree,
  type Key,
  type ObjectDatabase,
  type RangeOptions,
} from '../../lib/persistence/index.js'
import type { Savepoint } from '../../lib/transaction/index.js'
import { aConnection, aDatabase } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** Few enough to meet again, and of all kinds. */
const key: fc.Arbitrary<Key> = fc.oneof(
  fc.integer({ min: -20, max: 400 }),
  fc.bigInt({ min: -3n, max: 40n }),
  fc.integer({ min: 0, max: 300 }).map((n) => `k${n}`),
  fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 60 })),
  fc.uint8Array({ maxLength: 2 }),
)

type Step =
  | { readonly do: 'set' | 'delete'; readonly key: Key; readonly value: number }
  | {
      readonly do: 'fill' | 'empty'
      readonly from: number
      readonly count: number
      readonly by: number
    }
  | { readonly do: 'clear' | 'commit' | 'abort' | 'reload' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constantFrom('set' as const, 'delete' as const),
      key,
      value: fc.nat(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('fill' as const, 'fill' as const, 'empty' as const),
      from: fc.integer({ min: -20, max: 400 }),
      count: fc.integer({ min: 1, max: 300 }),
      by: fc.constantFrom(1, -1, 7),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('commit' as const, 'abort' as const, 'reload' as const),
    }),
  },
)

const range: fc.Arbitrary<RangeOptions> = fc.record(
  {
    min: key,
    max: key,
    excludeMin: fc.boolean(),
    excludeMax: fc.boolean(),
    reverse: fc.boolean(),
    limit: fc.nat(40),
  },
  { requiredKeys: [] },
)

/** The reference: an array in the order of keys. */
class SortedArray {
  entries: [Key, number][] = []

  set(wanted: Key, value: number): void {
    const at = this.entries.findIndex(([other]) => compareKeys(other, wanted) >= 0)
    const isThere = at !== -1 && compareKeys(this.entries[at]![0], wanted) === 0
    if (isThere) this.entries[at] = [wanted, value]
    else this.entries.splice(at === -1 ? this.entries.length : at, 0, [wanted, value])
  }

  delete(wanted: Key): boolean {
    const before = this.entries.length
    this.entries = this.entries.filter(([other]) => compareKeys(other, wanted) !== 0)
    return this.entries.length < before
  }

  range({ min, max, excludeMin, excludeMax, reverse, limit }: RangeOptions): [Key, number][] {
    const inside = this.entries.filter(
      ([other]) =>
        (min === undefined || compareKeys(other, min) >= (excludeMin ? 1e-9 : 0)) &&
        (max === undefined || compareKeys(other, max) <= (excludeMax ? -1e-9 : 0)),
    )
    return (reverse ? inside.reverse() : inside).slice(0, limit)
  }
}

function change(
  target: { set(key: Key, value: number): unknown; delete(key: Key): boolean },
  todo: Step,
): void {
  if (todo.do === 'set') target.set(todo.key, todo.value)
  else if (todo.do === 'delete') target.delete(todo.key)
  else if (todo.do === 'fill' || todo.do === 'empty') {
    for (let n = 0; n < todo.count; n++) {
      if (todo.do === 'fill') target.set(todo.from + n * todo.by, n)
      else target.delete(todo.from + n * todo.by)
    }
  }
}

class Aborted extends Error {}

test('a tree in a database equals a sorted array', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.array(step, { maxLength: 25 }), fc.boolean()), { maxLength: 8 }),
      fc.array(range, { minLength: 1, maxLength: 6 }),
      async (transactions, ranges) => {
        const db = await aDatabase({ cacheBytes: 100_000 })
        await db.transaction(({ rootMapping }) => void rootMapping.set('tree', new BTree()))
        let committed = new SortedArray()
        for (const [steps, commits] of transactions) {
          const array = new SortedArray()
          array.entries = [...committed.entries]
          const work = db.transaction(({ rootMapping }) => {
            const tree = rootMapping.get('tree') as BTree<Key, number>
            for (const todo of steps) {
              if (todo.do === 'clear') {
                tree.clear()
                array.entries = []
              } else {
                change(tree, todo)
                change(array, todo)
              }
            }
            expectSame(tree, array, ranges)
            if (!commits) throw new Aborted()
          })
          if (commits) {
            await work
            committed = array
          } else await expect(work).rejects.toBeInstanceOf(Aborted)
          if (steps.some((todo) => todo.do === 'reload')) db.cacheClear()
          await expectStored(db, committed, ranges)
        }
        db.cacheClear()
        await expectStored(db, committed, ranges)
        await db.close()
      },
    ),
    { seed, numRuns: 30 },
  )
}, 120_000)

test('a tree of three levels equals a sorted array', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<((n: number) => Key)[]>(
        (n) => n,
        (n) => BigInt(n),
        (n) => String(n).padStart(6, '0'),
        (n) => ['t', n % 7, n],
      ),
      fc.constantFrom('rising', 'falling', 'shuffled'),
      fc.integer(),
      async (keyOf, order, salt) => {
        const numbers = Array.from({ length: 6000 }, (_, n) => n)
        if (order === 'falling') numbers.reverse()
        if (order === 'shuffled') numbers.sort((a, b) => hash(a, salt) - hash(b, salt))
        const db = await aDatabase()
        for (let part = 0; part < 6000; part += 1500) {
          await db.transaction(({ rootMapping }) => {
            if (part === 0) rootMapping.set('tree', new BTree())
            const tree = rootMapping.get('tree') as BTree<Key, number>
            for (const n of numbers.slice(part, part + 1500)) tree.set(keyOf(n), n)
          })
        }
        const sorted = numbers.map(keyOf).sort(compareKeys)
        db.cacheClear()
        await db.transaction(({ rootMapping }) => {
          const tree = rootMapping.get('tree') as BTree<Key, number>
          expect([...tree.keys()]).toEqual(sorted)
          for (const n of numbers) if (hash(n, salt) % 3 > 0) tree.delete(keyOf(n))
        })
        const left = numbers
          .filter((n) => hash(n, salt) % 3 === 0)
          .map(keyOf)
          .sort(compareKeys)
        db.cacheClear()
        await db.view(({ rootMapping }) => {
          const tree = rootMapping.get('tree') as BTree<Key, number>
          expect([...tree.keys({ reverse: true })].reverse()).toEqual(left)
          expect([tree.size, tree.minKey(), tree.maxKey()]).toEqual([
            left.length,
            left[0],
            left.at(-1),
          ])
        })
        await db.close()
      },
    ),
    { seed, numRuns: 6 },
  )
}, 120_000)

const LEAVES = 200
const STORED = LEAVES * 30

type ColdStep =
  | { readonly do: 'spread'; readonly by: number; readonly count: number; readonly value: number }
  | { readonly do: 'set' | 'delete' | 'look'; readonly key: number; readonly value: number }
  | { readonly do: 'walk' | 'size' | 'savepoint' | 'rollback' | 'clear'; readonly from: number }

/** Keys of the stored tree are even: half of these are new. */
const coldKey = fc.integer({ min: -1, max: 2 * STORED })

const coldStep: fc.Arbitrary<ColdStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('spread' as const),
      by: fc.constantFrom(7, 59, 61, 997),
      count: fc.integer({ min: 1, max: 300 }),
      value: fc.nat(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('set' as const, 'set' as const, 'delete' as const, 'look' as const),
      key: coldKey,
      value: fc.nat(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('walk' as const, 'size' as const),
      from: coldKey,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('savepoint' as const, 'rollback' as const, 'rollback' as const),
      from: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), from: fc.constant(0) }) },
)

test('a transaction over many leaves that are not in memory equals one on a Map', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(coldStep, { minLength: 5, maxLength: 25 }),
      fc.boolean(),
      fc.boolean(),
      async (steps, hasRival, commits) => {
        const db = await aDatabase({ cacheBytes: 50_000 })
        const stored = Array.from({ length: STORED }, (_, n): [number, number] => [2 * n, n])
        await db.transaction(({ rootMapping }) => void rootMapping.set('tree', BTree.from(stored)))
        db.cacheClear()
        const isClearing = steps.some((it) => it.do === 'clear')
        let model = new Map(stored)
        const { connection, transactions } = aConnection(db)
        const transaction = transactions.begin()
        const tree = connection.rootMapping.get('tree') as unknown as BTree<number, number>
        const savepoints: { savepoint: Savepoint; model: Map<number, number> }[] = []
        tree.set(0, -1)
        model.set(0, -1)
        for (const it of [{ do: 'savepoint', from: 0 } as const, ...steps]) {
          if (it.do === 'savepoint') {
            const savepoint = transaction.savepoint() as Savepoint
            savepoints.push({ savepoint, model: new Map(model) })
          } else if (it.do === 'rollback') {
            savepoints.length = (it.from % savepoints.length) + 1
            const to = savepoints.at(-1)!
            to.savepoint.rollback()
            model = new Map(to.model)
          } else doCold(tree, model, it)
        }
        if (hasRival && !isClearing) {
          await db.transaction(({ rootMapping }) => {
            const theirs = rootMapping.get('tree') as unknown as BTree<number, number>
            for (let n = 0; n < 100; n++) theirs.set(2 * ((n * 61) % STORED) + 0.5, n)
          })
        }
        expect(tree.check()).toEqual([])
        expect([...tree]).toEqual([...model].sort(([a], [b]) => a - b))
        if (!commits) {
          await transactions.abort()
          model = new Map(stored)
        } else await transactions.commit()
        if (hasRival && !isClearing) {
          for (let n = 0; n < 100; n++) model.set(2 * ((n * 61) % STORED) + 0.5, n)
        }
        connection.close()
        db.cacheClear()
        await db.view(({ rootMapping }) => {
          const read = rootMapping.get('tree') as unknown as BTree<number, number>
          expect([read.size, read.check()]).toEqual([model.size, []])
          expect([...read]).toEqual([...model].sort(([a], [b]) => a - b))
        })
        await db.close()
      },
    ),
    { seed, numRuns: 40 },
  )
}, 120_000)

function doCold(tree: BTree<number, number>, model: Map<number, number>, it: ColdStep): void {
  if (it.do === 'spread') {
    for (let n = 0; n < it.count; n++) {
      const at = (n * it.by) % (2 * STORED)
      tree.set(at, it.value)
      model.set(at, it.value)
      if (n % 50 === 49)
        expect([tree.get(at), tree.has(at), tree.has(at + 0.25)]).toEqual([it.value, true, false])
    }
  } else if (it.do === 'set') {
    tree.set(it.key, it.value)
    model.set(it.key, it.value)
  } else if (it.do === 'delete') expect(tree.delete(it.key)).toBe(model.delete(it.key))
  else if (it.do === 'look') {
    expect([tree.get(it.key), tree.has(it.key)]).toEqual([model.get(it.key), model.has(it.key)])
  } else if (it.do === 'size') expect(tree.size).toBe(model.size)
  else if (it.do === 'walk') {
    const inRange = [...model.keys()].filter((key) => key >= it.from).sort((a, b) => a - b)
    expect([...tree.keys({ min: it.from, limit: 100 })]).toEqual(inRange.slice(0, 100))
  } else if (it.do === 'clear') {
    tree.clear()
    model.clear()
  }
}

test('a walk over a tree that changes meanwhile sees every key that stays, once and in order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 2000 }), { minLength: 1, maxLength: 400 }),
      fc.array(
        fc.record({
          at: fc.nat(400),
          set: fc.array(fc.integer({ min: 0, max: 2000 })),
          delete: fc.array(fc.integer({ min: 0, max: 2000 })),
        }),
        { maxLength: 6 },
      ),
      fc.boolean(),
      (keys, changes, reverse) => {
        const tree = new BTree<number, number>()
        for (const n of keys) tree.set(n, n)
        const touched = new Set(changes.flatMap((it) => [...it.set, ...it.delete]))
        const seen: number[] = []
        for (const n of tree.keys({ reverse })) {
          expect(tree.has(n)).toBe(true)
          for (const it of changes.filter(({ at }) => at === seen.length)) {
            for (const added of it.set) tree.set(added, 0)
            for (const gone of it.delete) tree.delete(gone)
          }
          seen.push(n)
        }
        const sorted = [...new Set(seen)].sort((a, b) => (reverse ? b - a : a - b))
        expect(seen).toEqual(sorted)
        for (const n of keys) if (!touched.has(n)) expect(seen).toContain(n)
      },
    ),
    { seed, numRuns: 200 },
  )
})

function hash(n: number, salt: number): number {
  return Math.imul(n + 1, 2654435761 ^ salt) >>> 3
}

function expectStored(
  db: ObjectDatabase,
  array: SortedArray,
  ranges: readonly RangeOptions[],
): Promise<void> {
  return db.view(({ rootMapping }) =>
    expectSame(rootMapping.get('tree') as BTree<Key, number>, array, ranges),
  )
}

function expectSame(
  tree: BTree<Key, number>,
  array: SortedArray,
  ranges: readonly RangeOptions[],
): void {
  const { entries } = array
  expect(tree.check()).toEqual([])
  expect([...tree]).toEqual(entries)
  expect([tree.size, tree.minKey(), tree.maxKey()]).toEqual([
    entries.length,
    entries[0]?.[0],
    entries.at(-1)?.[0],
  ])
  for (const part of ranges) expect([...tree.entries(part)]).toEqual(array.range(part))
  for (const [wanted, value] of entries) expect(tree.get(wanted)).toBe(value)
}
