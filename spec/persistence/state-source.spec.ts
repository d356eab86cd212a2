import { describe, expect, test } from '@jest/globals'
import { EMPTY_TREE, TreeNode } from '../../lib/persistence/btree/tree-node.js'
import { NODE_LAYOUT, type StateLayout } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { differingFields, fieldsIn, isNode, treeIn } from '../../lib/persistence/state-source.js'
import type { Oid, Tid } from '../../lib/storage/index.js'

const OFFICE: StateLayout = {
  storedName: 'spec.Office',
  classLayout: undefined,
  names: ['__tree__', 'city', 'floors'],
  treeIndex: 0,
  blobIndex: -1,
  marksIndex: 3,
}
const aState = (layout: StateLayout, values: unknown[]) =>
  new CommittedState(1 as Oid, 1 as Tid, layout, values, 10)

describe('State source', () => {
  test('the fields of a state are its values by name, its tree left out', () => {
    const office = aState(OFFICE, [undefined, 'Norman', 3])
    expect([...fieldsIn(office)]).toEqual([
      ['city', 'Norman'],
      ['floors', 3],
    ])
  })

  test('fields differ where values do, and where one side lacks a value', () => {
    const one = new Map<string, unknown>([
      ['city', 'Norman'],
      ['phones', [1]],
    ])
    const other = new Map<string, unknown>([
      ['city', 'Tulsa'],
      ['phones', [1]],
      ['floors', 2],
    ])
    expect(differingFields(one, other)).toEqual(['city', 'floors'])
  })

  test('the tree of a state finds its nodes among the states', () => {
    const leaf = new TreeNode(0, ['a'], [1])
    const office = aState(OFFICE, [EMPTY_TREE, 'Norman', 3])
    const tree = treeIn(office, (oid) => (oid === 5 ? aState(NODE_LAYOUT, [leaf]) : undefined))
    expect(tree?.root).toBe(EMPTY_TREE)
    expect(tree?.node(5 as Oid)).toBe(leaf)
    expect(tree?.node(6 as Oid)).toBeUndefined()
  })

  test('an object whose tree was never touched has an empty one; without a tree there is none', () => {
    expect(treeIn(aState(OFFICE, [undefined, 'Norman', 3]), () => undefined)?.root).toBe(EMPTY_TREE)
    const plain = { ...OFFICE, treeIndex: -1, blobIndex: -1 }
    expect(treeIn(aState(plain, []), () => undefined)).toBeUndefined()
  })

  test('nodes are told from objects', () => {
    expect(isNode(aState(NODE_LAYOUT, [EMPTY_TREE]))).toBe(true)
    expect(isNode(aState(OFFICE, []))).toBe(false)
  })
})
