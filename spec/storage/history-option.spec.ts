import { describe, expect, test } from '@jest/globals'
import { aHistory } from '../../lib/storage/history-option.js'

describe('Which history is kept', () => {
  test.each(['off', 'all', { maxAgeMs: 0 }, { maxTransactions: 1 }])('may be %p', (history) => {
    expect(aHistory.accepts(history)).toBe(true)
  })

  test.each([
    { maxAgeMs: -1 },
    { maxAgeMs: Number.NaN },
    { maxTransactions: 0 },
    { maxTransactions: 1.5 },
    { maxAgeMs: 1, maxTransactions: 1 },
    { maxAgeMs: 1, maxRevisions: 1 },
    {},
    'some',
    null,
  ])('is not %p', (history) => {
    expect(aHistory.accepts(history)).toBe(false)
  })
})
