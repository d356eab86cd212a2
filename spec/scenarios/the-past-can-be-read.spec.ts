import { afterEach, describe, expect, test } from '@jest/globals'
import { codeOf } from '../../lib/foundation/index.js'
import {
  Database,
  type DatabaseOptions,
  Folder,
  pathOf,
  Site,
  siteOf,
  type Tid,
  traverse,
} from '../../lib/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'
import {
  aDirectory,
  BOB,
  Employee,
  endAll,
  ending,
  makeOffice,
} from '../support/webhooks-builders.js'

afterEach(endAll)

const HOUR = 3_600_000

/** Bob is hired, promoted an hour later, and leaves an hour after that. */
async function aCareer(options: DatabaseOptions = {}) {
  const location = await aDirectory()
  const clock = new FakeClock()
  const db = ending(await Database.open(location, { history: 'all', clock, ...options }))
  const commit = async (fn: Parameters<typeof db.transaction>[0]): Promise<Tid> => {
    await db.transaction(fn)
    return db.lastTid
  }
  const hired = await commit(({ root }) => makeOffice(root))
  const start = clock.nowMs()
  await clock.advance(HOUR)
  const promoted = await commit(({ root }) => {
    traverse(root, BOB, Employee).title = 'Chief'
  })
  await clock.advance(HOUR)
  const left = await commit(({ root }) => {
    traverse(root, '/NOAA/NWS/OUN/employees', Folder).delete('Bob')
  })
  return { db, location, clock, start, hired, promoted, left }
}

const titleIn = ({ root }: { root: Folder }) => traverse(root, BOB, Employee).title

describe('A database with history', () => {
  test('can be read as each commit left it', async () => {
    const { db, hired, promoted, left } = await aCareer()
    expect(await db.at(hired, titleIn)).toBe('')
    expect(await db.at(promoted, titleIn)).toBe('Chief')
    expect(await db.at({ before: left }, titleIn)).toBe('Chief')
    expect(await codeThrownBy(() => db.at(left, titleIn))).toBe('CONTENT_LOCATION')
  })

  test('can be read as it was at a time', async () => {
    const { db, start } = await aCareer()
    expect(await db.at(new Date(start + HOUR / 2), titleIn)).toBe('')
    expect(await db.at(new Date(start + HOUR), titleIn)).toBe('Chief')
    expect(await db.at({ before: new Date(start + HOUR) }, titleIn)).toBe('')
    expect(db.tidAt(new Date(start + 2 * HOUR))).toBe(db.lastTid)
  })

  test('has its tree, its paths and its sites in the past, too', async () => {
    const { db, hired } = await aCareer()
    await db.at(hired, ({ root }) => {
      const bob = traverse(root, BOB, Employee)
      expect(pathOf(bob)).toBe(BOB)
      expect(siteOf(bob)).toBeInstanceOf(Site)
    })
  })

  test('can be read in the past and now at the same time, in either order', async () => {
    const { db, hired, promoted } = await aCareer()
    await db.undo(db.lastTid)
    await db.at(hired, async (past) => {
      expect(titleIn(past)).toBe('')
      await db.view((now) => expect(titleIn(now)).toBe('Chief'))
      await runOutsideTransactionScope(() =>
        db.transaction(({ root }) => {
          traverse(root, BOB, Employee).title = 'President'
        }),
      )
      expect(titleIn(past)).toBe('')
      await db.at(promoted, (other) => expect(titleIn(other)).toBe('Chief'))
      await db.view((now) => expect(titleIn(now)).toBe('President'))
    })
  })

  test('cannot be changed in the past, and says so', async () => {
    const { db, promoted } = await aCareer()
    const error = await errorOf(() =>
      db.at(promoted, ({ root }) => {
        traverse(root, BOB, Employee).title = 'President'
      }),
    )
    expect(codeOf(error)).toBe('PERSISTENCE_READ_ONLY_TRANSACTION')
    expect(error.message).toMatch(/Bob .* was read as transaction 0{15}4 left it, in db\.at/)
  })

  test('has no future, and no past before its history', async () => {
    const { db, clock, promoted, left } = await aCareer()
    expect(await codeThrownBy(() => db.at((left + 1) as Tid, titleIn))).toBe(
      'PERSISTENCE_FUTURE_INSTANT',
    )
    expect(await codeThrownBy(() => db.at(new Date(clock.nowMs() + 1), titleIn))).toBe(
      'PERSISTENCE_FUTURE_INSTANT',
    )
    await db.storage.pruneHistory({ before: promoted })
    expect(db.historyFrom).toBe(promoted)
    expect(await codeThrownBy(() => db.at({ before: promoted }, titleIn))).toBe(
      'STORAGE_HISTORY_UNAVAILABLE',
    )
    expect(await db.at(promoted, titleIn)).toBe('Chief')
  })

  test('keeps it over a reopening, and may change what it keeps then', async () => {
    const { db, location, clock, hired, left } = await aCareer()
    await db.close()
    const again = ending(await Database.open(location, { clock }))
    expect(await again.at(hired, titleIn)).toBe('')
    await again.undo(left)
    expect(await again.view(titleIn)).toBe('Chief')
    await again.close()
    const forgetful = ending(await Database.open(location, { history: 'off', clock }))
    expect(forgetful.historyFrom).toBeUndefined()
    expect(await codeThrownBy(() => forgetful.at(hired, titleIn))).toBe(
      'STORAGE_HISTORY_UNAVAILABLE',
    )
  })

  test('keeps objects that were reached there readable after the call, where they are as they were', async () => {
    const { db, promoted, left } = await aCareer()
    await db.undo(left)
    const bob = await db.at(promoted, ({ root }) => traverse(root, BOB, Employee))
    expect(bob.title).toBe('Chief')
  })
})

describe('A database opened for reading', () => {
  test('can be read, and refuses transactions at once', async () => {
    const { db, location, left } = await aCareer()
    await db.undo(left)
    await db.close()
    const reading = ending(await Database.open(location, { readOnly: true, history: 'all' }))
    expect(reading.isReadOnly).toBe(true)
    expect(await reading.view(titleIn)).toBe('Chief')
    expect(await reading.at({ before: left }, titleIn)).toBe('Chief')
    let called = false
    const writing = reading.transaction(() => {
      called = true
    })
    const error = await errorOf(() => writing)
    expect(codeOf(error)).toBe('STORAGE_READ_ONLY')
    expect(error.message).toContain('was opened for reading. Read it with db.view')
    expect(called).toBe(false)
    expect(await codeThrownBy(() => reading.undo(left))).toBe('STORAGE_READ_ONLY')
    expect(await codeThrownBy(() => reading.pack())).toBe('STORAGE_READ_ONLY')
  })

  test('is refused where there is none', async () => {
    const location = await aDirectory()
    expect(await codeThrownBy(() => Database.open(location, { readOnly: true }))).not.toBe(
      'nothing',
    )
  })
})
