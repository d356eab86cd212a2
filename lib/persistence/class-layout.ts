import { InvalidClassError } from './errors.js'
import type { Persistent } from './persistent.js'

/** A class of persistent objects. Constructors differ in their arguments; loading calls none. */
export type PersistentClass<T extends Persistent = Persistent> = abstract new (
  // biome-ignore lint/suspicious/noExplicitAny: the one type that every constructor is assignable to
  ...args: any[]
) => T

/** One declared field. */
export interface FieldDefinition {
  readonly name: string
  /** Position in the values of every class that has the field; known once a layout names it. */
  index: number
  /** What an object reads whose stored state lacks the field. Frozen. */
  readonly fallback: unknown
  /** Names that the field had before. */
  readonly formerly: readonly string[]
}

/** Declares that objects of the class keep a tree in their own record, as the field `__tree__`. */
export const HAS_TREE: unique symbol = Symbol('treehook.hasTree')

/**
 * The fields of one class in the order of its values: those of the base class first, so that a
 * field has the same index in all classes that inherit it.
 */
export interface ClassLayout {
  readonly constructor: PersistentClass
  readonly names: readonly string[]
  readonly fields: readonly FieldDefinition[]
  /** Where the tree stands, or -1. */
  readonly treeIndex: number
  /** The values of an object before its first assignment: each field's fallback. */
  readonly initialValues: readonly unknown[]
  /** Names that an own property of an instance would hide. */
  readonly guardedNames: readonly string[]
  /** The class is missing: its objects are kept as they are, and never changed. */
  readonly isBroken: boolean
  /** Its objects are written and not read: what is stored is of the class that has the name. */
  readonly isPassing: boolean
  /** The class has methods of these names; see custom-state.ts. */
  readonly hasGetState: boolean
  readonly hasSetState: boolean
}

/** On disk. */
export const TREE_FIELD_NAME = '__tree__'

/** On disk: the field of a blob that names its content. */
export const BLOB_FIELD_NAME = '__blob__'

/** On disk: the field of an object that has marks, of whatever class; see marks.ts. */
export const MARKS_FIELD_NAME = '__provides__'

/** Which getter belongs to which field: all a decorator can tell about a class not yet made. */
const fieldsByGetter = new WeakMap<object, FieldDefinition>()

const layouts = new WeakMap<object, ClassLayout>()

/** Remembers that `getter`, found on a prototype, reads `definition`. */
export function rememberField(getter: object, definition: FieldDefinition): void {
  fieldsByGetter.set(getter, definition)
}

/**
 * The layout of a class; worked out once, when the first object is made or loaded.
 * @throws PERSISTENCE_INVALID_CLASS when a field was declared for another class too.
 */
export function layoutOf(persistentClass: PersistentClass): ClassLayout {
  const known = layouts.get(persistentClass)
  if (known !== undefined) return known
  const layout = buildLayout(persistentClass)
  layouts.set(persistentClass, layout)
  settleSize(persistentClass)
  return layout
}

/**
 * Makes a few objects as loading does. V8 leaves room in every object of a class for what its first
 * ones had: if those are made by the class's own constructor, loaded objects carry room for accessors
 * that are never filled. (Ten of them: 213 bytes for an object of a connection instead of 115.)
 */
function settleSize(persistentClass: PersistentClass): void {
  let base: PersistentClass = persistentClass
  for (let at: unknown = base; at !== Function.prototype; at = Object.getPrototypeOf(at)) {
    base = at as PersistentClass
  }
  for (let made = 0; made < FIRST_OBJECTS; made++) Reflect.construct(base, [], persistentClass)
}

/** V8's `kSlackTrackingCounterStart`, and some. */
const FIRST_OBJECTS = 10

/** Says what the layout of a class is that was not made by declaring fields. */
export function giveLayout(persistentClass: PersistentClass, layout: ClassLayout): void {
  layouts.set(persistentClass, layout)
}

