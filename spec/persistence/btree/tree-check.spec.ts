import { describe, expect, test } from '@jest/globals'
import { TreeChanges } from '../../../lib/persistence/btree/tree-changes.js'
import { checkTree } from '../../../lib/persistence/btree/tree-check.js'
import { EMPTY_TREE, LEAF_ITEMS, TreeNode } from '../../../lib/persistence/btree/tree-node.js'
import type { NodeSource } from '../../../lib/persistence/btree/tree-reading.js'
import { DanglingReferenceError, StaleObjectError } from '../../../lib/persistence/index.js'
import { Reference } from '../../../lib/persistence/reference.js'
import { toOid } from '../../../lib/storage/index.js'

const leaf = (...keys: never[] | (string | number)[]): TreeNode =>
  new TreeNode(
    0,
    keys,
    keys.map(() => true),
  )
const inner = (keys: string[], items: unknown[], level = 1): TreeNode =>
  new TreeNode(level, keys, items)
const rootOf = (node: TreeNode, size: number): TreeNode =>
  new TreeNode(node.level, node.keys, node.items, size)

const noSource: NodeSource = {
  tid: -1,
  node({ oid }) {
    throw new DanglingReferenceError(`There is no ${oid}`)
  },
}

const problemsOf = (root: TreeNode, source = noSource): string[] =>
  checkTree(root, source).map(({ path, problem }) => `${path.join('.')}: ${problem}`)

describe('Check of a tree', () => {
  test('finds nothing in a tree that was only ever changed by us', () => {
    const tree = new TreeChanges(EMPTY_TREE, noSource)
    expect(problemsOf(tree.root)).toEqual([])
    for (let n = 0; n < 3000; n++) tree.set((n * 7) % 3000, n)
    for (let n = 0; n < 3000; n += 3) tree.delete(n)
    expect(problemsOf(tree.root)).toEqual([])
  })

  test.each<[string, TreeNode, string[]]>([
    ['keys that fall', rootOf(leaf('b', 'a', 'c'), 3), [': key 1 is not above the key before it']],
    ['a key twice', rootOf(leaf('a', 'a'), 2), [': key 1 is not above the key before it']],
    ['what is no key', rootOf(leaf('a', Number.NaN), 2), [': key 1 is no key']],
    [
      'a size that is wrong',
      rootOf(leaf('a'), 5),
      [': the root says that there are 5 entries, and there are 1'],
    ],
    [
      'a key below its separator',
      rootOf(inner(['m'], [leaf('a'), leaf('c', 'n')]), 3),
      ['1: key 0 is below what the separator above allows'],
    ],
    [
      'a key above its separator',
      rootOf(inner(['m'], [leaf('a', 'm'), leaf('n')]), 3),
      ['0: key 1 is above what the separator above allows'],
    ],
    [
      'a separator of the level above',
      rootOf(inner(['m'], [inner(['z'], [leaf('a'), leaf('b')]), inner([], [leaf('n')])], 2), 3),
      [
        '0: key 0 is above what the separator above allows',
        '0.1: key 0 is below what the separator above allows',
      ],
    ],
    ['an empty node', rootOf(inner(['m'], [leaf('a'), leaf()]), 1), ['1: it is empty']],
    [
      'an overfull node',
      rootOf(leaf(...Array.from({ length: LEAF_ITEMS + 1 }, (_, n) => n)), LEAF_ITEMS + 1),
      [`: it has ${LEAF_ITEMS + 1} items; ${LEAF_ITEMS} are allowed`],
    ],
    [
      'a node on the wrong level',
      rootOf(inner(['m'], [leaf('a'), leaf('n')], 2), 2),
      [
        '0: its level is 0, below a node of level 2',
        '1: its level is 0, below a node of level 2',
        ': the root says that there are 2 entries, and there are 0',
      ],
    ],
    [
      'more keys than its items need',
      rootOf(inner(['m', 'p'], [leaf('a'), leaf('n')]), 2),
      [': it has 2 keys for 2 items of level 1'],
    ],
    ['what is no node', rootOf(inner([], ['text']), 0), ['0: it is no node']],
    [
      'a node that cannot be read',
      rootOf(inner([], [new Reference(toOid(9))]), 0),
      ['0: it cannot be read: There is no 9'],
    ],
  ])('reports %s', (_, root, expected) => {
    expect(problemsOf(root)).toEqual(expected)
  })

  test('passes on an error that says nothing about the tree', async () => {
    const node = (): never => {
      throw new StaleObjectError('That transaction is over')
    }
    const root = rootOf(inner([], [new Reference(toOid(9))]), 0)
    expect(() => checkTree(root, { tid: -1, node })).toThrow(StaleObjectError)
  })

  test('reports a node below two parents, once', () => {
    const shared = leaf('a')
    const root = rootOf(inner(['m'], [new Reference(toOid(4)), new Reference(toOid(4))]), 1)
    expect(problemsOf(root, { tid: -1, node: () => shared })).toEqual([
      '1: it is the child of two nodes',
    ])
  })

  test('a problem names the node, and the keys that belong below it', () => {
    const root = rootOf(inner(['m', 'p'], [leaf('a'), new Reference(toOid(4)), leaf('q')]), 2)
    const [problem] = checkTree(root, { tid: -1, node: () => leaf() })
    expect(problem).toEqual({
      path: [1],
      oid: 4,
      from: 'm',
      to: 'p',
      problem: 'it is empty',
    })
  })
})
