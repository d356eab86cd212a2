import { describe, expect, test } from '@jest/globals'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { FakeClock } from '../../lib/testing/index.js'
import {
  aConnection,
  aDatabase,
  aDatabaseWithBob,
  bobOf,
  Employee,
  ofStoredBob,
} from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

describe('What a transaction writes', () => {
  test('new objects are stored with the objects that refer to them, cycles included', async () => {
    const db = await aDatabase()
    await db.transaction(({ rootMapping }) => {
      const bob = new Employee({ title: 'bob' })
      const ann = new Employee({ title: 'ann', boss: bob })
      bob.boss = ann
      bob.data = [{ self: bob }]
      rootMapping.set('bob', bob)
    })
    const seen = await ofStoredBob(db, (bob) => [
      bob.boss!.title,
      bob.boss!.boss === bob,
      (bob.data as [{ self: Employee }])[0].self === bob,
    ])
    expect(seen).toEqual(['ann', true, true])
  })

  test('an object of another connection is refused, and nothing is stored', async () => {
    const db = await aDatabaseWithBob({ title: 'bob' })
    const other = await aDatabaseWithBob({ title: 'other' })
    const { transactions, bob } = aConnection(other)
    transactions.begin()
    const foreign = bob()
    const error = await errorOf(() =>
      db.transaction((context) => {
        bobOf(context).title = 'changed'
        bobOf(context).boss = foreign
      }),
    )
    expect(error).toMatchObject({ code: 'PERSISTENCE_FOREIGN_OBJECT' })
    expect(error.message).toMatch(/spec\.Employee.*0000000000000001.*Reach it/)
    expect(await ofStoredBob(db, (it) => [it.title, it.boss])).toEqual(['bob', undefined])
  })

  test('is nothing when nothing was changed: no commit is made', async () => {
    const db = await aDatabaseWithBob({ title: 'clerk' })
    const { lastTid } = db
    await db.transaction((context) => expect(bobOf(context).title).toBe('clerk'))
    expect(db.lastTid).toBe(lastTid)
  })

  test('says of each record where the one before it is, when history is kept', async () => {
    for (const history of ['all', 'off'] as const) {
      const storage = new WrappedStorage(createMemoryStorage({ history }))
      const db = await aDatabaseWithBob({}, { storage })
      const tids = [db.lastTid]
      for (const title of ['a', 'b']) {
        await db.transaction((context) => {
          bobOf(context).title = title
        })
        tids.push(db.lastTid)
      }
      const links = storage.batches
        .flat()
        .flatMap(({ records }) => records.filter(({ oid }) => oid === 1).map(({ link }) => link))
      expect(links.map((link) => link?.previousTid)).toEqual(
        history === 'all' ? [0, tids[0], tids[1]] : [undefined, undefined, undefined],
      )
    }
  })

  test('goes to the storage with who made it, and why', async () => {
    const storage = new WrappedStorage()
    const db = await aDatabase({ storage, clock: new FakeClock() })
    await db.transaction(
      ({ connection, transaction }) => {
        connection.add(new Employee())
        transaction.user = 'ada'
        transaction.setExtendedInfo('ticket', 7)
      },
      { note: 'a new employee' },
    )
    const [commit] = storage.batches[storage.batches.length - 1] ?? []
    expect(commit?.metadata).toEqual({
      timeMs: new FakeClock().nowMs(),
      user: 'ada',
      description: 'a new employee',
      extension: { ticket: 7 },
    })
  })
})
