import { describe, expect, test } from '@jest/globals'
import {
  awaitChanges,
  BTree,
  connectionOf,
  estimatedSizeOf,
  isPersistent,
  oidOf,
  Persistent,
  serialOf,
  stateOf,
  stored,
} from '../../lib/persistence/index.js'
import { unwritten } from '../../lib/persistence/persistent.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  Employee,
} from '../support/persistence-builders.js'

describe('Persistent object', () => {
  test('is unsaved until it is added, and writable anywhere', () => {
    const employee = new Employee()
    employee.title = 'new'
    expect([stateOf(employee), oidOf(employee), serialOf(employee)]).toEqual([
      'unsaved',
      undefined,
      0,
    ])
  })

  test('goes through its states', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const object = bob()
    const states = [stateOf(object)]
    object.title = 'x'
    states.push(stateOf(object))
    await transactions.commit()
    states.push(stateOf(object))
    transactions.begin()
    connection.cacheMinimize()
    states.push(stateOf(object))
    expect(object.title).toBe('x')
    states.push(stateOf(object))
    expect(states).toEqual(['upToDate', 'changed', 'upToDate', 'ghost', 'upToDate'])
  })

  test('has the identity that its connection gave it, and nobody can give it another', async () => {
    const db = await aDatabaseWithBob()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const object = bob()
    connection.cacheMinimize()
    expect([oidOf(object), connectionOf(object), stateOf(object)]).toEqual([1, connection, 'ghost'])
    // The serial of a ghost is that of its state, which is loaded for it.
    expect([serialOf(object), stateOf(object)]).toEqual([db.lastTid, 'upToDate'])
    expect(Object.keys(object)).toEqual([])
  })

  test('is about as large as its state, which is loaded for that', async () => {
    const db = await aDatabaseWithBob({ title: 'x'.repeat(1000) })
    await db.transaction(({ rootMapping }) => void rootMapping.set('small', new Employee()))
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const [bob, small] = [rootMapping.get('bob')!, rootMapping.get('small')!]
      expect(estimatedSizeOf(bob)).toBeGreaterThan(1000)
      expect(estimatedSizeOf(small)).toBeLessThan(1000)
      expect(stateOf(bob)).toBe('upToDate')
    })
    expect(estimatedSizeOf(new Employee())).toBe(0)
  })

  test('is known from other objects', () => {
    expect([
      isPersistent(new Employee()),
      isPersistent({}),
      isPersistent(Object.create(Employee.prototype)),
    ]).toEqual([true, false, false])
  })

  test('is loaded without its constructor, and keeps volatile properties while in memory', async () => {
    let constructed = 0
    @stored('spec.Counted')
    class Counted extends Persistent {
      note = 'set by the constructor'
      constructor() {
        super()
        constructed++
      }
    }
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => void rootMapping.set('it', new Counted()))
    db.cacheClear()
    const seen = await db.view(({ rootMapping }) => {
      const it = rootMapping.get('it') as Counted
      const before = it.note
      it.note = 'volatile'
      return [it instanceof Counted, before, (rootMapping.get('it') as Counted).note]
    })
    expect([seen, constructed]).toEqual([[true, undefined, 'volatile'], 1])
  })
})

describe('An object whose changes are awaited', () => {
  class Tree extends BTree<string, string> {}

  test('tells before each change that nobody else notices', () => {
    const [bob, tree] = [new Employee(), new Tree()]
    const log: string[] = []
    awaitChanges(bob, () => void log.push(`bob, still ${bob.title}`))
    awaitChanges(tree, () => void log.push(`tree, still ${tree.size}`))
    expect([bob.title, tree.get('x'), tree.delete('x'), stateOf(bob)]).toEqual([
      '',
      undefined,
      false,
      'unsaved',
    ])
    bob.title = 'clerk'
    bob.title = 'boss'
    tree.set('x', 'y')
    expect(log).toEqual(['bob, still ', 'bob, still clerk', 'tree, still 0'])
  })

  test('is not changed when that throws', () => {
    const bob = new Employee()
    awaitChanges(bob, () => {
      throw new Error('no')
    })
    expect(() => {
      bob.title = 'boss'
    }).toThrow('no')
    expect(bob.title).toBe('')
  })

  test('tells no more once it is in a database, and again when that let it go', async () => {
    const db = await aDatabase()
    const bob = new Employee()
    let told = 0
    awaitChanges(bob, () => void told++)
    await db.transaction(({ rootMapping, transaction }) => {
      const savepoint = transaction.savepoint()
      rootMapping.set('bob', bob)
      transaction.savepoint()
      bob.title = 'clerk'
      expect([told, unwritten(bob) === 0]).toEqual([0, false])
      savepoint.rollback()
      bob.title = 'boss'
      expect(told).toBe(1)
      rootMapping.set('bob', bob)
    })
    await db.transaction(() => {
      bob.title = 'chief'
    })
    expect(told).toBe(1)
    await db.view(({ rootMapping }) =>
      expect(rootMapping.get('bob')).toMatchObject({ title: 'chief' }),
    )
    expect(unwritten(new Employee())).toBe(0)
  })
})
