import { describe, expect, test } from '@jest/globals'
import { KeySequence, TreeSet, union } from '../../../lib/persistence/index.js'

describe('Key sequence', () => {
  test('is worked out anew each time it is read', () => {
    const set = TreeSet.from(['a'])
    const both = union(set, TreeSet.from(['c']))
    expect(both).toBeInstanceOf(KeySequence)
    expect([...both]).toEqual(['a', 'c'])
    set.add('b')
    expect([...both]).toEqual(['a', 'b', 'c'])
  })

  test('can be kept', () => {
    const both = union(TreeSet.from(['a']), TreeSet.from(['c']))
    expect(TreeSet.from(both).size).toBe(2)
  })
})
