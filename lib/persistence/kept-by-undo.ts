import type { StateLayout } from './class-table.js'
import type { CommittedState } from './committed-state.js'
import { Reference } from './reference.js'
import { type FieldValues, fieldsIn, type StateSource } from './state-source.js'
import type { KeyChange } from './tree-difference.js'

/**
 * Declares that objects of a class tell what has happened, which no undo makes unhappened:
 * `static readonly [KEPT_BY_UNDO] = true`. An undo leaves such objects as they are, and the keys of
 * trees whose values they are. A list of names declares so much of those fields alone.
 * @public
 */
export const KEPT_BY_UNDO: unique symbol = Symbol('treehook.keptByUndo')

/** True when an undo leaves the object alone. */
export function isKeptByUndo({ layout }: CommittedState): boolean {
  return declarationOf(layout) === true
}

/** The fields that an undo looks at and changes. */
export function undoableFieldsIn(state: CommittedState): FieldValues {
  const declared = declarationOf(state.layout)
  const fields = fieldsIn(state)
  if (!Array.isArray(declared)) return fields
  return new Map([...fields].filter(([name]) => !declared.includes(name)))
}

/** The changes of keys without those that put in or took out what an undo leaves alone. */
export function undoableKeys(
  changes: readonly KeyChange[],
  before: StateSource,
  after: StateSource,
): readonly KeyChange[] {
  const isKept = (value: unknown, states: StateSource): boolean => {
    const state = value instanceof Reference ? states(value.oid) : undefined
    return state !== undefined && isKeptByUndo(state)
  }
  return changes.filter(
    (change) => !isKept(change.before?.value, before) && !isKept(change.after?.value, after),
  )
}

function declarationOf({ classLayout }: StateLayout): unknown {
  return (classLayout?.constructor as { readonly [KEPT_BY_UNDO]?: unknown } | undefined)?.[
    KEPT_BY_UNDO
  ]
}
