import { describe, expect, test } from '@jest/globals'
import { visitHeldObjects } from '../../lib/persistence/held-objects.js'
import { type BTree, type Persistent, WeakReference } from '../../lib/persistence/index.js'
import { aConnection, aDatabaseWithBob, Employee, Office } from '../support/persistence-builders.js'

function heldBy(object: Persistent): Persistent[] {
  const held: Persistent[] = []
  visitHeldObjects(object, (one) => held.push(one))
  return held
}

const someone = (title: string) => new Employee({ title })

class Keeper extends Employee {
  kept: Employee | undefined
  getState() {
    return { boss: this.kept }
  }
}

describe('The objects that a new object holds', () => {
  test('are those in its fields, in nested values, and those held weakly', () => {
    const [boss, inList, inMap, inSet, weakly] = ['1', '2', '3', '4', '5'].map(someone)
    const data = {
      list: [1, [inList], 'text', null, new Date()],
      map: new Map([['k', { inMap }]]),
      set: new Set([inSet]),
      weak: new WeakReference(weakly!),
    }
    expect(heldBy(new Employee({ boss: boss!, data }))).toEqual([
      boss,
      inList,
      inMap,
      inSet,
      weakly,
    ])
  })

  test('are those in nested values as they are now', () => {
    const [before, after] = ['before', 'after'].map(someone)
    const bob = new Employee({ data: [before] })
    ;(bob.data as unknown[])[0] = after
    expect(heldBy(bob)).toEqual([after])
  })

  test('are those in its tree, however deep', () => {
    const tree = new Office()
    const staff = Array.from({ length: 100 }, (_, n) => someone(String(n)))
    for (const [n, one] of staff.entries()) tree.set(`k${String(n).padStart(3, '0')}`, [one])
    expect(heldBy(tree)).toEqual(staff)
  })

  test('are those that its getState gives', () => {
    const keeper = new Keeper()
    keeper.kept = someone('kept')
    expect(heldBy(keeper)).toEqual([keeper.kept])
  })
})

test('of an object that was stored, what was stored with it is not visited', async () => {
  const db = await aDatabaseWithBob({
    boss: someone('boss'),
    data: [new WeakReference(someone(''))],
  })
  const { connection, transactions, bob } = aConnection(db)
  transactions.begin()
  const tree = connection.rootMapping as BTree<string, Employee>
  for (let n = 0; n < 100; n++) tree.set(`k${n}`, someone(''))
  await transactions.commit()
  transactions.begin()
  const [late, later] = [someone('late'), someone('later')]
  bob().title = 'changed'
  tree.set('k50', late)
  tree.set('new', later)
  expect(heldBy(bob())).toEqual([])
  expect(heldBy(tree)).toEqual([late, later])
  await transactions.abort()
  await db.close()
})
