import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase, createMemoryStorage, toOid } from '../../lib/storage/index.js'
import { MemoryBlobs } from '../../lib/storage/memory-blobs.js'
import { describeBlobStore } from '../contracts/blob-store-contract.js'

describeBlobStore('A store in memory', { create: async () => new MemoryBlobs() })

describe('A store in memory', () => {
  test('is found again by who opens the rows again', async () => {
    const database = createMemoryDatabase()
    const storage = createMemoryStorage({ database })
    await storage.open()
    const name = { oid: toOid(1), contentId: '00'.repeat(16) }
    const draft = await storage.blobs.create()
    await draft.finish()
    await storage.blobs.place(draft, name)
    await storage.close()
    const again = createMemoryStorage({ database })
    await again.open()
    expect(again.blobs.open(name)?.size).toBe(0)
    await again.close()
  })
})
