import { describe, expect, test } from '@jest/globals'
import { TreeChanges } from '../../../lib/persistence/btree/tree-changes.js'
import { EMPTY_TREE, TreeNode } from '../../../lib/persistence/btree/tree-node.js'
import {
  childAt,
  childPosition,
  findValue,
  hasKey,
  type NodeSource,
} from '../../../lib/persistence/btree/tree-reading.js'
import { Reference } from '../../../lib/persistence/reference.js'
import { toOid } from '../../../lib/storage/index.js'

const noSource: NodeSource = {
  tid: -1,
  node() {
    throw new Error('A tree in memory has no stored nodes')
  },
}

describe('Tree reading', () => {
  test('finds values by key', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource)
    for (let n = 0; n < 1000; n += 2) tree.set(n, `v${n}`)
    const { root } = tree
    expect([0, 498, 998, 1, -1, 1000, 'x'].map((key) => findValue(root, key, noSource))).toEqual([
      'v0',
      'v498',
      'v998',
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect([0, 1].map((key) => hasKey(root, key, noSource))).toEqual([true, false])
  })

  test('a separator belongs to the child on its right', () => {
    const node = new TreeNode(1, ['f', 'm'], [])
    expect(['a', 'f', 'g', 'm', 'z'].map((key) => childPosition(node, key))).toEqual([
      0, 1, 1, 2, 2,
    ])
  })

  test('asks the source once for a node that is shared, and always for one that is not', () => {
    let asked = 0
    const leaf = new TreeNode(0, ['a'], [1])
    const source: NodeSource = {
      tid: 5,
      node() {
        asked++
        return leaf
      },
    }
    const parent = new TreeNode(1, [], [new Reference(toOid(1))])
    const look = (): void => {
      for (let times = 0; times < 3; times++) expect(childAt(parent, 0, source)).toBe(leaf)
    }
    look()
    expect(asked).toBe(3)
    leaf.share(5)
    look()
    expect(asked).toBe(4)
    leaf.unshare()
    look()
    expect(asked).toBe(7)
  })

  test('who sees an earlier commit asks for the node as it was then', () => {
    const [then, now] = [new TreeNode(0, ['a'], ['then']), new TreeNode(0, ['a'], ['now'])]
    const parent = new TreeNode(1, [], [new Reference(toOid(1))])
    now.share(5)
    expect(findValue(parent, 'a', { tid: 5, node: () => now })).toBe('now')
    expect(findValue(parent, 'a', { tid: 4, node: () => then })).toBe('then')
    expect(findValue(parent, 'a', { tid: 6, node: () => then })).toBe('now')
  })
})
