import { expect, test } from '@jest/globals'
import { ConnectionContext, ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryStorage } from '../../lib/storage/index.js'

test('What the function of a transaction works with is its connection, its transaction and the mapping at the root', async () => {
  const db = await ObjectDatabase.open('memory', { storage: createMemoryStorage() })
  await db.transaction((context) => {
    expect(context).toBeInstanceOf(ConnectionContext)
    expect(context.rootMapping).toBe(context.connection.rootMapping)
    expect(context.transaction).toBe(context.connection.transactionManager.current)
  })
  await db.close()
})
