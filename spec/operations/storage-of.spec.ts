import { expect, test } from '@jest/globals'
import { storageOf } from '../../lib/operations/storage-of.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { aDatabase } from '../support/persistence-builders.js'

test('A storage stands for itself, a database for the one it has', async () => {
  const storage = createMemoryStorage()
  expect(storageOf(storage)).toBe(storage)
  const db = await aDatabase({ storage })
  expect(storageOf(db)).toBe(storage)
  await db.close()
})
