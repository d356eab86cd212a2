import { describe, expect, test } from '@jest/globals'
import { TreeChanges } from '../../../lib/persistence/btree/tree-changes.js'
import { TreeCursor, type TreeView } from '../../../lib/persistence/btree/tree-cursor.js'
import { EMPTY_TREE } from '../../../lib/persistence/btree/tree-node.js'
import type { RangeOptions } from '../../../lib/persistence/btree/tree-range.js'
import type { NodeSource } from '../../../lib/persistence/btree/tree-reading.js'

const source: NodeSource = {
  tid: -1,
  node() {
    throw new Error('A tree in memory has no stored nodes')
  },
}

/** Even numbers below 1000. */
const aTree = (): TreeChanges => {
  const tree = new TreeChanges(EMPTY_TREE, source)
  for (let n = 0; n < 1000; n += 2) tree.set(n, `v${n}`)
  return tree
}

const viewOf = (tree: TreeChanges): TreeView => ({
  source,
  get root() {
    return tree.root
  },
  get revision() {
    return tree.revision
  },
})

const keysOf = (tree: TreeChanges, range: RangeOptions): unknown[] => {
  const cursor = new TreeCursor(viewOf(tree), range)
  const keys: unknown[] = []
  while (cursor.advance()) keys.push(cursor.key)
  return keys
}

describe('Tree cursor', () => {
  test.each<[RangeOptions, unknown[]]>([
    [{ min: 4, max: 8 }, [4, 6, 8]],
    [{ min: 4, max: 8, excludeMin: true }, [6, 8]],
    [{ min: 4, max: 8, excludeMax: true }, [4, 6]],
    [{ min: 3, max: 9 }, [4, 6, 8]],
    [{ min: 4, max: 8, reverse: true }, [8, 6, 4]],
    [{ min: 4, max: 8, reverse: true, excludeMin: true, excludeMax: true }, [6]],
    [{ min: 994 }, [994, 996, 998]],
    [{ max: 4 }, [0, 2, 4]],
    [{ max: 2, reverse: true }, [2, 0]],
    [{ min: 996, reverse: true }, [998, 996]],
    [{ min: 9, max: 3 }, []],
    [{ min: 1000 }, []],
    [{ max: -1, reverse: true }, []],
    [{ min: 5, max: 5 }, []],
    [{ min: 6, max: 6 }, [6]],
    [{ min: 6, max: 6, excludeMax: true }, []],
    [{ min: 6, max: 6, excludeMin: true, reverse: true }, []],
    [{ min: 56, limit: 4 }, [56, 58, 60, 62]],
    [{ max: 62, limit: 2, reverse: true }, [62, 60]],
    [{ limit: 0 }, []],
    [{ min: 62, max: 64, limit: Number.POSITIVE_INFINITY }, [62, 64]],
  ])('goes through the range %j', (range, expected) => {
    expect(keysOf(aTree(), range)).toEqual(expected)
  })

  test('gives keys with their values', () => {
    const cursor = new TreeCursor(viewOf(aTree()))
    cursor.advance()
    cursor.advance()
    expect([cursor.key, cursor.value]).toEqual([2, 'v2'])
  })

  test('keeps its place in another tree', () => {
    const trees = [aTree(), aTree()]
    trees[1]!.delete(2)
    let at = 0
    const view: TreeView = {
      source,
      revision: 7,
      get root() {
        return trees[at]!.root
      },
    }
    const cursor = new TreeCursor(view)
    expect([cursor.advance(), cursor.key]).toEqual([true, 0])
    at = 1
    expect([cursor.advance(), cursor.key]).toEqual([true, 4])
  })

  test('is over for good once it was', () => {
    const tree = aTree()
    const cursor = new TreeCursor(viewOf(tree), { min: 998 })
    expect([cursor.advance(), cursor.advance()]).toEqual([true, false])
    tree.set(2000, 'late')
    expect(cursor.advance()).toBe(false)
  })

  test('seeks forward: near, far, to what is absent, and beyond the end', () => {
    const cursor = new TreeCursor(viewOf(aTree()))
    cursor.advance()
    const reached = [0, 6, 5, 7, 600, 601, 998].map((key) => cursor.seek(key) && cursor.key)
    expect(reached).toEqual([0, 6, 6, 8, 600, 602, 998])
    expect(cursor.seek(999)).toBe(false)
  })

  test('seeks within its range, and goes on from there', () => {
    const cursor = new TreeCursor(viewOf(aTree()), { max: 100 })
    cursor.advance()
    expect([cursor.seek(97), cursor.key, cursor.advance(), cursor.key]).toEqual([
      true,
      98,
      true,
      100,
    ])
    expect(cursor.seek(101)).toBe(false)
  })

  test('seeks in a tree that changed', () => {
    const tree = aTree()
    const cursor = new TreeCursor(viewOf(tree))
    cursor.advance()
    for (let n = 4; n < 200; n += 2) tree.delete(n)
    tree.set(201, 'new')
    expect([cursor.seek(4), cursor.key, cursor.seek(201), cursor.key]).toEqual([
      true,
      200,
      true,
      201,
    ])
  })
})
