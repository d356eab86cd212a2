import { describe, expect, test } from '@jest/globals'
import { BTree } from '../../../lib/persistence/index.js'

const aTree = (): BTree<number, number> => BTree.from([1, 2, 3].map((n) => [n, n * n]))

describe('Iterator of a tree', () => {
  test('is one of the language’s own kind', () => {
    const keys = aTree().keys()
    expect(keys[Symbol.iterator]()).toBe(keys)
    expect([...keys]).toEqual([1, 2, 3])
    expect([...keys]).toEqual([])
    expect(keys.next()).toEqual({ value: undefined, done: true })
  })

  test('is over when a loop leaves it', () => {
    const values = aTree().values()
    for (const value of values) if (value === 4) break
    expect([...values]).toEqual([])
  })
})
