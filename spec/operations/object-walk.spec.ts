import { describe, expect, test } from '@jest/globals'
import { ObjectWalk } from '../../lib/operations/object-walk.js'
import type { Problem } from '../../lib/operations/problem.js'
import {
  BTree,
  type ObjectDatabase,
  type Persistent,
  referencesOf,
  TimeSlice,
} from '../../lib/persistence/index.js'
import {
  createMemoryDatabase,
  createMemoryStorage,
  type Oid,
  type Storage,
  type StorageCommit,
} from '../../lib/storage/index.js'
import { aDatabase, Employee } from '../support/persistence-builders.js'

/** What a walk over the whole database reports. */
async function walk(
  db: ObjectDatabase,
  storage: Pick<Storage, 'classes' | 'highestOid'> = db.storage,
) {
  const problems: Problem[] = []
  const snapshot = db.storage.snapshot()
  const walked = new ObjectWalk({
    storage,
    snapshot,
    slice: new TimeSlice(),
    signal: undefined,
    onProblem: (problem) => void problems.push(problem),
    onProgress: () => undefined,
  })
  await walked.run()
  return { walked, problems, close: () => snapshot.close() }
}

/** A database with a tree of employees in it, and what writes records behind its back. */
async function aDatabaseWithTree() {
  const place = createMemoryDatabase()
  const open = () => aDatabase({ storage: createMemoryStorage({ database: place }) })
  const db = await open()
  const { tree, employee } = await db.transaction(({ rootMapping, connection }) => {
    const employees = new BTree<string, Persistent>()
    rootMapping.set('employees', employees)
    for (let number = 0; number < 100; number++) employees.set(`e${number}`, new Employee())
    return {
      tree: connection.add(employees),
      employee: connection.add(employees.get('e5') as Employee),
    }
  })
  await db.close()
  const forge = async (change: Partial<StorageCommit>): Promise<void> => {
    const storage = createMemoryStorage({ database: place })
    await storage.open()
    const tid = (storage.lastTid + 1) as StorageCommit['tid']
    const metadata = { timeMs: Date.now(), user: '', description: '', extension: {} }
    await storage.write([{ tid, metadata, records: [], classes: [], ...change }], 'sync')
    await storage.close()
  }
  return { open, tree, employee, forge }
}

describe('A walk over the objects', () => {
  test('finds nothing wrong in a sound database, and counts what nothing leads to', async () => {
    const { open } = await aDatabaseWithTree()
    const db = await open()
    await db.transaction(({ connection }) => void connection.add(new Employee()))
    const { walked, problems, close } = await walk(db)
    expect(problems).toEqual([])
    expect(walked.unreachable).toBe(1)
    expect(walked.existing.size).toBeGreaterThan(100)
    close()
    await db.close()
  })

  test('reports an object that is gone, with what leads there', async () => {
    const { open, employee, forge } = await aDatabaseWithTree()
    await forge({ removed: [employee] })
    const db = await open()
    const { walked, problems, close } = await walk(db)
    expect(problems).toEqual([expect.objectContaining({ kind: 'lostObject', oid: employee })])
    expect(walked.paths.pathOf(employee)).toBe('rootMapping/employees/e5')
    close()
    await db.close()
  })

  test('reports a state that is none', async () => {
    const { open, employee, forge } = await aDatabaseWithTree()
    await forge({ records: [{ oid: employee, classId: 1, state: Buffer.from([0xc1]) }] })
    const db = await open()
    const { problems, close } = await walk(db)
    expect(problems).toEqual([expect.objectContaining({ kind: 'damagedObject', oid: employee })])
    close()
    await db.close()
  })

  test('reports classes that the database does not name, and oids that it never gave', async () => {
    const { open, tree, employee } = await aDatabaseWithTree()
    const db = await open()
    const { problems, close } = await walk(db, {
      classes: db.storage.classes.filter(({ name }) => name !== 'spec.Employee'),
      highestOid: tree,
    })
    expect(problems).toContainEqual(
      expect.objectContaining({ kind: 'unknownClass', oid: employee }),
    )
    expect(problems).toContainEqual(
      expect.objectContaining({ kind: 'contradiction', oid: employee }),
    )
    close()
    await db.close()
  })

  test('reports a tree whose nodes contradict one another', async () => {
    const { open, tree, forge } = await aDatabaseWithTree()
    const before = await open()
    const snapshot = before.storage.snapshot()
    const { classId, state } = snapshot.load(tree)!
    const root = Buffer.from(state)
    const nodes = referencesOf(root).strong
    const first = snapshot.load(nodes[0] as Oid)!
    const other = { oid: nodes[1] as Oid, classId: first.classId, state: Buffer.from(first.state) }
    snapshot.close()
    await before.close()
    await forge({ records: [other, { oid: tree, classId, state: root }] })
    const db = await open()
    const { problems, close } = await walk(db)
    expect(problems.map(({ kind, oid }) => [kind, oid])).toContainEqual(['damagedTree', tree])
    close()
    await db.close()
  })
})
