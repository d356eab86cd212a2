import type { ClassRow, Oid } from '../storage/index.js'
import { formatOid } from '../storage/index.js'
import { brokenLayout } from './broken-object.js'
import { type Evolver, evolverOf } from './class-evolution.js'
import {
  blobIndexIn,
  type ClassLayout,
  type FieldDefinition,
  layoutOf,
  MARKS_FIELD_NAME,
  type PersistentClass,
} from './class-layout.js'
import { classNamed, storedNameOf } from './class-registry.js'
import { InvalidClassError, UnknownClassError } from './errors.js'
import { noteMarkedClass } from './marks.js'
import { PlainReader } from './plain-values.js'
import { SharedTexts } from './shared-text.js'

/** What a committed state's values mean, in one database. */
export interface StateLayout {
  readonly storedName: string
  /** Absent for the nodes of trees, which are no objects. */
  readonly classLayout: ClassLayout | undefined
  /** The class's fields, then those that the record has and the class lacks: they are kept. */
  readonly names: readonly string[]
  readonly treeIndex: number
  /** Where a blob's content is named, or -1. */
  readonly blobIndex: number
  /** Where an object's marks stand; behind all others as long as it has none. */
  readonly marksIndex: number
}

/** How a record's values become a state's. */
export interface DecodePlan {
  readonly layout: StateLayout
  /** For each value of the state its index in the record, or -1; absent when the order is the same. */
  readonly order: readonly number[] | undefined
  /** What the class makes of values that an earlier version of it stored. */
  readonly evolve: Evolver | undefined
}

/** The plan of one class row, with what its records were found to repeat, and what reads most of them. */
export interface ReadyPlan extends DecodePlan {
  readonly texts: SharedTexts
  readonly plain: PlainReader
}

/** What a database does about a class that the program lacks. @internal */
export interface MissingClassOptions {
  readonly onMissingClass?: OnMissingClass | undefined
  readonly classFactory?: ClassFactory | undefined
}

/**
 * What reading an object whose class is missing does: it throws PERSISTENCE_UNKNOWN_CLASS, or gives
 * a {@link BrokenObject}.
 * @public
 */
export type OnMissingClass = 'throw' | 'broken'

/**
 * Asked for the class of a stored name that no class of the program has, once for each layout of it.
 * The objects are written again under the stored name of the class that it gives.
 *
 * Source: ZODB's `classFactory`.
 * @public
 */
export type ClassFactory = (storedName: string) => PersistentClass | undefined

/** On disk. */
const NODE_CLASS = 'treehook.TreeNode'
const NO_ROWS: readonly ClassRow[] = []

/** The layout of the records that hold a tree's nodes. */
export const NODE_LAYOUT: StateLayout = {
  storedName: NODE_CLASS,
  classLayout: undefined,
  names: ['node'],
  treeIndex: 0,
  blobIndex: -1,
  marksIndex: 1,
}

/**
 * The class rows of one database: which id stands for which class with which fields. A class that
 * gained or lost a field since gets a further row; records of the old one are read by its own.
 */
export class ClassTable {
  readonly #rows: ClassRow[]
  readonly #plans = new Map<number, ReadyPlan>() // class id → how to read its records
  readonly #layouts = new WeakMap<ClassLayout, StateLayout>()
  readonly #marked = new WeakMap<StateLayout, StateLayout>() // → the same with a place for marks
  readonly #ids = new Map<StateLayout, number>()
  readonly #options: MissingClassOptions
  #unwritten: ClassRow[] = []

  constructor(rows: readonly ClassRow[], options: MissingClassOptions = {}) {
    this.#rows = [...rows]
    this.#options = options
  }

  /** What records with this class id hold; `undefined` when there is no such id. */
  rowOf(classId: number): ClassRow | undefined {
    return this.#rows[classId - 1]
  }

  /** @throws PERSISTENCE_INVALID_CLASS when the class has no stored name. */
  layoutFor(classLayout: ClassLayout): StateLayout {
    let layout = this.#layouts.get(classLayout)
    if (layout === undefined) {
      const { constructor: persistentClass, names, treeIndex } = classLayout
      const storedName = storedNameOf(persistentClass)
      if (storedName === undefined) {
        throw new InvalidClassError(
          `The class ${persistentClass.name} has no stored name: write @stored('…') before it, or call definePersistent`,
        )
      }
      layout = layoutWith({ storedName, classLayout, names, treeIndex })
      this.#layouts.set(classLayout, layout)
    }
    return layout
  }

  /** The layout of states that have marks beside the fields of `plain`. */
  markedLayout(plain: StateLayout): StateLayout {
    let layout = this.#marked.get(plain)
    if (layout === undefined) {
      layout = layoutWith({ ...plain, names: [...plain.names, MARKS_FIELD_NAME] })
      this.#marked.set(plain, layout)
    }
    return layout
  }

