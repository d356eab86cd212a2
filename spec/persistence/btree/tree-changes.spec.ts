import { describe, expect, test } from '@jest/globals'
import { TreeChanges } from '../../../lib/persistence/btree/tree-changes.js'
import { checkTree } from '../../../lib/persistence/btree/tree-check.js'
import {
  EMPTY_TREE,
  INNER_ITEMS,
  LEAF_ITEMS,
  ROOT_ITEMS,
  TreeNode,
} from '../../../lib/persistence/btree/tree-node.js'
import type { NodeSource } from '../../../lib/persistence/btree/tree-reading.js'
import { NO_OID } from '../../../lib/persistence/slots.js'
import { toOid } from '../../../lib/storage/index.js'

const noSource: NodeSource = {
  tid: -1,
  node() {
    throw new Error('A tree in memory has no stored nodes')
  },
}

const aTree = (count: number): TreeChanges => {
  const tree = new TreeChanges(EMPTY_TREE, noSource)
  for (let n = 0; n < count; n++) tree.set(n, `v${n}`)
  return tree
}

/** All nodes, parents first. */
const nodesOf = (node: TreeNode): TreeNode[] =>
  node.level === 0 ? [node] : [node, ...node.items.flatMap((item) => nodesOf(item as TreeNode))]

describe('Tree changes', () => {
  test('the tree it began with is never changed', () => {
    const root = new TreeNode(0, ['a'], [1], 1)
    const tree = new TreeChanges(root, noSource)
    tree.set('b', 2)
    tree.delete('a')
    tree.clear()
    expect(root).toEqual(new TreeNode(0, ['a'], [1], 1))
    expect(EMPTY_TREE).toEqual(new TreeNode(0, [], []))
  })

  test('nodes split before they hold too much, and rising keys leave full nodes', () => {
    const count = LEAF_ITEMS * INNER_ITEMS * (ROOT_ITEMS + 5)
    const { root } = aTree(count)
    expect([root.level, root.size]).toEqual([3, count])
    expect(checkTree(root, noSource)).toEqual([])
    const leaves = nodesOf(root).filter(({ level }) => level === 0)
    expect(leaves.slice(0, -1).every(({ items }) => items.length === LEAF_ITEMS)).toBe(true)
    expect(nodesOf(root).filter(({ level }) => level === 1).length).toBeLessThan(40)
  })

  test('keys in any order make a tree of the same entries', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource)
    for (let n = 0; n < 7919; n++) tree.set((n * 4001) % 7919, n)
    expect(checkTree(tree.root, noSource)).toEqual([])
    expect(nodesOf(tree.root).flatMap((node) => (node.level === 0 ? node.keys : []))).toEqual(
      Array.from({ length: 7919 }, (_, n) => n),
    )
  })

  test('a tree that lost its entries is small again', () => {
    const tree = aTree(5000)
    for (let n = 0; n < 5000; n++) expect(tree.delete(n)).toBe(true)
    expect(tree.delete(1)).toBe(false)
    expect([tree.root.level, tree.root.size, tree.root.items]).toEqual([0, 0, []])
  })

  test('the last deed on a key counts', () => {
    const tree = aTree(0)
    tree.set('a', 1)
    tree.set('b', 1)
    tree.delete('a')
    tree.set('b', 2)
    expect([...tree.operations]).toEqual([
      { key: 'a', kind: 'delete' },
      { key: 'b', value: 2, kind: 'set' },
    ])
  })

  test('operations are applied again to another tree', () => {
    const tree = new TreeChanges(new TreeNode(0, ['a', 'b'], [1, 2], 2), noSource)
    tree.set('c', 3)
    tree.delete('a')
    const newer = new TreeNode(0, ['a', 'b', 'z'], [1, 2, 26], 3)
    const replayed = tree.replayOn(newer, noSource)
    expect([replayed.root.keys, replayed.root.items, replayed.root.size]).toEqual([
      ['b', 'c', 'z'],
      [2, 3, 26],
      3,
    ])
  })

  test('a text key that looks like a tuple is another key', () => {
    const tree = aTree(0)
    tree.set('tuple:string:1:a', 'text')
    tree.set(['a'], 'tuple')
    expect(tree.replayOn(EMPTY_TREE, noSource).root.items).toEqual(['text', 'tuple'])
  })

  test('clearing touches every key, and comes first when it is applied again', () => {
    const tree = aTree(3)
    tree.clear()
    tree.set('new', 1)
    expect([tree.touchesAll, tree.isEmpty]).toEqual([true, false])
    expect(tree.replayOn(new TreeNode(0, ['old'], [1], 1), noSource).root.keys).toEqual(['new'])
  })

  test('is empty until something was done', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource)
    expect(tree.isEmpty).toBe(true)
    tree.delete('absent')
    expect(tree.isEmpty).toBe(true)
    tree.touchesAll = true
    expect(tree.isEmpty).toBe(false)
  })

  test('a tree that was not stored after all forgets the oids of its nodes', () => {
    const tree = aTree(200)
    for (const node of nodesOf(tree.root)) node.oid = toOid(5)
    tree.forgetOids()
    expect(nodesOf(tree.root).every(({ oid }) => oid === NO_OID)).toBe(true)
  })

  test('goes back to a savepoint, as often as wanted', () => {
    const tree = aTree(100)
    tree.set('z', 1)
    const savepoint = tree.savepoint()
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 100; n++) tree.delete(n)
      tree.set('z', 2)
      tree.set('new', 3)
      if (round === 1) tree.clear()
      const { revision } = tree
      tree.rollbackTo(savepoint)
      expect(tree.revision).toBeGreaterThan(revision)
      expect([tree.root.size, tree.touchesAll]).toEqual([101, false])
      expect(checkTree(tree.root, noSource)).toEqual([])
      expect([...tree.operations].length).toBe(101)
      expect([...tree.operations].at(-1)).toEqual({ key: 'z', value: 1, kind: 'set' })
    }
  })

  test('a later savepoint is void once an earlier one was gone back to', () => {
    const tree = aTree(0)
    const first = tree.savepoint()
    tree.set('a', 1)
    tree.savepoint()
    tree.set('b', 1)
    tree.rollbackTo(first)
    tree.set('c', 1)
    expect([...tree.operations].map(({ key }) => key)).toEqual(['c'])
    expect(tree.root.keys).toEqual(['c'])
  })

  test('of a tree that nobody else can know no operations are kept', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource, false)
    expect(tree.isEmpty).toBe(true)
    tree.set('a', 1)
    expect([tree.isEmpty, [...tree.operations]]).toEqual([false, []])
  })

  test('a new tree gives all its values once, then those of changed nodes', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource, false)
    for (let n = 0; n < 1000; n++) tree.set(n, n)
    tree.savepoint()
    expect([...tree.recentValues()]).toHaveLength(1000)
    tree.savepoint()
    tree.set(0, 'new')
    const recent = [...tree.recentValues()]
    expect([recent.includes('new'), recent.length < 100]).toEqual([true, true])
    tree.forgetOids()
    expect([...tree.recentValues()]).toHaveLength(1000)
  })
})
