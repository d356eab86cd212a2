import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  checkStoredTree,
  field,
  isTreeClass,
  type ObjectDatabase,
  Persistent,
  StoredObject,
  stored,
} from '../../lib/persistence/index.js'
import type { Oid, StorageRecord } from '../../lib/storage/index.js'
import { aDatabase, Office } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

@stored('spec.storedObject.Part')
class Part extends Persistent {
  @field accessor __parent__: Persistent | undefined = undefined
  @field accessor __name__ = ''
  @field accessor data: unknown = undefined
}

/** Reads a database's objects by their class rows alone. */
function reading(db: ObjectDatabase) {
  const snapshot = db.storage.snapshot()
  const rowOf = ({ classId }: StorageRecord) => db.storage.classes[classId - 1]!
  return (oid: Oid): StoredObject => {
    const record = snapshot.load(oid) as StorageRecord
    return new StoredObject(record, rowOf(record))
  }
}

describe('A stored object', () => {
  test('says what contains it, and how it leads to another', async () => {
    const db = await aDatabase()
    const { part, found, office } = await db.transaction(({ rootMapping, connection }) => {
      const [one, other, place] = [new Part(), new Part(), new Office()]
      rootMapping.set('office', place)
      place.set('one', one)
      one.__parent__ = place
      one.__name__ = 'one'
      one.data = { deep: [new Map([['x', new Set([other])]])] }
      const add = (object: Persistent): Oid => connection.add(object)
      return { part: add(one), found: add(other), office: add(place) }
    })
    const read = reading(db)
    expect(read(part).place).toEqual({ parent: office, name: 'one' })
    expect(read(part).stepTo(found)).toEqual({ field: 'data' })
    expect(read(office).stepTo(part)).toEqual({ key: 'one' })
    expect(read(office).stepTo(found)).toBeUndefined()
    expect(read(office).place).toBeUndefined()
    expect([read(part).tree, read(office).isNode]).toEqual([undefined, false])
    await db.close()
  })

  test('shows the tree that it keeps, which can be verified', async () => {
    const db = await aDatabase()
    const oid = await db.transaction(({ rootMapping, connection }) => {
      const tree = new BTree<string, Persistent>()
      rootMapping.set('tree', tree)
      for (let number = 0; number < 1000; number++) tree.set(`key ${number}`, new Part())
      return connection.add(tree)
    })
    const read = reading(db)
    const root = read(oid).tree!
    const first = (root.items[0] as { oid: Oid }).oid
    expect(read(oid).stepTo(first)).toBe('node')
    expect(read(first).isNode).toBe(true)
    const drained = [...checkStoredTree(root, (node) => read(node).tree)]
    expect(drained.length).toBeGreaterThan(30)
    const check = checkStoredTree(root, () => undefined)
    let step = check.next()
    while (!step.done) step = check.next()
    expect(step.value.length).toBeGreaterThan(0)
    await db.close()
  })

  test('with more values than its class has fields is refused', async () => {
    const db = await aDatabase()
    const oid = await db.transaction(({ connection }) => connection.add(new Part()))
    const record = db.storage.snapshot().load(oid) as StorageRecord
    const row = { classId: 1, name: 'spec.Other', fields: ['only'] }
    expect(await codeThrownBy(() => new StoredObject(record, row))).toBe('STORAGE_CORRUPT_RECORD')
    await db.close()
  })

  test('is of a tree’s class or not', async () => {
    const db = await aDatabase()
    const trees = db.storage.classes.filter(isTreeClass).map(({ name }) => name)
    expect(trees).toEqual(['treehook.BTree'])
    await db.close()
  })
})
