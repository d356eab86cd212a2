import { describe, expect, test } from '@jest/globals'
import { checkRange } from '../../../lib/persistence/btree/tree-range.js'
import { codeThrownBy } from '../../support/storage-builders.js'

describe('Range of a tree', () => {
  test('has bounds that are keys, and a limit that is a whole number', () => {
    expect(() => checkRange({})).not.toThrow()
    expect(() => checkRange({ min: 1, max: ['a'], limit: 0 })).not.toThrow()
    expect(() => checkRange({ limit: Number.POSITIVE_INFINITY })).not.toThrow()
  })

  test.each([
    [{ min: {} as never }, 'PERSISTENCE_INVALID_KEY'],
    [{ max: Number.NaN }, 'PERSISTENCE_INVALID_KEY'],
    [{ limit: -1 }, 'PERSISTENCE_INVALID_RANGE'],
    [{ limit: 1.5 }, 'PERSISTENCE_INVALID_RANGE'],
    [{ limit: Number.NaN }, 'PERSISTENCE_INVALID_RANGE'],
  ])('%j is refused', async (range, code) => {
    expect(await codeThrownBy(() => checkRange(range))).toBe(code)
  })
})
