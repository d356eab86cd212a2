import { afterEach, describe, expect, test } from '@jest/globals'
import type { ObjectDatabase, Tid } from '../../lib/persistence/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

/** Bob, with three titles, one a second; `tids` and `times` are of those commits. */
async function threeTitles() {
  const clock = new FakeClock()
  db = await aHistoricalDatabase({ clock })
  await commit(db, (root) => root.set('bob', new Employee()))
  const tids: Tid[] = []
  const times: Date[] = []
  for (const title of ['clerk', 'boss', 'chief']) {
    await clock.advance(1000)
    tids.push(await commit(db, (root) => Object.assign(root.get('bob')!, { title })))
    times.push(new Date(clock.nowMs()))
  }
  return { clock, tids: tids as [Tid, Tid, Tid], times: times as [Date, Date, Date] }
}

const titleAt = (when: Parameters<ObjectDatabase['at']>[0]) =>
  db.at(when, (context) => bobOf(context).title)

describe('The history of a database', () => {
  test('is read at commits and at times', async () => {
    const { clock, tids, times } = await threeTitles()
    await clock.advance(500)
    expect(await Promise.all(tids.map(titleAt))).toEqual(['clerk', 'boss', 'chief'])
    expect(await Promise.all(times.map(titleAt))).toEqual(['clerk', 'boss', 'chief'])
    expect(await titleAt({ before: tids[1] })).toBe('clerk')
    expect(await titleAt({ before: times[2] })).toBe('boss')
    expect(db.tidAt(new Date(times[1].getTime() + 999))).toBe(tids[1])
  })

  test('is not changed by those who read it, nor by those who commit meanwhile', async () => {
    const { tids } = await threeTitles()
    await db.at(tids[0], async (context) => {
      const bob = bobOf(context)
      const write = () => {
        bob.title = 'someone else'
      }
      expect(await codeThrownBy(write)).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
      context.connection.cacheMinimize()
      expect(bob.title).toBe('clerk')
    })
  })

  test('of an object that was never stored there is none', async () => {
    await threeTitles()
    expect(await codeThrownBy(() => db.history(new Employee()))).toBe('STORAGE_OBJECT_NOT_FOUND')
  })

  test('lists what can be undone, in words of then', async () => {
    await threeTitles()
    const described: string[] = []
    for await (const entry of db.undoLog({ limit: 1 })) {
      described.push(...(await entry.describe()))
    }
    expect(described).toEqual([expect.stringContaining('spec.Employee')])
  })

  test('is not there when none is kept, but for what is newest', async () => {
    db = await aDatabaseWithBob()
    expect(await codeThrownBy(() => titleAt(1 as Tid))).toBe('STORAGE_HISTORY_UNAVAILABLE')
    expect(db.historyFrom).toBeUndefined()
  })
})
