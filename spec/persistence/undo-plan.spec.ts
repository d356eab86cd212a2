import { afterEach, describe, expect, test } from '@jest/globals'
import { type BTree, type ObjectDatabase, oidOf, type Tid } from '../../lib/persistence/index.js'
import { fieldsIn, type StateSource } from '../../lib/persistence/state-source.js'
import { type ObjectChange, UndoPlan } from '../../lib/persistence/undo-plan.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aConnection, Employee, Office } from '../support/persistence-builders.js'

let db: ObjectDatabase
afterEach(() => db?.close())

const NOTHING: StateSource = () => undefined

/** Bob and an office, twice committed, and a plan on a connection that sees them. */
async function aPlan() {
  db = await aHistoricalDatabase()
  const bob = new Employee({ title: 'Forecaster' })
  const office = new Office()
  await commit(db, (root) => root.set('bob', bob).set('office', office.set('a', 1).set('b', 2)))
  await commit(db, (root) => {
    ;(root.get('bob') as Employee).title = 'Chief'
    ;(root.get('office') as BTree<string, number>).set('a', 10)
  })
  const { connection, transactions } = aConnection(db)
  transactions.begin()
  const past = aConnection(db)
  past.transactions.begin()
  const change = (oid: Oid, more: Partial<ObjectChange>): ObjectChange => ({
    oid,
    undone: 3 as Tid,
    before: connection.committedState(oid),
    after: connection.committedState(oid),
    statesBefore: NOTHING,
    statesAfter: (one) => connection.committedState(one),
    keys: [],
    ...more,
  })
  const plan = new UndoPlan(connection)
  return { plan, change, connection, bob: oidOf(bob) as Oid, office: oidOf(office) as Oid }
}

describe('Undo plan', () => {
  test('has nothing to do where a transaction changed nothing', async () => {
    const { plan, change, bob } = await aPlan()
    plan.undo(change(bob, {}))
    expect([...plan.objects]).toEqual([])
    expect(plan.conflicts).toEqual([])
  })

  test('puts a key back that is as the transaction left it', async () => {
    const { plan, change, office } = await aPlan()
    const key = 'a'
    plan.undo(
      change(office, { keys: [{ key, before: { key, value: 1 }, after: { key, value: 10 } }] }),
    )
    expect(plan.entryOf(office, 'a')?.value).toBe(1)
    expect(plan.entryOf(office, 'b')?.value).toBe(2)
    expect(plan.conflicts).toEqual([])
  })

  test('goes on from what it has planned', async () => {
    const { plan, change, office } = await aPlan()
    const key = 'a'
    plan.undo(
      change(office, { keys: [{ key, before: { key, value: 5 }, after: { key, value: 10 } }] }),
    )
    plan.undo(change(office, { keys: [{ key, before: undefined, after: { key, value: 5 } }] }))
    expect(plan.entryOf(office, 'a')).toBeUndefined()
    expect(plan.conflicts).toEqual([])
  })

  test('gathers all that stands in the way', async () => {
    const { plan, change, office } = await aPlan()
    for (const key of ['a', 'b']) {
      plan.undo(
        change(office, { keys: [{ key, before: undefined, after: { key, value: 'another' } }] }),
      )
    }
    expect(plan.conflicts.map(({ key, reason }) => [key, reason])).toEqual([
      ['a', 'it was changed by a later transaction'],
      ['b', 'it was changed by a later transaction'],
    ])
  })

  test('removes what was created, and knows that it will not be there', async () => {
    const { plan, change, bob } = await aPlan()
    expect(plan.willExist(bob)).toBe(true)
    plan.undo(change(bob, { before: undefined }))
    expect(plan.willExist(bob)).toBe(false)
    plan.undo(change(bob, { after: undefined }))
    expect(plan.willExist(bob)).toBe(true)
    expect(plan.conflicts).toEqual([])
  })

  test('brings back what was removed, with the state that it had', async () => {
    const { plan, change, connection, bob } = await aPlan()
    const gone = 99 as Oid
    expect(plan.willExist(gone)).toBe(false)
    plan.undo(change(gone, { before: connection.committedState(bob), after: undefined }))
    expect(plan.willExist(gone)).toBe(true)
    expect(plan.fieldsOf(gone).get('title')).toBe('Chief')
    expect([...plan.fieldsOf(bob)]).toEqual([
      ...fieldsIn(connection.committedState(bob) as NonNullable<ReturnType<StateSource>>),
    ])
  })
})
