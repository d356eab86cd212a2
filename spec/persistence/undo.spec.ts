import { afterEach, describe, expect, test } from '@jest/globals'
import { codeOf } from '../../lib/foundation/index.js'
import {
  type BTree,
  type ConflictStates,
  field,
  type ObjectDatabase,
  oidOf,
  Persistent,
  stored,
  type Tid,
  UndoError,
} from '../../lib/persistence/index.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aDatabase, bobOf, Employee, Office } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

/** Whose concurrent changes add up. */
@stored('spec.undo.Meter')
class Meter extends Persistent {
  @field accessor total = 0
  static resolveConflict({ old, saved, wanted }: ConflictStates<{ total: number }>) {
    return { total: saved.total + wanted.total - old.total }
  }
}

let db: ObjectDatabase
afterEach(() => db?.close())

const titleOfBob = () => db.view((context) => bobOf(context)?.title)
const keysOfRoot = () => db.view(({ rootMapping }) => [...rootMapping.keys()])

async function conflictsOf(undoing: Promise<unknown>): Promise<string[]> {
  const error = await errorOf(() => undoing)
  expect(error).toBeInstanceOf(UndoError)
  return (error as UndoError).conflicts.map(
    ({ what, key, undone, current, reason }) =>
      `${what}${key === undefined ? '' : `[${String(key)}]`}: ${reason} (${undone}, ${current})`,
  )
}

describe('Undo', () => {
  test('puts the fields of an object back to what they were', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) =>
      root.set('bob', new Employee({ title: 'Forecaster', phones: ['1'] })),
    )
    const tid = await commit(db, (root) => {
      const bob = root.get('bob') as Employee
      bob.title = 'Chief'
      bob.phones.push('2')
    })
    const undone = await db.undo(tid)
    expect(undone).toBe(tid + 1)
    await db.view((context) => {
      expect(bobOf(context).title).toBe('Forecaster')
      expect(bobOf(context).phones).toEqual(['1'])
    })
  })

  test('is a transaction with a note, and can be undone', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    const undone = (await db.undo(tid)) as Tid
    for await (const entry of db.undoLog({ limit: 1 })) {
      expect(entry).toMatchObject({ tid: undone, description: 'undo of 0000000000000003' })
    }
    await db.undo(undone, { note: 'after all' })
    expect(await titleOfBob()).toBe('Chief')
    for await (const entry of db.undoLog({ limit: 1 })) {
      expect(entry.description).toBe('after all')
    }
  })

  test('changes nothing where all is as it was before', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    await db.undo(tid)
    const { lastTid } = db
    expect(await db.undo(tid)).toBeUndefined()
    expect(db.lastTid).toBe(lastTid)
  })

  test('leaves changes of other objects alone', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => {
      root.set('bob', new Employee({ title: 'Forecaster' }))
      root.set('ada', new Employee({ title: 'Head' }))
    })
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    await commit(db, (root) => {
      ;(root.get('ada') as Employee).title = 'President'
    })
    await db.undo(tid)
    expect(await titleOfBob()).toBe('Forecaster')
    expect(await db.view(({ rootMapping }) => (rootMapping.get('ada') as Employee).title)).toBe(
      'President',
    )
  })

  test('is refused where fields were changed since, by object with both serials, and changes nothing', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => {
      root.set('bob', new Employee({ title: 'Forecaster' }))
      root.set('ada', new Employee({ title: 'Head' }))
    })
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
      ;(root.get('ada') as Employee).title = 'President'
    })
    const later = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Pensioner'
    })
    const error = await errorOf(() => db.undo(tid))
    expect(codeOf(error)).toBe('PERSISTENCE_UNDO_CONFLICT')
    expect(error.message).toContain('Some data were modified by a later transaction')
    expect((error as UndoError).conflicts).toEqual([
      {
        oid: 2,
        what: 'spec.Employee (oid 0000000000000002)',
        key: undefined,
        undone: tid,
        current: later,
        reason: 'it was changed by a later transaction',
      },
    ])
    expect(await db.view(({ rootMapping }) => (rootMapping.get('ada') as Employee).title)).toBe(
      'President',
    )
    expect(db.lastTid).toBe(later)
  })

  test('merges fields that were changed since as their class says', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('meter', new Meter()))
    const five = await commit(db, (root) => {
      ;(root.get('meter') as Meter).total += 5
    })
    await commit(db, (root) => {
      ;(root.get('meter') as Meter).total += 2
    })
    await db.undo(five)
    expect(await db.view(({ rootMapping }) => (rootMapping.get('meter') as Meter).total)).toBe(2)
  })

  test('takes several transactions back in one, in whatever order they are named', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const tids: Tid[] = []
    for (const title of ['Chief', 'President', 'Pensioner']) {
      tids.push(
        await commit(db, (root) => {
          ;(root.get('bob') as Employee).title = title
        }),
      )
    }
    const [first, second, third] = tids as [Tid, Tid, Tid]
    expect(await conflictsOf(db.undo([first, second]))).toHaveLength(2)
    await db.undo([second, third, first])
    expect(await titleOfBob()).toBe('Forecaster')
  })
})

