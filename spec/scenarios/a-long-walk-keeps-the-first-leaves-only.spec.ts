import { afterEach, expect, test } from '@jest/globals'
import { BTree, ObjectDatabase, type TransactionContext } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'

const ENTRIES = 50_000
const LEAVES = ENTRIES / 30
let db: ObjectDatabase

afterEach(() => db.close())

const treeIn = ({ rootMapping }: TransactionContext) =>
  rootMapping.get('tree') as unknown as BTree<number, number>

test('a long walk gives every entry, and keeps the first leaves only', async () => {
  db = await ObjectDatabase.open('memory', { storage: createMemoryStorage() })
  await db.transaction(({ rootMapping }) => void rootMapping.set('tree', new BTree()))
  await db.transaction((context) => {
    const tree = treeIn(context)
    for (let key = 0; key < ENTRIES; key++) tree.set(key, key * 2)
  })
  const decodesOf = async (walk: (context: TransactionContext) => unknown): Promise<number> => {
    const before = db.counters.decodes
    await db.view(walk)
    return db.counters.decodes - before
  }
  const walk = (context: TransactionContext): void => {
    let expected = 0
    for (const [key, value] of treeIn(context).entries()) {
      if (key !== expected || value !== expected * 2) throw new Error(`${key} at ${expected}`)
      expected++
    }
    expect(expected).toBe(ENTRIES)
  }
  db.cacheClear()
  const first = await decodesOf(walk)
  expect(first).toBeGreaterThanOrEqual(LEAVES)
  const again = await decodesOf(walk)
  expect(again).toBeGreaterThan(LEAVES - 1100)
  expect(again).toBeLessThanOrEqual(first - 1000)
  expect(
    await decodesOf(
      (context) => void expect(treeIn(context).get(ENTRIES - 1)).toBe(2 * ENTRIES - 2),
    ),
  ).toBe(1)
  expect(
    await decodesOf(
      (context) => void expect(treeIn(context).get(ENTRIES - 1)).toBe(2 * ENTRIES - 2),
    ),
  ).toBe(0)
})

test('a long walk sees what its transaction began with, and what that has changed', async () => {
  db = await ObjectDatabase.open('memory', { storage: createMemoryStorage() })
  await db.transaction(({ rootMapping }) => void rootMapping.set('tree', new BTree()))
  await db.transaction((context) => {
    const tree = treeIn(context)
    for (let key = 0; key < ENTRIES; key++) tree.set(key, 1)
  })
  db.cacheClear()
  const own = ENTRIES - 10
  const others = ENTRIES - 500 // in another leaf
  await db.transaction(async (context) => {
    treeIn(context).set(own, 2)
    await runOutsideTransactionScope(() =>
      db.transaction((other) => void treeIn(other).set(others, 3)),
    )
    expect(sumOf(context)).toBe(ENTRIES + 1)
  })
  await db.view((context) => expect(sumOf(context)).toBe(ENTRIES + 3))
})

function sumOf(context: TransactionContext): number {
  let sum = 0
  for (const value of treeIn(context).values()) sum += value
  return sum
}
