import { describe, expect, test } from '@jest/globals'
import { createMemoryDatabase, createMemoryStorage } from '../../lib/storage/index.js'
import { describeStorage } from '../contracts/storage-contract.js'

let database = createMemoryDatabase()

describeStorage('A memory storage', {
  factory: {
    create: async (options = {}) => createMemoryStorage({ database, ...options }),
    clear: async () => {
      database = createMemoryDatabase()
    },
  },
})

describe('A memory storage', () => {
  test('is called memory', () => {
    expect(createMemoryStorage().location).toBe('memory')
  })
})
