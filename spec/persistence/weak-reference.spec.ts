import { describe, expect, test } from '@jest/globals'
import {
  BTree,
  type ObjectDatabase,
  oidOf,
  plain,
  referencesOf,
  WeakReference,
} from '../../lib/persistence/index.js'
import { WeakOid } from '../../lib/persistence/reference.js'
import { toOid } from '../../lib/storage/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  ofStoredBob,
} from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

/** Bob's data is a weak reference to Bob. */
const aBobWithHimself = (db: ObjectDatabase): Promise<void> =>
  db.transaction((context) => {
    bobOf(context).data = new WeakReference(bobOf(context))
  })

interface Collections {
  readonly list: WeakReference[]
  readonly map: Map<string, WeakReference>
  readonly set: Set<WeakReference>
}

const weakOf = (bob: Employee): WeakReference<Employee> => bob.data as WeakReference<Employee>

describe('Weak reference', () => {
  test('leads to its object, in a field, in nested values and in a tree', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction((context) => {
      const bob = bobOf(context)
      const weak = new WeakReference(bob)
      bob.data = { weak, list: [weak], map: new Map([['a', weak]]), set: new Set([weak]) }
      context.rootMapping.set('tree', new BTree().set('a', weak).set('b', [weak]))
    })
    db.cacheClear()
    await db.view((context) => {
      const bob = bobOf(context)
      const { weak, list, map, set } = plain(bob.data) as {
        weak: WeakReference
        list: WeakReference[]
        map: Map<string, WeakReference>
        set: Set<WeakReference>
      }
      const tree = context.rootMapping.get('tree') as BTree<string, WeakReference>
      const nested = tree.get('b') as unknown as WeakReference[]
      const all = [weak, list[0], map.get('a'), [...set][0], tree.get('a'), nested[0]]
      expect(all.map((one) => one?.deref() === bob)).toEqual([true, true, true, true, true, true])
    })
    await db.close()
  })

  test('is the same each time it is read from a field in one transaction', async () => {
    const db = await aDatabaseWithBob()
    await aBobWithHimself(db)
    const [one, other] = await ofStoredBob(db, (bob) => [bob.data, bob.data])
    expect(one).toBe(other)
    await db.close()
  })

  test('may be put into a stored collection', async () => {
    const db = await aDatabaseWithBob({ data: { list: [], map: new Map(), set: new Set() } })
    await db.transaction((context) => {
      const bob = bobOf(context)
      const { list, map, set } = bob.data as Collections
      const weak = new WeakReference(bob)
      list.push(weak)
      map.set('a', weak)
      set.add(weak)
      expect([list[0], map.get('a'), [...set][0]].map((one) => one?.deref() === bob)).toEqual([
        true,
        true,
        true,
      ])
    })
    const found = await ofStoredBob(db, (bob) => {
      const { list, map, set } = bob.data as Collections
      return [list[0], map.get('a'), [...set][0]].map((one) => one?.deref() === bob)
    })
    expect(found).toEqual([true, true, true])
    await db.close()
  })

  test('stores its object with it, when that is new', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction((context) => {
      bobOf(context).data = new WeakReference(new Employee({ title: 'new' }))
    })
    expect(await ofStoredBob(db, (bob) => weakOf(bob).deref()?.title)).toBe('new')
    await db.close()
  })

  test('leads to nothing when its object is gone', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const dead = new WeakReference(undefined as never, toOid(999), connection as never)
    bob().data = [dead]
    await transactions.commit()
    expect(dead.deref()).toBeUndefined()
    connection.close()
    expect(await ofStoredBob(db, (it) => (it.data as WeakReference[])[0]?.deref())).toBeUndefined()
    await db.close()
  })

  test('tells its object without loading it', async () => {
    const db = await aDatabaseWithBob()
    await db.transaction((context) => {
      bobOf(context).data = new WeakReference(new Employee())
    })
    await ofStoredBob(db, (bob) => {
      const weak = weakOf(bob)
      const before = db.counters.loads
      expect(weak.refersTo(bob)).toBe(false)
      expect(db.counters.loads).toBe(before)
      expect(weak.refersTo(weak.deref()!)).toBe(true)
    })
    const alice = new Employee()
    expect(new WeakReference(alice).refersTo(alice)).toBe(true)
    expect(new WeakReference(alice).refersTo(new Employee())).toBe(false)
    await db.close()
  })

  test('is stored apart from strong ones', async () => {
    const db = await aDatabase()
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    const [bob, boss] = [new Employee(), new Employee()]
    connection.add(bob)
    bob.boss = boss
    bob.data = [new WeakReference(bob)]
    await transactions.commit()
    transactions.begin()
    const record = connection.loadRecord(oidOf(bob)!)
    expect(referencesOf(record!.state)).toEqual({ strong: [oidOf(boss)], weak: [oidOf(bob)] })
    await transactions.abort()
    await db.close()
  })

  test('of another connection is refused, and its object named', async () => {
    const db = await aDatabaseWithBob()
    await aBobWithHimself(db)
    const [one, other] = [aConnection(db), aConnection(db)]
    one.transactions.begin()
    other.transactions.begin()
    one.bob().data = [weakOf(other.bob())]
    expect(await codeThrownBy(() => one.transactions.commit())).toBe('PERSISTENCE_FOREIGN_OBJECT')
    await one.transactions.abort()
    await other.transactions.abort()
    await db.close()
  })

  test('may be moved from object to object, dead or alive', async () => {
    const db = await aDatabaseWithBob()
    await aBobWithHimself(db)
    await db.transaction((context) => {
      const bob = bobOf(context)
      context.rootMapping.set('al', new Employee({ data: [bob.data] }))
      bob.data = undefined
    })
    db.cacheClear()
    await db.view((context) => {
      const { data } = context.rootMapping.get('al') as Employee
      expect((data as WeakReference[])[0]?.deref()).toBe(bobOf(context))
    })
    await db.close()
  })

  test('has no other name in a state than the oid', () => {
    expect(new WeakOid(toOid(5))).toEqual({ oid: 5 })
  })
})
