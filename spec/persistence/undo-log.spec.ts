import { afterEach, describe, expect, test } from '@jest/globals'
import type { ObjectDatabase, Tid, UndoLogOptions } from '../../lib/persistence/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aDatabase, Employee, Office } from '../support/persistence-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

async function tidsOf(options?: UndoLogOptions): Promise<Tid[]> {
  const tids: Tid[] = []
  for await (const { tid } of db.undoLog(options)) tids.push(tid)
  return tids
}

/** Commit 1 makes the root mapping, commits 2 to 6 an employee each. */
async function fiveHired(): Promise<void> {
  db = await aHistoricalDatabase()
  for (let n = 2; n <= 6; n++)
    await commit(db, (root) => root.set(`e${n}`, new Employee()), `hires e${n}`)
}

describe('Undo log', () => {
  test('has the transactions, newest first, with notes and objects', async () => {
    await fiveHired()
    expect(await tidsOf()).toEqual([6, 5, 4, 3, 2, 1])
    for await (const entry of db.undoLog({ limit: 1 })) {
      expect(entry).toMatchObject({ tid: 6, description: 'hires e6', oids: [0, 5], removed: [] })
    }
  })

  test('can be cut: by range, by a filter, by how many to skip and to give', async () => {
    await fiveHired()
    expect(await tidsOf({ after: 2 as Tid, upTo: 4 as Tid })).toEqual([4, 3])
    expect(await tidsOf({ skip: 1, limit: 2 })).toEqual([5, 4])
    const isEven = ({ tid }: { tid: Tid }) => tid % 2 === 0
    expect(await tidsOf({ filter: isEven, skip: 1 })).toEqual([4, 2])
    expect(await tidsOf({ filter: ({ description }) => description === 'hires e3' })).toEqual([3])
    expect(await tidsOf({ limit: 0 })).toEqual([])
  })

  test('describes the objects of a transaction, without the nodes of trees', async () => {
    db = await aHistoricalDatabase()
    await commit(db, (root) => {
      const office = new Office()
      for (let n = 0; n < 100; n++) office.set(`k${n}`, n)
      root.set('office', office)
    })
    for await (const entry of db.undoLog({ limit: 1 })) {
      expect(entry.oids.length).toBeGreaterThan(3)
      expect(await entry.describe()).toEqual([
        'treehook.BTree (oid 0000000000000000)',
        'spec.Office (oid 0000000000000001)',
      ])
    }
  })

  test('begins where the history begins', async () => {
    await fiveHired()
    await db.storage.pruneHistory({ before: 4 as Tid })
    expect(await tidsOf()).toEqual([6, 5])
  })

  test('is empty without history', async () => {
    db = await aDatabase()
    await commit(db, (root) => root.set('bob', new Employee()))
    expect(await tidsOf()).toEqual([])
  })
})
