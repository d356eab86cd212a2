import {
  type FieldDefinition,
  hasLayout,
  type PersistentClass,
  rememberField,
} from './class-layout.js'
import { registerClass, storedNameOf } from './class-registry.js'
import { InvalidClassError } from './errors.js'
import { NestedValues } from './nested-values.js'
import { Persistent, slotsOf, workingValues } from './persistent.js'
import { CrossReference, Reference } from './reference.js'
import type { Slots } from './slots.js'
import { freezeDecoded, importInto, importValue } from './stored-value.js'

/** @public */
export interface FieldOptions<V> {
  /** What objects read whose stored state lacks the field, since they are older than it. */
  readonly default: V
  /** Names that the field had before: objects stored with one of them read its value. */
  readonly formerly?: readonly string[]
}

/** @public */
export interface RenamedFieldOptions {
  /** Names that the field had before: objects stored with one of them read its value. */
  readonly formerly: readonly string[]
  readonly default?: undefined
}

type Accessor<T extends Persistent, V> = ClassAccessorDecoratorTarget<T, V>
type Decorated<T extends Persistent, V> = ClassAccessorDecoratorResult<T, V>
/** Makes the compiler infer a default as narrowly as the field may be typed. */
type Literal = string | number | bigint | boolean | object | null | undefined
/** All that the three compilers agree on. */
type Context = { readonly name: string | symbol; readonly kind: string }

/**
 * Declares a stored field of a persistent class. The initial value of the `accessor` serves new
 * objects only; objects stored before the field existed read `undefined`, or `default`.
 *
 * ```ts
 * @field accessor title = ''
 * @field({ default: 0 }) accessor grade = 0
 * @field({ formerly: ['phoneNumbers'] }) accessor phones: string[] = []
 * ```
 *
 * Objects, arrays, maps and sets that are read from a field in a transaction notice their own
 * changes; what is assigned is copied.
 *
 * @throws PERSISTENCE_INVALID_CLASS when it decorates anything but an `accessor` with a text name.
 * @public
 */
export function field<T extends Persistent, V>(
  target: Accessor<T, V>,
  context: Context,
): Decorated<T, V>
export function field(
  options: RenamedFieldOptions,
): <T extends Persistent, V>(target: Accessor<T, V>, context: Context) => Decorated<T, V>
export function field<V extends Literal>(
  options: FieldOptions<V>,
): <T extends Persistent, W>(
  target: Accessor<T, W>,
  context: [V] extends [W] ? Context : never,
) => Decorated<T, W>
export function field(targetOrOptions: object, context?: Context): unknown {
  if (context !== undefined) return decorate(context, undefined, [])
  const { default: given, formerly = [] } = targetOrOptions as FieldOptions<unknown>
  const fallback = importValue(given, 'The default')
  freezeDecoded(fallback)
  return (_target: object, inner: Context) => decorate(inner, fallback, formerly)
}

/**
 * Does for plain JavaScript what `@stored` and `@field` do: gives `constructor` its stored name and
 * accessors for `fields`. Call it right after the class, before any object of it exists.
 *
 * ```js
 * class Employee extends Persistent {}
 * definePersistent(Employee, { name: 'employees.Employee', fields: { title: '', phones: [] } })
 * ```
 *
 * @param options.fields - names, or names with the value that an object reads until it is assigned.
 * @param options.formerly - names on disk that the class had before.
 * @param options.formerFields - names that fields had before, by present name.
 * @throws PERSISTENCE_INVALID_CLASS
 * @public
 */
export function definePersistent<C extends PersistentClass>(
  persistentClass: C,
  {
    name,
    fields,
    formerly = [],
    formerFields = {},
  }: {
    readonly name: string
    readonly fields: readonly string[] | Readonly<Record<string, unknown>>
    readonly formerly?: readonly string[]
    readonly formerFields?: Readonly<Record<string, readonly string[]>>
  },
): C {
  if (!(persistentClass.prototype instanceof Persistent)) {
    throw new InvalidClassError(`${persistentClass.name} must extend Persistent to be stored`)
  }
  if (hasLayout(persistentClass)) {
    throw new InvalidClassError(
      `Objects of ${persistentClass.name} exist already; call definePersistent right after the class`,
    )
  }
  const known = storedNameOf(persistentClass)
  if (known !== undefined && known !== name) {
    throw new InvalidClassError(
      `${persistentClass.name} is stored as ${known} already; give definePersistent that name instead of ${name}`,
    )
  }
  registerClass(persistentClass, name, { formerly })
  const entries = Array.isArray(fields)
    ? fields.map((fieldName: string) => [fieldName, undefined] as const)
    : Object.entries(fields)
  for (const [fieldName, fallback] of entries) {
    if (fieldName === 'constructor') {
      throw new InvalidClassError(`${persistentClass.name} cannot have a field named ${fieldName}`)
    }
    const value = importValue(fallback, `${persistentClass.name}.${fieldName}`)
    freezeDecoded(value)
    const { get, set } = makeAccessor(fieldName, value, formerFields[fieldName] ?? [])
    Object.defineProperty(persistentClass.prototype, fieldName, {
      get,
      set,
      enumerable: true,
      configurable: true,
    })
  }
  return persistentClass
}

function decorate(
  { name, kind }: Context,
  fallback: unknown,
  formerly: readonly string[],
): unknown {
  if (kind !== 'accessor' || typeof name !== 'string') {
    throw new InvalidClassError(
      `@field stands before \`accessor ${String(name)}\`, not before a ${kind} or a private or symbol name`,
    )
  }
  const { get, set, init } = makeAccessor(name, fallback, formerly)
  return { get, set, init }
}

/** A field with what reads and writes it; `init` gives a new object its first value. @internal */
export function makeAccessor(name: string, fallback: unknown, formerly: readonly string[]) {
  const definition: FieldDefinition = { name, index: -1, fallback, formerly }

  function get(this: Persistent): unknown {
    const slots = slotsOf(this)
    if (slots.generation !== slots.owner.generation) slots.owner.activate(this)
    const value = slots.values[definition.index]
    if (typeof value === 'object' && value !== null) {
      return readNested(this, slots, definition.index, value)
    }
    return value
  }

  function set(this: Persistent, value: unknown): void {
    const slots = slotsOf(this)
    const imported = importInto(this, value, name)
    const values = workingValues(this, slots)
    slots.nested?.forget(definition.index)
    values[definition.index] = imported
  }

  function init(this: Persistent, value: unknown): undefined {
    slotsOf(this).values[definition.index] = importInto(this, value, name)
    return undefined
  }

  rememberField(get, definition)
  return { definition, get, set, init }
}

function readNested(object: Persistent, slots: Slots, index: number, value: object): unknown {
  if (value instanceof Reference) return slots.owner.resolve(value)
  if (value instanceof CrossReference) return slots.owner.resolveElsewhere(value)
  slots.nested ??= new NestedValues(object, slots)
  return slots.nested.read(index, value)
}