/** True once the layout is worked out: fields can no longer be added. */
export function hasLayout(persistentClass: PersistentClass): boolean {
  return layouts.has(persistentClass)
}

function buildLayout(persistentClass: PersistentClass): ClassLayout {
  const base = Object.getPrototypeOf(persistentClass) as PersistentClass | null
  const inherited =
    typeof base === 'function' && base !== Function.prototype ? layoutOf(base) : undefined
  const fields: FieldDefinition[] = inherited === undefined ? [] : [...inherited.fields]
  const place = (definition: FieldDefinition): void => {
    const same = fields.findIndex(({ name }) => name === definition.name)
    const index = same === -1 ? fields.length : same
    if (definition.index !== -1 && definition.index !== index) {
      throw new InvalidClassError(
        `The field ${definition.name} of ${persistentClass.name} was declared for another class too; declare it anew for each`,
      )
    }
    definition.index = index
    fields[index] = definition
  }
  for (const [name, descriptor] of Object.entries(
    Object.getOwnPropertyDescriptors(persistentClass.prototype),
  )) {
    const definition = descriptor.get && fieldsByGetter.get(descriptor.get)
    if (definition !== undefined && definition.name === name) place(definition)
  }
  if (Object.hasOwn(persistentClass, HAS_TREE)) place(treeField())
  refuseFormerNames(persistentClass, fields)
  const treeIndex = fields.findIndex(
    ({ name }) => name === TREE_FIELD_NAME && isTree(persistentClass),
  )
  return {
    constructor: persistentClass,
    fields,
    names: fields.map(({ name }) => name),
    treeIndex,
    initialValues: fields.map(({ fallback }) => fallback),
    guardedNames: fields.filter((_, index) => index !== treeIndex).map(({ name }) => name),
    isBroken: false,
    isPassing: false,
    hasGetState: hasMethod(persistentClass, 'getState'),
    hasSetState: hasMethod(persistentClass, 'setState'),
  }
}

/** The layout of a class that stands in for the one that a class row names. */
export function standInLayout(
  standIn: PersistentClass,
  fields: readonly FieldDefinition[],
  { isBroken }: { readonly isBroken: boolean },
): ClassLayout {
  return {
    constructor: standIn,
    fields,
    names: fields.map(({ name }) => name),
    treeIndex: fields.findIndex(({ name }) => name === TREE_FIELD_NAME),
    initialValues: fields.map(() => undefined),
    guardedNames: [],
    isBroken,
    isPassing: !isBroken,
    hasGetState: false,
    hasSetState: false,
  }
}

/** Where a blob's content stands among these fields; -1 when they are none of a blob. */
export function blobIndexIn(names: readonly string[]): number {
  return names.indexOf(BLOB_FIELD_NAME)
}

/** True for the name under which an object's tree stands among its fields. */
export function isTreeField(name: string): boolean {
  return name === TREE_FIELD_NAME
}

function treeField(): FieldDefinition {
  return { name: TREE_FIELD_NAME, index: -1, fallback: undefined, formerly: [] }
}

/** Whose values a former name meant must be certain. */
function refuseFormerNames(
  persistentClass: PersistentClass,
  fields: readonly FieldDefinition[],
): void {
  const names = new Set(fields.map(({ name }) => name))
  for (const { name, formerly } of fields) {
    for (const former of formerly) {
      if (!names.has(former)) {
        names.add(former)
        continue
      }
      throw new InvalidClassError(
        `The field ${name} of ${persistentClass.name} says that it was formerly ${former}, which is or was another field of the class`,
      )
    }
  }
}

function hasMethod(persistentClass: PersistentClass, name: string): boolean {
  return (
    typeof (persistentClass.prototype as unknown as Record<string, unknown>)[name] === 'function'
  )
}

function isTree(persistentClass: PersistentClass): boolean {
  return HAS_TREE in persistentClass
}
