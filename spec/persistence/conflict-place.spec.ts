import { describe, expect, test } from '@jest/globals'
import { outsideAllScopes } from '../../lib/foundation/index.js'
import { placeOfConflict } from '../../lib/persistence/conflict-place.js'
import { DatabaseGroup } from '../../lib/persistence/index.js'
import { aDatabase, aDatabaseWithBob, bobOf, Employee } from '../support/persistence-builders.js'
import { errorOf } from '../support/storage-builders.js'

describe('Where a conflict was', () => {
  test('is known of a transaction over several databases', async () => {
    const main = await aDatabase()
    const archive = await aDatabaseWithBob()
    await archive.transaction(({ rootMapping }) => void rootMapping.set('ada', new Employee()))
    const databases = new DatabaseGroup()
    databases.add('main', main)
    databases.add('archive', archive)
    const error = await errorOf(() =>
      main.transaction(
        async ({ connection }) => {
          bobOf(connection.getConnection('archive')).title = 'mine'
          await outsideAllScopes(() =>
            archive.transaction((context) => {
              bobOf(context).title = 'theirs'
            }),
          )
        },
        { tries: 1 },
      ),
    )
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT' })
    expect(placeOfConflict(error)?.nextTid).toBe(archive.lastTid + 1)
    await main.close()
    await archive.close()
  })

  test('is not noted where there is one database', async () => {
    const db = await aDatabaseWithBob()
    const error = await errorOf(() =>
      db.transaction(
        async (context) => {
          bobOf(context).title = 'mine'
          await outsideAllScopes(() =>
            db.transaction((other) => {
              bobOf(other).title = 'theirs'
            }),
          )
        },
        { tries: 1 },
      ),
    )
    expect(error).toMatchObject({ code: 'STORAGE_CONFLICT' })
    expect(placeOfConflict(error)).toBeUndefined()
    await db.close()
  })
})
