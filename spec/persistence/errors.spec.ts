import { describe, expect, test } from '@jest/globals'
import { persistenceErrors } from '../../lib/persistence/index.js'

describe('Persistence errors', () => {
  test('each has a code of this layer, its own name, and is final', () => {
    expect(new Set(persistenceErrors.map(({ code }) => code)).size).toBe(persistenceErrors.length)
    for (const ErrorClass of persistenceErrors) {
      const error = new ErrorClass('what to do')
      expect(error.code).toMatch(/^PERSISTENCE_[A-Z_]+$/)
      expect([error.name, error.message, error.retryable]).toEqual([
        ErrorClass.name,
        'what to do',
        false,
      ])
    }
  })
})
