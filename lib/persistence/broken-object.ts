import type { ClassRow } from '../storage/index.js'
import {
  type ClassLayout,
  type FieldDefinition,
  giveLayout,
  HAS_TREE,
  isTreeField,
  type PersistentClass,
  standInLayout,
} from './class-layout.js'
import { nameClass, storedNameOf } from './class-registry.js'
import { stateByName } from './custom-state.js'
import { makeAccessor } from './field.js'
import { Persistent, slotsOf } from './persistent.js'

/**
 * Stands in for an object whose class this program lacks. It keeps the state: fields are read as
 * properties or through `state`, the object can be referred to, moved, copied and exported, and what
 * is written for it is what was read. A change throws PERSISTENCE_BROKEN_OBJECT.
 *
 * Objects are broken only in databases opened with `onMissingClass: 'broken'`. When the class is
 * back, after the next opening they are whole.
 *
 * Source: `ZODB.broken.PersistentBroken`.
 * @public
 */
export class BrokenObject extends Persistent {
  /** The stored name of the class that is missing. */
  get storedName(): string {
    return storedNameOf(slotsOf(this).layout.constructor) as string
  }

  /** The stored values by name, frozen, but for a tree: read that with `treeEntries`. */
  get state(): Readonly<Record<string, unknown>> {
    const slots = slotsOf(this)
    if (slots.generation !== slots.owner.generation) slots.owner.activate(this)
    return stateByName(slots.layout, slots.values, slots.owner)
  }
}

/** The layout of a class of broken objects: one for each class row. */
export function brokenLayout(row: ClassRow): ClassLayout {
  return makeStandIn(row, BrokenObject, { isBroken: true })
}

/**
 * The layout of a class that has the name and the fields of a class row, and is no class of the
 * program's.
 */
export function makeStandIn(
  { name, fields }: Pick<ClassRow, 'name' | 'fields'>,
  base: new () => Persistent,
  options: { readonly isBroken: boolean },
): ClassLayout {
  const standIn = class extends base {} as PersistentClass
  Object.defineProperty(standIn, 'name', { value: name })
  if (fields.some(isTreeField)) Object.defineProperty(standIn, HAS_TREE, { value: true })
  nameClass(standIn, name)
  const definitions = fields.map((field, index) => standInField(standIn, field, index))
  const layout = standInLayout(standIn, definitions, options)
  giveLayout(standIn, layout)
  return layout
}

/** A field that the base class has a property for is read through `state` only. */
function standInField(standIn: PersistentClass, name: string, index: number): FieldDefinition {
  const { definition, get, set } = makeAccessor(name, undefined, [])
  definition.index = index
  if (!isTreeField(name) && !(name in standIn.prototype)) {
    Object.defineProperty(standIn.prototype, name, { get, set, enumerable: true })
  }
  return definition
}
