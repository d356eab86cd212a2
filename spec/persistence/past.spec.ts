import { afterEach, describe, expect, test } from '@jest/globals'
import { CommittedStore } from '../../lib/persistence/committed-store.js'
import type { ObjectDatabase, Tid } from '../../lib/persistence/index.js'
import { Past } from '../../lib/persistence/past.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

/** Bob is oid 1: Forecaster in commit 2, Chief in commit 3. */
async function aPast() {
  db = await aHistoricalDatabase()
  await commit(db, (root) => root.set('bob', new Employee({ title: 'Forecaster' })))
  await commit(db, (root) => {
    ;(root.get('bob') as Employee).title = 'Chief'
  })
  const store = new CommittedStore(db.storage, 1_000_000)
  return { past: new Past(db.storage, store, 1_000_000), store }
}

const BOB = 1 as Oid

describe('Past', () => {
  test('gives the states as a commit left them', async () => {
    const { past } = await aPast()
    const titles = [1, 2, 3].map((tid) => past.read(tid as Tid, (states) => states(BOB)?.values[0]))
    expect(titles).toEqual([undefined, 'Forecaster', 'Chief'])
  })

  test('gives the states before and after a commit', async () => {
    const { past } = await aPast()
    const titles: unknown[] = []
    await past.readBoth(3 as Tid, async (before, after) => {
      titles.push(before(BOB)?.values[0], after(BOB)?.values[0])
    })
    expect(titles).toEqual(['Forecaster', 'Chief'])
  })

  test('puts nothing into the cache of what is newest', async () => {
    const { past, store } = await aPast()
    past.read(2 as Tid, (states) => states(BOB))
    past.read(3 as Tid, (states) => states(BOB))
    expect(store.cache.size).toBe(0)
    expect(store.stateAt(store.epochs.current, BOB)?.values[0]).toBe('Chief')
    store.close()
  })

  test('does not reach beyond the history', async () => {
    const { past } = await aPast()
    await db.storage.pruneHistory({ before: 3 as Tid })
    expect(await codeThrownBy(() => past.read(2 as Tid, () => 0))).toBe(
      'STORAGE_HISTORY_UNAVAILABLE',
    )
  })
})
