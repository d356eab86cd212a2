import { describe, expect, test } from '@jest/globals'
import {
  cacheLimitsIn,
  recordRulesIn,
  storageFor,
} from '../../lib/persistence/object-database-options.js'
import { createMemoryStorage } from '../../lib/storage/index.js'

describe('The options of a database', () => {
  test('lead to a directory, opened by nobody yet, when no storage is given', () => {
    const storage = storageFor('/nowhere', { readOnly: true })
    expect([storage.location, storage.isOpen, storage.isReadOnly]).toEqual([
      '/nowhere',
      false,
      true,
    ])
  })

  test('lead to the storage that is given, which says itself what history it keeps', () => {
    const storage = createMemoryStorage()
    expect(storageFor('ignored', { storage })).toBe(storage)
    expect(() => storageFor('ignored', { storage, history: 'all' })).toThrow(RangeError)
  })

  test('limit what a connection holds', () => {
    expect(cacheLimitsIn({})).toEqual({ objects: 20_000, bytes: 64 * 1024 * 1024 })
    expect(cacheLimitsIn({ cacheObjects: 5, cacheBytes: 7 })).toEqual({ objects: 5, bytes: 7 })
  })

  test.each(['all', 'off'] as const)('say what records must be; history: %s', async (history) => {
    const storage = createMemoryStorage({ history })
    await storage.open()
    expect(recordRulesIn({}, storage)).toEqual({
      checksReferences: false,
      largeRecordBytes: 16 * 1024 * 1024,
      keepsHistory: history === 'all',
    })
    const rules = recordRulesIn({ checkReferences: true, largeRecordBytes: 9 }, storage)
    expect(rules).toMatchObject({ checksReferences: true, largeRecordBytes: 9 })
    await storage.close()
  })
})