describe('Undo of a tree’s changes', () => {
  const fill = (root: BTree<string, Persistent>, count: number) => {
    const office = new Office()
    for (let i = 0; i < count; i++) office.set(`k${String(i).padStart(4, '0')}`, i)
    root.set('office', office)
  }
  const officeOf = (root: BTree<string, Persistent>) => root.get('office') as Office

  test('takes back its own keys and leaves those of others', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => fill(root, 500))
    const tid = await commit(db, (root) => {
      const office = officeOf(root)
      office.set('k0100', 'changed')
      office.delete('k0200')
      for (let i = 0; i < 100; i++) office.set(`k0300.${i}`, i)
    })
    await commit(db, (root) => {
      const office = officeOf(root)
      office.set('k0101', 'mine')
      office.delete('k0201')
      for (let i = 0; i < 100; i++) office.set(`k0301.${i}`, i)
    })
    await db.undo(tid)
    await db.view(({ rootMapping }) => {
      const office = officeOf(rootMapping)
      expect(office.get('k0100')).toBe(100)
      expect(office.get('k0200')).toBe(200)
      expect(office.has('k0300.5')).toBe(false)
      expect(office.get('k0101')).toBe('mine')
      expect(office.has('k0201')).toBe(false)
      expect(office.has('k0301.5')).toBe(true)
      expect(office.size).toBe(500 - 1 + 100)
    })
  })

  test('brings back a tree that was cleared', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => fill(root, 300))
    const tid = await commit(db, (root) => officeOf(root).clear())
    await commit(db, (root) => officeOf(root).set('new', 1))
    await db.undo(tid)
    await db.view(({ rootMapping }) => {
      expect(officeOf(rootMapping).size).toBe(301)
      expect(officeOf(rootMapping).get('k0123')).toBe(123)
    })
  })

  test('is refused for a key that was changed since, and names it', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => fill(root, 100))
    const tid = await commit(db, (root) => {
      officeOf(root).set('k0050', 'one')
      officeOf(root).set('k0060', 'one')
    })
    const later = await commit(db, (root) => officeOf(root).set('k0050', 'two'))
    expect(await conflictsOf(db.undo(tid))).toEqual([
      `spec.Office (oid 0000000000000001)[k0050]: it was changed by a later transaction (${tid}, ${later})`,
    ])
  })

  test('handles fields and tree of one object apart', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => fill(root, 10))
    const tid = await commit(db, (root) => officeOf(root).set('k0005', 'changed'))
    await commit(db, (root) => {
      officeOf(root).city = 'Norman'
    })
    await db.undo(tid)
    await db.view(({ rootMapping }) => {
      expect(officeOf(rootMapping).city).toBe('Norman')
      expect(officeOf(rootMapping).get('k0005')).toBe(5)
    })
  })

  test('is merged with what another transaction does to other keys meanwhile', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => fill(root, 100))
    const tid = await commit(db, (root) => officeOf(root).set('k0050', 'changed'))
    let tries = 0
    const undoing = db.transaction(async (context) => {
      tries++
      await db.undoIn(context, tid)
      await new Promise((resolve) => setTimeout(resolve, 30))
    })
    await commit(db, (root) => {
      for (let i = 0; i < 100; i++) officeOf(root).set(`k0050.${i}`, i)
    })
    await undoing
    expect(tries).toBe(1)
    await db.view(({ rootMapping }) => {
      expect(officeOf(rootMapping).get('k0050')).toBe(50)
      expect(officeOf(rootMapping).size).toBe(200)
    })
  })
})

