import { afterEach, describe, expect, test } from '@jest/globals'
import { type ObjectDatabase, oidOf } from '../../lib/persistence/index.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aDatabase, Employee, Office } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

describe('History of an object', () => {
  test('has its revisions, newest first, with what their transactions say', async () => {
    db = await aHistoricalDatabase()
    const bob = new Employee({ title: 'Forecaster' })
    await commit(db, (root) => root.set('bob', bob), 'hired')
    await commit(db, (root) => root.set('ada', new Employee()))
    await db.transaction(({ rootMapping, transaction }) => {
      transaction.user = '/ anna'
      transaction.note('promoted')
      transaction.setExtendedInfo('grade', 12)
      ;(rootMapping.get('bob') as Employee).title = 'Chief'
    })
    const history = await db.history(bob)
    expect(history).toMatchObject([
      { tid: 4, user: '/ anna', description: 'promoted', extension: { grade: 12 }, removed: false },
      { tid: 2, user: '', description: 'hired', extension: {}, removed: false },
    ])
    for (const { timeMs, bytes } of history) {
      expect(timeMs).toBeGreaterThan(1_600_000_000_000)
      expect(bytes).toBeGreaterThan(5)
    }
    expect(await db.history(oidOf(bob) as Oid, { limit: 1 })).toEqual(history.slice(0, 1))
  })

  test('counts a change of its tree', async () => {
    db = await aHistoricalDatabase()
    const office = new Office()
    for (let n = 0; n < 100; n++) office.set(`k${n}`, n)
    await commit(db, (root) => root.set('office', office))
    await commit(db, (root) => (root.get('office') as Office).set('k50', 'changed'))
    expect((await db.history(office)).map(({ tid }) => tid)).toEqual([3, 2])
  })

  test('without history is the newest revision', async () => {
    db = await aDatabase()
    const bob = new Employee()
    await commit(db, (root) => root.set('bob', bob))
    await commit(db, (root) => {
      ;(root.get('bob') as Employee).title = 'Chief'
    })
    expect((await db.history(bob)).map(({ tid }) => tid)).toEqual([3])
  })

  test('does not know who wrote what is older than the history', async () => {
    db = await aHistoricalDatabase()
    const bob = new Employee()
    await commit(db, (root) => root.set('bob', bob), 'hired')
    const tid = await commit(db, (root) => root.set('ada', new Employee()))
    await commit(db, (root) => root.set('eve', new Employee()))
    await db.storage.pruneHistory({ before: tid })
    await db.storage.checkpoint()
    expect((await db.history(bob)).map(({ tid: one }) => one)).toEqual([2])
  })

  test('there is none of what was never stored', async () => {
    db = await aHistoricalDatabase()
    expect(await codeThrownBy(() => db.history(new Employee()))).toBe('STORAGE_OBJECT_NOT_FOUND')
    expect(await codeThrownBy(() => db.history(99 as Oid))).toBe('STORAGE_OBJECT_NOT_FOUND')
  })
})
