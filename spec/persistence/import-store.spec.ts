import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ImportStore } from '../../lib/persistence/import-store.js'
import type { BTree, ObjectDatabase } from '../../lib/persistence/index.js'
import { formatOid, toOid } from '../../lib/storage/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

const oid = (n: number): string => formatOid(toOid(n))
const anEmployee = (n: number, title: string, boss?: number) => ({
  kind: 'object',
  oid: oid(n),
  class: 'spec.Employee',
  fields: {
    title,
    phones: [],
    boss: boss === undefined ? { $undefined: true } : { $ref: oid(boss) },
    data: null,
  },
})
const aTree = (n: number) => ({
  kind: 'object',
  oid: oid(n),
  class: 'treehook.BTree',
  tree: true,
  fields: {},
})
const entriesOf = (of: number, ...keys: number[]) => ({
  kind: 'entries',
  of: oid(of),
  entries: keys.map((key) => [key, `value ${key}`]),
})

let db: ObjectDatabase
let store: ImportStore
beforeEach(async () => {
  db = await aDatabase()
  store = new ImportStore(db, {})
})
afterEach(async () => {
  await store.close()
  await db.close()
})

describe('Import store', () => {
  test('stores objects that refer to later ones, in several transactions', async () => {
    expect(store.take(anEmployee(10, 'Bob', 20))).toBe(true)
    await store.commit()
    expect(store.take(anEmployee(20, 'boss'))).toBe(true)
    await store.complete()
    const root = store.rootOf(toOid(10))
    expect(await db.view(({ connection }) => (connection.get(root) as Employee).boss?.title)).toBe(
      'boss',
    )
    expect(store.progress).toEqual({ objects: 2, entries: 0 })
  })

  test('asks for a commit where a tree of several transactions ends', async () => {
    store.take(aTree(1))
    store.take(entriesOf(1, 1, 2))
    await store.commit()
    store.take(entriesOf(1, 3))
    await store.commit()
    store.take(entriesOf(1, 4))
    expect(store.take(anEmployee(2, 'next'))).toBe(false)
    await store.commit()
    expect(store.take(anEmployee(2, 'next'))).toBe(true)
    await store.complete()
    await db.view(({ connection }) => {
      const tree = connection.get(store.rootOf(toOid(1))) as BTree<number, string>
      expect([...tree.keys()]).toEqual([1, 2, 3, 4])
      expect([tree.size, tree.get(3), tree.check()]).toEqual([4, 'value 3', []])
    })
  })

  test('is complete when all objects referred to have come', async () => {
    store.take(anEmployee(10, 'Bob', 20))
    expect(await codeThrownBy(() => store.complete())).toBe('PERSISTENCE_INVALID_EXPORT')
    expect(await codeThrownBy(() => store.rootOf(toOid(99)))).toBe('PERSISTENCE_INVALID_EXPORT')
  })

  test('closes in the middle, and leaves what it has committed', async () => {
    store.take(anEmployee(10, 'Bob'))
    await store.commit()
    const root = store.rootOf(toOid(10))
    store.take(anEmployee(11, 'not committed'))
    await store.close()
    expect(await db.view(({ connection }) => connection.query(root) instanceof Employee)).toBe(true)
  })
})
