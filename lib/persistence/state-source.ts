import type { Oid } from '../storage/index.js'
import { EMPTY_TREE, type TreeNode } from './btree/tree-node.js'
import { NODE_LAYOUT } from './class-table.js'
import type { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import type { Epoch } from './epoch.js'
import { sameValue } from './state-codec.js'
import type { TreeRevision } from './tree-difference.js'

/** The committed states of one instant, by oid. */
export type StateSource = (oid: Oid) => CommittedState | undefined

/** The states that an epoch sees. */
export function statesAt(store: CommittedStore, epoch: Epoch): StateSource {
  return (oid) => store.stateAt(epoch, oid)
}

/** True for the nodes of trees, which are no objects. */
export function isNode({ layout }: CommittedState): boolean {
  return layout === NODE_LAYOUT
}

/** The tree in an object's state; `undefined` for an object without one. */
export function treeIn(state: CommittedState, states: StateSource): TreeRevision | undefined {
  const { layout, values } = state
  if (layout.treeIndex === -1) return undefined
  return {
    root: (values[layout.treeIndex] ?? EMPTY_TREE) as TreeNode,
    node: (oid) => states(oid)?.values[0] as TreeNode | undefined,
  }
}

/** The values of an object's fields by name, its tree left out. */
export type FieldValues = ReadonlyMap<string, unknown>

export function fieldsIn({ layout, values }: CommittedState): FieldValues {
  const fields = new Map<string, unknown>()
  layout.names.forEach((name, index) => {
    if (index !== layout.treeIndex) fields.set(name, values[index])
  })
  return fields
}

/** The names of the fields that differ; those that one side lacks are undefined there. */
export function differingFields(one: FieldValues, other: FieldValues): string[] {
  const names = new Set([...one.keys(), ...other.keys()])
  return [...names].filter((name) => !sameValue(one.get(name), other.get(name)))
}
