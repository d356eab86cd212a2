import { describe, expect, test } from '@jest/globals'
import { TreeChanges } from '../../../lib/persistence/btree/tree-changes.js'
import { EMPTY_TREE } from '../../../lib/persistence/btree/tree-node.js'
import {
  findValue,
  hasKey,
  type RangeOptions,
  walkRange,
} from '../../../lib/persistence/btree/tree-reading.js'

const source = (): never => {
  throw new Error('A tree in memory has no stored nodes')
}

/** Even numbers below 1000. */
const aTree = (): TreeChanges => {
  const tree = new TreeChanges(EMPTY_TREE, source)
  for (let n = 0; n < 1000; n += 2) tree.set(n, `v${n}`)
  return tree
}

const keysOf = (tree: TreeChanges, range: RangeOptions): unknown[] =>
  Array.from(
    walkRange(() => ({ root: tree.root, revision: tree.revision, source }), range),
    ([key]) => key,
  )

describe('Tree reading', () => {
  test('finds values by key', () => {
    const { root } = aTree()
    expect([0, 498, 998, 1, -1, 1000, 'x'].map((key) => findValue(root, key, source))).toEqual([
      'v0',
      'v498',
      'v998',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect([0, 1].map((key) => hasKey(root, key, source))).toEqual([true, false])
  })

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
  ])('the range %j', (range, expected) => {
    expect(keysOf(aTree(), range)).toEqual(expected)
  })

  test('a cursor keeps its place in another tree', () => {
    const trees = [aTree(), aTree()]
    trees[1]!.delete(2)
    let at = 0
    const walk = walkRange(() => ({ root: trees[at]!.root, revision: 7, source }), {})
    expect(walk.next().value?.[0]).toBe(0)
    at = 1
    expect(walk.next().value?.[0]).toBe(4)
  })
})
