import { describe, expect, test } from '@jest/globals'
import { type Key, keyToken } from '../../lib/persistence/btree/keys.js'
import { TreeChanges } from '../../lib/persistence/btree/tree-changes.js'
import { EMPTY_TREE, TreeNode } from '../../lib/persistence/btree/tree-node.js'
import { ASK_ALWAYS } from '../../lib/persistence/btree/tree-reading.js'
import { Reference } from '../../lib/persistence/reference.js'
import {
  entriesOf,
  nodesOf,
  sameEntry,
  type TreeRevision,
  treeDifference,
} from '../../lib/persistence/tree-difference.js'
import type { Oid } from '../../lib/storage/index.js'

/** One tree, commit by commit, as the serializer writes its nodes. */
class Commits {
  readonly nodes = new Map<Oid, TreeNode>()
  reads = 0
  #nextOid = 1
  #root: TreeNode = EMPTY_TREE
  written = new Set<Oid>()

  commit(change: (tree: TreeChanges) => void): { before: TreeRevision; after: TreeRevision } {
    const before = this.#revision()
    const tree = new TreeChanges(this.#root, {
      tid: ASK_ALWAYS,
      node: ({ oid }) => this.nodes.get(oid) as TreeNode,
    })
    change(tree)
    this.written = new Set()
    this.#root = this.#store(tree.root)
    return { before, after: this.#revision() }
  }

  #revision(): TreeRevision {
    const nodes = new Map(this.nodes)
    const node = (oid: Oid) => {
      this.reads++
      return nodes.get(oid)
    }
    return { root: this.#root, node }
  }

  #store(node: TreeNode): TreeNode {
    const items = node.items.map((item) => {
      if (!(item instanceof TreeNode)) return item
      if (item.oid === -1) item.oid = this.#nextOid++ as Oid
      const stored = this.#store(item)
      if (item.isDirty) {
        this.nodes.set(item.oid, stored)
        this.written.add(item.oid)
      }
      return new Reference(item.oid)
    })
    return new TreeNode(node.level, node.keys, items, node.size)
  }
}

function inWords(
  commits: Commits,
  { before, after }: { before: TreeRevision; after: TreeRevision },
) {
  return treeDifference(before, after, commits.written).map(
    (one) => `${String(one.key)}: ${one.before?.value} → ${one.after?.value}`,
  )
}

function filled(count: number): Commits {
  const commits = new Commits()
  commits.commit((tree) => {
    for (let n = 0; n < count; n++) tree.set(n, n)
  })
  return commits
}

describe('Tree difference', () => {
  test('has the keys that were added, changed and deleted, by rising key', () => {
    const commits = filled(1000)
    const change = commits.commit((tree) => {
      tree.set(700, 'x')
      tree.delete(5)
      tree.set(2000, 'new')
      tree.set(300, 300)
    })
    expect(inWords(commits, change)).toEqual([
      '5: 5 → undefined',
      '700: 700 → x',
      '2000: undefined → new',
    ])
  })

  test('does not mention what only moved to another node', () => {
    const commits = filled(1000)
    const change = commits.commit((tree) => {
      for (let n = 0; n < 40; n++) tree.set(500 + n / 100, 'new')
    })
    const difference = treeDifference(change.before, change.after, commits.written)
    expect(difference).toHaveLength(40)
  })

  test('has the keys of nodes that emptied, and of a tree that was cleared', () => {
    const commits = filled(1000)
    const emptied = commits.commit((tree) => {
      for (let n = 100; n < 400; n++) tree.delete(n)
    })
    expect(treeDifference(emptied.before, emptied.after, commits.written)).toHaveLength(300)
    const cleared = commits.commit((tree) => tree.clear())
    expect(treeDifference(cleared.before, cleared.after, commits.written)).toHaveLength(700)
  })

  test('reads what was written and what leads there, not the tree', () => {
    const commits = filled(100_000)
    const change = commits.commit((tree) => tree.set(50_000, 'x'))
    commits.reads = 0
    expect(inWords(commits, change)).toEqual(['50000: 50000 → x'])
    expect(commits.reads).toBeLessThan(20)
  })

  test('knows every entry and every node of a tree', () => {
    const commits = filled(500)
    const { after } = commits.commit((tree) => tree.delete(0))
    expect([...entriesOf(after)].map(({ key }) => key)).toEqual(
      Array.from({ length: 499 }, (_, n) => n + 1),
    )
    expect(new Set(nodesOf(after))).toEqual(new Set(commits.nodes.keys()))
  })

  test('an entry is the same as one with the same value, and absent as absent', () => {
    const entry = (value: unknown, key: Key = 'k') => ({ key, value })
    expect(sameEntry(undefined, undefined)).toBe(true)
    expect(sameEntry(entry(undefined), undefined)).toBe(false)
    expect(sameEntry(entry([1]), entry([1]))).toBe(true)
    expect(sameEntry(entry(new Reference(1 as Oid)), entry(new Reference(2 as Oid)))).toBe(false)
    expect(keyToken('k')).toBe('k')
  })
})