describe('Undo of a creation', () => {
  test('removes the object: it is not found any more', async () => {
    db = await aHistoricalDatabase()
    const bob = new Employee({ title: 'Forecaster' })
    const tid = await commit(db, (root) => root.set('bob', bob))
    const oid = oidOf(bob) as Oid
    await db.undo(tid)
    expect(await db.view(({ rootMapping }) => rootMapping.has('bob'))).toBe(false)
    expect(await codeThrownBy(() => db.view(({ connection }) => connection.get(oid)))).toBe(
      'STORAGE_OBJECT_NOT_FOUND',
    )
    expect((await db.history(oid)).map(({ removed }) => removed)).toEqual([true, false])
  })

  test('can be undone: the object is back, with its identity', async () => {
    db = await aHistoricalDatabase()
    const office = new Office()
    for (let i = 0; i < 200; i++) office.set(`k${i}`, new Employee({ title: `${i}` }))
    const tid = await commit(db, (root) => root.set('office', office))
    const oid = oidOf(office) as Oid
    const undone = (await db.undo(tid)) as Tid
    db.cacheClear()
    const back = (await db.undo(undone)) as Tid
    db.cacheClear()
    await db.view(({ rootMapping }) => {
      const found = rootMapping.get('office') as Office
      expect(oidOf(found)).toBe(oid)
      expect(found.size).toBe(200)
      expect((found.get('k150') as Employee).title).toBe('150')
    })
    const again = (await db.undo(back)) as Tid
    expect(await db.view(({ rootMapping }) => rootMapping.has('office'))).toBe(false)
    expect(await db.undo([tid, undone, back, again])).toBeUndefined()
    await db.undo([back, again])
    expect(await db.view(({ rootMapping }) => rootMapping.has('office'))).toBe(false)
    await db.undo(again)
    expect(await db.view(({ rootMapping }) => (rootMapping.get('office') as Office).size)).toBe(200)
  })

  test('is refused when the object was changed since', async () => {
    db = await aHistoricalDatabase()
    const tid = await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const later = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    expect(await conflictsOf(db.undo(tid))).toEqual([
      `spec.Employee (oid 0000000000000001): it was changed by a later transaction (${tid}, ${later})`,
    ])
    await db.undo([tid, later])
    expect(await db.view(({ rootMapping }) => rootMapping.has('bob'))).toBe(false)
  })

  test('is refused when something refers to the object since', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => {
      root.set('ada', new Employee({ title: 'Head' }))
      root.set('office', new Office())
    })
    const tid = await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const later = await commit(db, (root) => {
      ;(root.get('ada') as Employee).boss = root.get('bob') as Employee
      ;(root.get('office') as Office).set('chief', root.get('bob'))
    })
    const reason = 'it refers to oid 0000000000000003, whose creation is to be undone'
    expect(await conflictsOf(db.undo(tid))).toEqual([
      `spec.Employee (oid 0000000000000001): ${reason} (${tid}, ${later})`,
      `spec.Office (oid 0000000000000002)[chief]: ${reason} (${tid}, ${later})`,
    ])
    await db.undo([tid, later])
    expect(await db.view(({ rootMapping }) => rootMapping.has('bob'))).toBe(false)
  })

  test('cannot be taken back while what the object refers to is gone', async () => {
    db = await aHistoricalDatabase()
    const ada = await commit(db, (root) => root.set('ada', new Employee()))
    const bob = await commit(db, (root) =>
      root.set('bob', new Employee({ boss: root.get('ada') as Employee })),
    )
    const bobGone = (await db.undo(bob)) as Tid
    const adaGone = (await db.undo(ada)) as Tid
    expect(await conflictsOf(db.undo(bobGone))).toEqual([
      'The object with oid 0000000000000002: it would refer to oid 0000000000000001 again, which was ' +
        `removed since (${bobGone}, undefined)`,
    ])
    await db.undo([bobGone, adaGone])
    expect(await keysOfRoot()).toEqual(['ada', 'bob'])
  })

  test('is refused for the root mapping', async () => {
    db = await aHistoricalDatabase()
    expect(await conflictsOf(db.undo(1 as Tid))).toEqual([
      'treehook.BTree (oid 0000000000000000): a database cannot be without its root mapping (1, 1)',
    ])
  })

  test('conflicts with a transaction that refers to the object meanwhile', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('ada', new Employee()))
    const tid = await commit(db, (root) => root.set('bob', new Employee()))
    let release = (): void => {}
    const undone = new Promise<void>((resolve) => {
      release = resolve
    })
    let tries = 0
    const referring = db.transaction(async ({ rootMapping }) => {
      tries++
      const bob = rootMapping.get('bob') as Employee | undefined
      ;(rootMapping.get('ada') as Employee).boss = bob
      await undone
    })
    await db.undo(tid)
    release()
    await referring
    expect(tries).toBe(2)
    expect(
      await db.view(({ rootMapping }) => (rootMapping.get('ada') as Employee).boss),
    ).toBeUndefined()
  })

  test('is repeated when another transaction refers to the object first', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('ada', new Employee()))
    const tid = await commit(db, (root) => root.set('bob', new Employee()))
    let seen = 0
    const undoing = db.transaction(async (context) => {
      seen++
      await db.undoIn(context, tid)
      await new Promise((resolve) => setTimeout(resolve, 30))
    })
    await db.transaction(({ rootMapping }) => {
      ;(rootMapping.get('ada') as Employee).boss = rootMapping.get('bob') as Employee
    })
    expect(await codeThrownBy(() => undoing)).toBe('PERSISTENCE_UNDO_CONFLICT')
    expect(seen).toBe(2)
  })
})

