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
    const span = {}
    const copy = node.toWorking(span)
    copy.keys.push('b')
    copy.items.push(2)
    copy.size++
    expect(node).toEqual(new TreeNode(0, ['a'], [1], 1))
    expect(copy.span).toBe(span)
  })

  test('keeps a child at hand that is shared, for those who see its commit', () => {
    const child = new TreeNode(0, ['a'], [1])
    const parent = new TreeNode(1, ['m'], ['first', 'second'])
    parent.keepChild(1, child)
    expect(parent.sharedChild(1, 99)).toBeUndefined()
    child.share(7)
    parent.keepChild(1, child)
    expect([parent.sharedChild(1, 7), parent.sharedChild(1, 6), parent.sharedChild(0, 7)]).toEqual([
      child,
      undefined,
      undefined,
    ])
    expect(child.isUsed).toBe(true)
  })

  test('a child that is shared no more is found through no parent', () => {
    const child = new TreeNode(0, ['a'], [1])
    const parents = [new TreeNode(1, ['m'], [0, 1]), new TreeNode(1, ['m'], [0, 1])]
    child.share(7)
    for (const parent of parents) parent.keepChild(0, child)
    expect(parents.map((parent) => parent.sharedChild(0, 9))).toEqual([undefined, child])
    child.unshare()
    expect(parents.map((parent) => parent.sharedChild(0, 9))).toEqual([undefined, undefined])
  })

  test('a working copy keeps no child at hand: its positions change', () => {
    const child = new TreeNode(0, ['a'], [1])
    child.share(1)
    const parent = new TreeNode(1, ['m'], [0, 1]).toWorking({})
    parent.keepChild(0, child)
    expect(parent.sharedChild(0, 9)).toBeUndefined()
  })
})
