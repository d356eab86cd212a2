import { describe, expect, test } from '@jest/globals'
import { NotedCursor } from '../../../lib/persistence/btree/noted-cursor.js'
import { TreeNode } from '../../../lib/persistence/btree/tree-node.js'
import type { RangeOptions } from '../../../lib/persistence/btree/tree-range.js'
import { ReadRange } from '../../../lib/persistence/read-set.js'

const source = {
  tid: 0,
  node: (): never => {
    throw new Error('there is one leaf')
  },
}

/** A cursor over 10, 20 … 50, and which of 0, 5, 10 … 60 it has noted. */
function aCursor(range: RangeOptions) {
  const keys = [10, 20, 30, 40, 50]
  const noted = new ReadRange(range)
  const root = new TreeNode(0, keys, keys.slice(), keys.length)
  const cursor = new NotedCursor({ root, revision: 0, source }, range, noted)
  const seen = (): number[] =>
    Array.from({ length: 13 }, (_, at) => at * 5).filter((key) => noted.includes(key))
  return { cursor, seen }
}

describe('Noted cursor', () => {
  test('notes as far as it went, and all of its range at the end', () => {
    const { cursor, seen } = aCursor({ min: 15, max: 35 })
    expect(seen()).toEqual([])
    cursor.advance()
    expect(seen()).toEqual([15, 20])
    cursor.advance()
    expect(seen()).toEqual([15, 20, 25, 30])
    expect(cursor.advance()).toBe(false)
    expect(seen()).toEqual([15, 20, 25, 30, 35])
  })

  test('notes downwards in reverse, and leaves out excluded bounds', () => {
    const { cursor, seen } = aCursor({
      min: 10,
      max: 50,
      excludeMin: true,
      excludeMax: true,
      reverse: true,
    })
    cursor.advance()
    expect(seen()).toEqual([40, 45])
    while (cursor.advance());
    expect(seen()).toEqual([15, 20, 25, 30, 35, 40, 45])
  })

  test('notes no further than its limit', () => {
    const { cursor, seen } = aCursor({ limit: 1 })
    expect([cursor.advance(), cursor.advance(), cursor.advance()]).toEqual([true, false, false])
    expect(seen()).toEqual([0, 5, 10])
  })

  test('notes what it skips', () => {
    const { cursor, seen } = aCursor({})
    cursor.advance()
    cursor.seek(30)
    expect(seen()).toEqual([0, 5, 10, 15, 20, 25, 30])
  })
})
