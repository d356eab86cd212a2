import type { ClassRow, Oid } from '../storage/index.js'
import { formatOid } from '../storage/index.js'
import { type ClassLayout, layoutOf } from './class-layout.js'
import { classNamed, storedNameOf } from './class-registry.js'
import { InvalidClassError, UnknownClassError } from './errors.js'

/** What a committed state's values mean, in one database. */
export interface StateLayout {
  readonly storedName: string
  /** Absent for the nodes of trees, which are no objects. */
  readonly classLayout: ClassLayout | undefined
  /** The class's fields, then those that the record has and the class lacks: they are kept. */
  readonly names: readonly string[]
  readonly treeIndex: number
}

/** How a record's values become a state's. */
export interface DecodePlan {
  readonly layout: StateLayout
  /** For each value of the state its index in the record, or -1; absent when the order is the same. */
  readonly order: readonly number[] | undefined
}

/** On disk. */
const NODE_CLASS = 'treehook.TreeNode'
const NO_ROWS: readonly ClassRow[] = []

/** The layout of the records that hold a tree's nodes. */
export const NODE_LAYOUT: StateLayout = {
  storedName: NODE_CLASS,
  classLayout: undefined,
  names: ['node'],
  treeIndex: 0,
}

/**
 * The class rows of one database: which id stands for which class with which fields. A class that
 * gained or lost a field since gets a further row; records of the old one are read by its own.
 */
export class ClassTable {
  readonly #rows: ClassRow[]
  readonly #plans = new Map<number, DecodePlan>() // class id → how to read its records
  readonly #layouts = new WeakMap<ClassLayout, StateLayout>()
  readonly #ids = new Map<StateLayout, number>()
  #unwritten: ClassRow[] = []

  constructor(rows: readonly ClassRow[]) {
    this.#rows = [...rows]
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
      layout = { storedName, classLayout, names, treeIndex }
      this.#layouts.set(classLayout, layout)
    }
    return layout
  }

  /**
   * @param oid - for the message.
   * @throws PERSISTENCE_UNKNOWN_CLASS when this program has no such class.
   */
  planFor(classId: number, oid: Oid): DecodePlan {
    let plan = this.#plans.get(classId)
    if (plan === undefined) {
      plan = this.#makePlan(classId, oid)
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
    if (row.name === NODE_CLASS) return { layout: NODE_LAYOUT, order: undefined }
    const persistentClass = classNamed(row.name)
    if (persistentClass === undefined) {
      throw new UnknownClassError(
        `The object with oid ${formatOid(oid)} is stored as ${row.name}, and no class of this program has that ` +
          `stored name. Import the module that declares @stored('${row.name}') before reading the object.`,
        { details: { oid: formatOid(oid), storedName: row.name } },
      )
    }
    const current = this.layoutFor(layoutOf(persistentClass))
    if (sameNames(current.names, row.fields)) return { layout: current, order: undefined }
    const extra = row.fields.filter((name) => !current.names.includes(name))
    const layout =
      extra.length === 0 ? current : { ...current, names: [...current.names, ...extra] }
    return { layout, order: layout.names.map((name: string) => row.fields.indexOf(name)) }
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

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index])
}
