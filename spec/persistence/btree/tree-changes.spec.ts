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
import { Reference } from '../../../lib/persistence/reference.js'
import { NO_OID } from '../../../lib/persistence/slots.js'
import { type Oid, type StorageRecord, type Tid, toOid } from '../../../lib/storage/index.js'

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

/** A stored tree of 200 full leaves with even keys, of which none is in memory. */
class StoredTree implements NodeSource {
  readonly tid = -1
  readonly root: TreeNode
  readonly #nodes = new Map<Oid, TreeNode>()
  /** How many leaves were given as nodes to be changed. */
  leaves = 0

  constructor() {
    const tree = new TreeChanges(EMPTY_TREE, noSource)
    for (let n = 0; n < 200 * LEAF_ITEMS; n++) tree.set(n * 2, n * 2)
    this.root = this.#stored(tree.root)
  }

  node({ oid }: Reference): TreeNode {
    const node = this.#nodes.get(oid) as TreeNode
    if (node.level === 0) this.leaves++
    return node
  }

  unreadNode({ oid }: Reference): StorageRecord {
    return { oid, tid: 1 as Tid, classId: 1, state: new Uint8Array() }
  }

  nodeIn({ oid }: StorageRecord): TreeNode {
    return this.#nodes.get(oid) as TreeNode
  }

  #stored(node: TreeNode): TreeNode {
    if (node.level === 0) return node
    const items = node.items.map((item) => {
      const reference = new Reference(toOid(this.#nodes.size + 1))
      this.#nodes.set(reference.oid, new TreeNode(0, [], []))
      this.#nodes.set(reference.oid, this.#stored(item as TreeNode))
      return reference
    })
    return new TreeNode(node.level, node.keys, items, node.size)
  }
}

/** A transaction that set so many new keys in as many leaves of a stored tree. */
const aSpreadChange = (count: number): { stored: StoredTree; tree: TreeChanges } => {
  const stored = new StoredTree()
  const tree = new TreeChanges(stored.root, stored)
  for (let n = 0; n < count; n++) tree.set(n * 2 * LEAF_ITEMS + 1, `new${n}`)
  return { stored, tree }
}

const entriesOf = (tree: TreeChanges, source: NodeSource): [unknown, unknown][] => {
  const walk = (node: TreeNode): [unknown, unknown][] =>
    node.level === 0
      ? node.keys.map((key, at) => [key, node.items[at]])
      : node.items.flatMap((item) =>
          walk(item instanceof TreeNode ? item : source.node(item as Reference)),
        )
  return walk(tree.root)
}

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

  describe('that touch many leaves which are not in memory', () => {
    test('copy some, and leave the others as they are stored until somebody asks for the tree', () => {
      const { stored, tree } = aSpreadChange(200)
      expect([stored.leaves, tree.size]).toEqual([64, 200 * LEAF_ITEMS + 200])
      expect(checkTree(tree.root, stored)).toEqual([])
      expect(stored.leaves).toBe(64)
      expect(entriesOf(tree, stored).filter(([, value]) => typeof value === 'string')).toEqual(
        Array.from({ length: 200 }, (_, n) => [n * 2 * LEAF_ITEMS + 1, `new${n}`]),
      )
    })

    test('are seen by look-ups at once, beside what is stored', () => {
      const { tree } = aSpreadChange(200)
      const at = 199 * 2 * LEAF_ITEMS
      expect([tree.find(at + 1), tree.find(at), tree.find(at + 3)]).toEqual([
        'new199',
        at,
        undefined,
      ])
      expect([tree.has(at + 1), tree.has(at), tree.has(at + 3)]).toEqual([true, true, false])
    })

    test('know whether a key is new, and count it once', () => {
      const { tree } = aSpreadChange(150)
      const { size } = tree
      expect([tree.set(199 * 2 * LEAF_ITEMS, 'old'), tree.size]).toEqual([false, size])
      expect([tree.set(199 * 2 * LEAF_ITEMS, 'again'), tree.size]).toEqual([false, size])
      expect([tree.set(190 * 2 * LEAF_ITEMS + 1, 'new'), tree.size]).toEqual([true, size + 1])
      expect([tree.set(190 * 2 * LEAF_ITEMS + 1, 'newer'), tree.size]).toEqual([false, size + 1])
      expect([tree.find(199 * 2 * LEAF_ITEMS), tree.find(190 * 2 * LEAF_ITEMS + 1)]).toEqual([
        'again',
        'newer',
      ])
    })

    test('fill a leaf that waits as any other', () => {
      const { stored, tree } = aSpreadChange(150)
      const first = 180 * 2 * LEAF_ITEMS
      for (let n = LEAF_ITEMS - 1; n >= 0; n--) tree.set(first + 2 * n + 1, n)
      expect(checkTree(tree.root, stored)).toEqual([])
      expect(tree.size).toBe(200 * LEAF_ITEMS + 150 + LEAF_ITEMS)
    })

    test('delete what is stored there and what they set', () => {
      const { stored, tree } = aSpreadChange(200)
      const at = 199 * 2 * LEAF_ITEMS
      expect([tree.delete(at + 1), tree.delete(at), tree.delete(at)]).toEqual([true, true, false])
      expect([tree.has(at + 1), tree.has(at), tree.find(at + 2)]).toEqual([false, false, at + 2])
      expect(checkTree(tree.root, stored)).toEqual([])
    })

    test('go back to a savepoint, and to before it', () => {
      const stored = new StoredTree()
      const tree = new TreeChanges(stored.root, stored)
      const empty = tree.savepoint()
      for (let n = 0; n < 100; n++) tree.set(n * 2 * LEAF_ITEMS + 1, 'first')
      const some = tree.savepoint()
      for (let n = 50; n < 200; n++) tree.set(n * 2 * LEAF_ITEMS + 1, 'second')
      tree.rollbackTo(some)
      expect([tree.size, [...tree.operations].length]).toEqual([200 * LEAF_ITEMS + 100, 100])
      expect([tree.find(99 * 2 * LEAF_ITEMS + 1), tree.has(199 * 2 * LEAF_ITEMS + 1)]).toEqual([
        'first',
        false,
      ])
      expect(checkTree(tree.root, stored)).toEqual([])
      for (let n = 100; n < 200; n++) tree.set(n * 2 * LEAF_ITEMS + 1, 'third')
      tree.rollbackTo(empty)
      expect([tree.size, tree.root.size, [...tree.operations]]).toEqual([
        200 * LEAF_ITEMS,
        200 * LEAF_ITEMS,
        [],
      ])
    })

    test('are forgotten when the tree is cleared', () => {
      const { tree } = aSpreadChange(200)
      tree.clear()
      expect([tree.size, tree.has(199 * 2 * LEAF_ITEMS + 1), tree.root.keys]).toEqual([
        0,
        false,
        [],
      ])
    })

    test('are applied again to another tree', () => {
      const { stored, tree } = aSpreadChange(200)
      const other = new StoredTree()
      expect(entriesOf(tree.replayOn(other.root, other), other)).toEqual(entriesOf(tree, stored))
    })
  })
})
