import { describe, expect, test } from '@jest/globals'
import { decodeNode, encodeNode, TreeNode } from '../../../lib/persistence/btree/tree-node.js'

describe('Tree node', () => {
  test('is stored as level, keys, items, size', () => {
    const node = new TreeNode(0, ['a', 'b'], [1, 2], 2)
    expect(encodeNode(node)).toEqual([0, ['a', 'b'], [1, 2], 2])
    expect(decodeNode(encodeNode(node))).toEqual(node)
  })

  test('its tuple keys are frozen when it is read', () => {
    const { keys } = decodeNode([0, [['a', ['b']]], [1], 1])
    expect(Object.isFrozen(keys[0]) && Object.isFrozen((keys[0] as readonly unknown[])[1])).toBe(
      true,
    )
  })

  test('a working copy shares nothing that changes', () => {
    const node = new TreeNode(0, ['a'], [1], 1)
    const copy = node.toWorking()
    copy.keys.push('b')
    copy.items.push(2)
    copy.size++
    expect(node).toEqual(new TreeNode(0, ['a'], [1], 1))
  })
})