  /**
   * @param oid - for the message.
   * @throws PERSISTENCE_UNKNOWN_CLASS when this program has no such class, and must have.
   */
  planFor(classId: number, oid: Oid): ReadyPlan {
    let plan = this.#plans.get(classId)
    if (plan === undefined) {
      const made = this.#makePlan(classId, oid)
      plan = {
        ...made,
        texts: new SharedTexts(made.layout.names.length),
        plain: new PlainReader(),
      }
      this.#plans.set(classId, plan)
    }
    return plan
  }

  /** The id under which records of this layout are written; a new one where needed. */
  idFor(layout: StateLayout): number {
    let id = this.#ids.get(layout)
    if (id === undefined) {
      id = this.#findOrAddRow(layout)
      this.#ids.set(layout, id)
    }
    return id
  }

  /** The rows that no commit has carried yet: the next one must. */
  takeUnwritten(): readonly ClassRow[] {
    // An empty one would be filled later, when it belongs to a commit that waits in the queue.
    if (this.#unwritten.length === 0) return NO_ROWS
    const rows = this.#unwritten
    this.#unwritten = []
    return rows
  }

  #makePlan(classId: number, oid: Oid): DecodePlan {
    const row = this.#rows[classId - 1]
    if (row === undefined) {
      throw new UnknownClassError(
        `The record of oid ${formatOid(oid)} names class id ${classId}, which the database does not have`,
      )
    }
    if (row.name === NODE_CLASS) {
      return { layout: NODE_LAYOUT, order: undefined, evolve: undefined }
    }
    const persistentClass = classNamed(row.name) ?? this.#options.classFactory?.(row.name)
    if (persistentClass !== undefined) return this.#planOf(persistentClass, row)
    if (this.#options.onMissingClass !== 'broken') throw unknownClass(row, oid)
    return { layout: this.layoutFor(brokenLayout(row)), order: undefined, evolve: undefined }
  }

  #planOf(persistentClass: PersistentClass, row: ClassRow): DecodePlan {
    const current = this.layoutFor(layoutOf(persistentClass))
    if (sameNames(current.names, row.fields)) {
      return { layout: current, order: undefined, evolve: undefined }
    }
    const fields = row.fields.filter((name) => name !== MARKS_FIELD_NAME)
    const found = layoutOf(persistentClass).fields.map((field) => findField(field, row.fields))
    const isSame = sameNames(current.names, fields)
    const evolve = isSame ? undefined : evolverOf(persistentClass, row, current.names)
    const extra = fields.filter(
      (name) => evolve === undefined && !found.includes(row.fields.indexOf(name)),
    )
    const plain =
      extra.length === 0 ? current : layoutWith({ ...current, names: [...current.names, ...extra] })
    const layout = fields.length === row.fields.length ? plain : this.markedLayout(plain)
    if (isSame && sameNames(layout.names, row.fields)) return { layout, order: undefined, evolve }
    const beside = layout.names.slice(found.length).map((name) => row.fields.indexOf(name))
    return { layout, order: [...found, ...beside], evolve }
  }

  #findOrAddRow({ storedName, names }: StateLayout): number {
    const known = this.#rows.find(
      ({ name, fields }) => name === storedName && sameNames(fields, names),
    )
    if (known !== undefined) return known.classId
    const row: ClassRow = { classId: this.#rows.length + 1, name: storedName, fields: names }
    this.#rows.push(row)
    this.#unwritten.push(row)
    return row.classId
  }
}

function layoutWith(parts: Omit<StateLayout, 'blobIndex' | 'marksIndex'>): StateLayout {
  const { storedName, classLayout, names, treeIndex } = parts
  const marks = names.indexOf(MARKS_FIELD_NAME)
  if (marks !== -1 && classLayout !== undefined) noteMarkedClass(classLayout.constructor)
  const marksIndex = marks === -1 ? names.length : marks
  return { storedName, classLayout, names, treeIndex, blobIndex: blobIndexIn(names), marksIndex }
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}

/** Where a field stands in a row, under its name or one it had before; -1 when it does not. */
function findField({ name, formerly }: FieldDefinition, fields: readonly string[]): number {
  for (const one of [name, ...formerly]) {
    const index = fields.indexOf(one)
    if (index !== -1) return index
  }
  return -1
}

function unknownClass({ name }: ClassRow, oid: Oid): UnknownClassError {
  return new UnknownClassError(
    `The object with oid ${formatOid(oid)} is stored as ${name}, and no class of this program has that ` +
      `stored name. Import the module that declares @stored('${name}') before reading the object, or open ` +
      "the database with onMissingClass: 'broken' to keep it as it is.",
    { details: { oid: formatOid(oid), storedName: name } },
  )
}