describe('Undo in a running transaction', () => {
  test('is seen by it, and goes with it', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    await db
      .transaction(async (context) => {
        await db.undoIn(context, [tid])
        expect(bobOf(context).title).toBe('Forecaster')
        throw new Error('second thoughts')
      })
      .catch(() => undefined)
    expect(await titleOfBob()).toBe('Chief')
    await db.transaction(async (context) => {
      await db.undoIn(context, tid)
      context.rootMapping.set('ada', new Employee())
    })
    expect(await titleOfBob()).toBe('Forecaster')
  })

  test('brings objects back that can be read and changed before the commit', async () => {
    db = await aHistoricalDatabase()
    const tid = await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const undone = (await db.undo(tid)) as Tid
    await db.transaction(async (context) => {
      await db.undoIn(context, undone)
      expect(bobOf(context).title).toBe('Forecaster')
      bobOf(context).title = 'Chief'
    })
    db.cacheClear()
    expect(await titleOfBob()).toBe('Chief')
  })

  test('is taken back by a savepoint', async () => {
    db = await aHistoricalDatabase()
    const tid = await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    await db.transaction(async (context) => {
      const savepoint = context.transaction.savepoint()
      await db.undoIn(context, tid)
      expect(context.rootMapping.has('bob')).toBe(false)
      savepoint.rollback()
      expect(bobOf(context).title).toBe('Forecaster')
    })
    db.cacheClear()
    expect(await titleOfBob()).toBe('Forecaster')
  })

  test('is refused for what the transaction has changed itself', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const tid = await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    const undoing = db.transaction(async (context) => {
      bobOf(context).title = 'mine'
      await db.undoIn(context, tid)
    })
    expect(await conflictsOf(undoing)).toEqual([
      'spec.Employee (oid 0000000000000001): it was changed by the running transaction; undo several ' +
        `transactions in one call (${tid}, ${tid})`,
    ])
  })
})

describe('Undo is refused', () => {
  test('without history', async () => {
    db = await aDatabase()
    await commit(db, (root) => root.set('bob', new Employee()))
    expect(await codeThrownBy(() => db.undo(2 as Tid))).toBe('STORAGE_HISTORY_UNAVAILABLE')
  })

  test('for what history no longer reaches', async () => {
    db = await aHistoricalDatabase()
    const tid = await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
    const later = await commit(db, (root) => root.set('ada', new Employee()))
    await db.storage.pruneHistory({ before: tid })
    expect(await codeThrownBy(() => db.undo(tid))).toBe('STORAGE_HISTORY_UNAVAILABLE')
    await db.undo(later)
    expect(await keysOfRoot()).toEqual(['bob'])
  })

  test('for what has not happened, and for what is no tid', async () => {
    db = await aHistoricalDatabase()
    expect(await codeThrownBy(() => db.undo(99 as Tid))).toBe('PERSISTENCE_FUTURE_INSTANT')
    expect(await codeThrownBy(() => db.undo(1.5 as Tid))).toBe('PERSISTENCE_INVALID_INSTANT')
    expect(await codeThrownBy(() => db.undo('1' as unknown as Tid))).toBe(
      'PERSISTENCE_INVALID_INSTANT',
    )
  })
})
