import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase } from '../../lib/storage/index.js'
import { LogAge } from '../../lib/storage/log-age.js'
import { WriteBatch } from '../../lib/storage/write-batch.js'

describe('A batch', () => {
  test('is written as a whole, and counted', async () => {
    const database = createMemoryDatabase()
    await database.open()
    await database.put(Buffer.from('b'), Buffer.from('old'))
    const age = new LogAge(1)
    const batch = new WriteBatch(database, age)
    batch.put(Buffer.from('a'), Buffer.from('Anna'))
    batch.del(Buffer.from('b'))
    expect(batch.bytes).toBe(6)
    expect(await database.keys().all()).toHaveLength(1)
    await batch.write({ sync: true })
    expect((await database.iterator().all()).map(String)).toEqual(['a,Anna'])
    age.add(1)
    expect(age.now).toBe(1)
  })
})
