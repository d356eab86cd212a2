import { afterEach, describe, expect, test } from '@jest/globals'
import { codeOf } from '../../lib/foundation/index.js'
import { type ObjectDatabase, oidOf, type Tid } from '../../lib/persistence/index.js'
import type { Oid } from '../../lib/storage/index.js'
import { aHistoricalDatabase, commit } from '../support/history-builders.js'
import { aConnection, Employee } from '../support/persistence-builders.js'
import { codeThrownBy, errorOf } from '../support/storage-builders.js'

let db: ObjectDatabase
afterEach(() => db.close())

const OTHER = 'ada'

/** Bob, whom two connections of the spec are about to remove or bring back. */
async function aCreation() {
  db = await aHistoricalDatabase()
  await commit(db, (root) => root.set(OTHER, new Employee()))
  const bob = new Employee({ title: 'Forecaster' })
  const tid = await commit(db, (root) => root.set('bob', bob))
  return { tid, oid: oidOf(bob) as Oid }
}

describe('Existence of objects in a transaction', () => {
  test('what it removes is gone for itself at once, for others with the commit', async () => {
    const { tid, oid } = await aCreation()
    await db
      .transaction(async (context) => {
        await db.undoIn(context, tid)
        expect(context.connection.committedState(oid)).toBeUndefined()
        expect(await codeThrownBy(() => context.connection.get(oid))).toBe('nothing')
      })
      .catch(() => undefined)
    expect(await codeThrownBy(() => db.view(({ connection }) => connection.get(oid)))).toBe(
      'STORAGE_OBJECT_NOT_FOUND',
    )
  })

  test('a reader who began before still reads it', async () => {
    const { tid } = await aCreation()
    await db.view(async ({ rootMapping }) => {
      await Promise.resolve()
      await new Promise<void>((resolve, reject) => {
        setImmediate(() => db.undo(tid).then(() => resolve(), reject))
      }).catch(() => undefined)
      db.cacheClear()
      expect((rootMapping.get('bob') as Employee).title).toBe('Forecaster')
    })
  })

  test('two who remove, or bring back, the same object are in conflict', async () => {
    const { tid } = await aCreation()
    const removals = [db.undo(tid), db.undo(tid)]
    expect((await Promise.all(removals)).filter((one) => one !== undefined)).toHaveLength(1)
    const removal = db.lastTid
    const returns = [db.undo(removal), db.undo(removal)]
    expect((await Promise.all(returns)).filter((one) => one !== undefined)).toHaveLength(1)
    expect(await db.view(({ rootMapping }) => (rootMapping.get('bob') as Employee).title)).toBe(
      'Forecaster',
    )
  })

  test('a reference to what the transaction removes is refused at its commit', async () => {
    const { tid } = await aCreation()
    const error = await errorOf(() =>
      db.transaction(async (context) => {
        const bob = context.rootMapping.get('bob') as Employee
        await db.undoIn(context, tid)
        ;(context.rootMapping.get(OTHER) as Employee).boss = bob
      }),
    )
    expect(codeOf(error)).toBe('PERSISTENCE_DANGLING_REFERENCE')
    expect(await db.view(({ rootMapping }) => rootMapping.has('bob'))).toBe(true)
  })

  test('an object of before the removal is not there, and cannot be referred to again', async () => {
    const { tid } = await aCreation()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    const kept = bob()
    expect(kept.title).toBe('Forecaster')
    await transactions.abort()
    await db.undo(tid)
    transactions.begin()
    expect(await codeThrownBy(() => kept.title)).toBe('PERSISTENCE_DANGLING_REFERENCE')
    ;(connection.rootMapping.get(OTHER) as Employee).boss = kept
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    await transactions.abort()
    connection.close()
  })

  test('a writer of what was removed meanwhile is in conflict', async () => {
    const { tid } = await aCreation()
    const { connection, transactions, bob } = aConnection(db)
    transactions.begin()
    bob().title = 'Chief'
    await db.undo(tid)
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    await transactions.abort()
    connection.close()
  })

  test('what came back is still there after reopening and with cold caches', async () => {
    const { tid, oid } = await aCreation()
    const removal = (await db.undo(tid)) as Tid
    await db.undo(removal)
    await db.storage.checkpoint()
    db.cacheClear()
    await db.view(({ connection }) => {
      expect((connection.get(oid) as Employee).title).toBe('Forecaster')
    })
  })
})
