import { describe, expect, test } from '@jest/globals'
import { ObjectDatabase } from '../../lib/persistence/index.js'
import {
  cacheLimitsIn,
  recordRulesIn,
  storageFor,
} from '../../lib/persistence/object-database-options.js'
import { createMemoryStorage } from '../../lib/storage/index.js'
import { errorOf } from '../support/storage-builders.js'

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
    const kept = () => storageFor('ignored', { storage, history: 'all' })
    expect(kept).toThrow(expect.objectContaining({ code: 'PERSISTENCE_INVALID_OPTION' }))
  })

  test.each([
    { cacheBytes: -1 },
    { cacheBytes: '64MB' },
    { cacheObjects: Number.NaN },
    { poolSize: 0.5 },
    { durability: 'Sync' },
    { readOnly: 'no' },
    { storage: {} },
    { clock: Date },
    { onMissingClass: 'ignore' },
    { classFactory: {} },
    { largeRecordBytes: 0 },
    { onError: 'print' },
    { checkReferences: 1 },
    { durabilty: 'sync' },
    5,
  ])('are refused by name: %p', async (options) => {
    const open = () => ObjectDatabase.open('/nowhere', options as never)
    const error = await errorOf(open)
    expect(error).toMatchObject({ code: 'PERSISTENCE_INVALID_OPTION' })
    expect(error.message).toContain(Object.keys(options)[0] ?? 'Options are an object')
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
