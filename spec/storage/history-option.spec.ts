import { describe, expect, test } from '@jest/globals'
import { assertHistory } from '../../lib/storage/history-option.js'

describe('Which history is kept', () => {
  test.each([undefined, 'off', 'all', { maxAgeMs: 0 }, { maxTransactions: 1 }] as const)(
    'may be %p',
    (history) => {
      expect(() => assertHistory(history)).not.toThrow()
    },
  )

  test.each([
    { maxAgeMs: -1 },
    { maxAgeMs: Number.NaN },
    { maxTransactions: 0 },
    { maxTransactions: 1.5 },
    { maxAgeMs: 1, maxTransactions: 1 },
    {},
    'some',
  ])('is not %p', (history) => {
    expect(() => assertHistory(history as never)).toThrow(RangeError)
  })
})
