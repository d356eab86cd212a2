import { types } from 'node:util'
import { bytesOf, isBinary } from './binary-value.js'
import { describeObject } from './describe.js'
import { UnstorableValueError } from './errors.js'
import { isPersistent, type Persistent } from './persistent.js'
import { CrossReference, Reference, WeakOid } from './reference.js'
import type { SlotsOwner } from './slots.js'
import { presentWeakly, WeakReference } from './weak-reference.js'

/**
 * The values that fields hold. Three forms of the same value:
 *
 * - _imported_: a copy of what a user assigned, checked, belonging to one object; holds objects and
 *   WeakReferences.
 * - _committed_: frozen and shared by all connections; holds References and WeakOids instead,
 *   CommittedMap, CommittedSet.
 * - _localized_: a committed value made fit for one transaction: objects for References, copies of
 *   what nobody can freeze.
 *
 * Scalars are the same in all three.
 */

/** A Map that nobody changes once it is complete: the committed form. Made empty, then filled. */
export class CommittedMap<K, V> extends Map<K, V> {
  #complete = false

  complete(): this {
    this.#complete = true
    return this
  }
  override set(key: K, value: V): this {
    this.#refuse()
    return super.set(key, value)
  }
  override delete(key: K): boolean {
    this.#refuse()
    return super.delete(key)
  }
  override clear(): void {
    this.#refuse()
    super.clear()
  }
  #refuse(): void {
    if (this.#complete) throw frozen('Map')
  }
}

/** A Set that nobody changes once it is complete: the committed form. Made empty, then filled. */
export class CommittedSet<V> extends Set<V> {
  #complete = false

  complete(): this {
    this.#complete = true
    return this
  }
  override add(value: V): this {
    this.#refuse()
    return super.add(value)
  }
  override delete(value: V): boolean {
    this.#refuse()
    return super.delete(value)
  }
  override clear(): void {
    this.#refuse()
    super.clear()
  }
  #refuse(): void {
    if (this.#complete) throw frozen('Set')
  }
}

function frozen(kind: string): TypeError {
  return new TypeError(
    `This ${kind} is shared and never changed: change a field's inside db.transaction; of one read from a tree, set the key again`,
  )
}

/**
 * `importValue` for a part of `object`, which the error names.
 * @param where - the part: `phones[1]`.
 */
export function importInto(
  object: Persistent,
  value: unknown,
  where: string,
  importing: (value: unknown, where: string) => unknown = importValue,
): unknown {
  try {
    return importing(value, where)
  } catch (error) {
    if (!(error instanceof UnstorableValueError)) throw error
    const what = describeObject(object)
    throw new UnstorableValueError(`${what}: ${error.message}`, {
      details: { ...error.details, object: what },
    })
  }
}

/**
 * Copies an assigned value, so that the caller's stays the caller's.
 * @param where - the field, for the message: `Employee.phones`.
 * @throws PERSISTENCE_UNSTORABLE_VALUE naming the path to the offending part.
 */
export function importValue(value: unknown, where: string): unknown {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw unstorable(where, 'a string with a lone surrogate')
      return value
    case 'number':
      // MessagePack has one zero, and memory must not differ from disk.
      return value === 0 ? 0 : value
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return value
    case 'object':
      return value === null || isPersistent(value) ? value : importContainer(value, where)
    case 'function':
      throw unstorable(where, `a function${value.name ? ` named ${value.name}` : ''}`)
    default:
      throw unstorable(where, 'a symbol')
  }
}

function importContainer(value: object, where: string, inside = new Set<object>()): unknown {
  if (value instanceof WeakReference || isStub(value)) return value
  if (inside.has(value)) throw unstorable(where, 'a cycle of plain values')
  if (inside.size === MAX_NESTING) throw unstorable(where, `values nested in ${MAX_NESTING} others`)
  refuseDerived(value, where)
  inside.add(value)
  const copy = copyContainer(value, where, (inner, path) =>
    typeof inner === 'object' && inner !== null && !isPersistent(inner)
      ? importContainer(inner, path, inside)
      : importValue(inner, path),
  )
  inside.delete(value)
  return copy
}

/** What stands for an object in a state that belongs to no connection. */
function isStub(value: object): boolean {
  return value instanceof Reference || value instanceof CrossReference || value instanceof WeakOid
}

/** Far beyond any plain value; what is deeper would overflow the stack of those who walk it. */
const MAX_NESTING = 500

function copyContainer(
  value: object,
  where: string,
  part: (inner: unknown, path: string) => unknown,
): unknown {
  if (Array.isArray(value)) {
    return Array.from(value, (item, index) => part(item, `${where}[${index}]`))
  }
  if (isMap(value)) {
    const copy = new Map()
    for (const [key, item] of value) {
      copy.set(importKey(key, where), part(item, `${where}.get(${String(key)})`))
    }
    return copy
  }
  if (isSet(value)) {
    const copy = new Set()
    let index = 0
    for (const item of value) copy.add(part(item, `${where}, member ${index++}`))
    return copy
  }
  refuseDetached(value, where)
  return copyOpaque(value) ?? importPlainObject(value, where, part)
}

/** Its bytes are gone to another thread, or were. */
function refuseDetached(value: object, where: string): void {
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value
  if (types.isArrayBuffer(buffer) && isDetached(buffer)) {
    throw unstorable(where, 'binary data that was transferred elsewhere')
  }
}

function isDetached(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength > 0) return false
  try {
    buffer.slice(0)
    return false
  } catch {
    return true
  }
}

/** The key of a Map: a scalar. */
export function importKey(key: unknown, where: string): unknown {
  if (typeof key === 'object' && key !== null)
    throw unstorable(where, 'an object as a key of a Map')
  return importValue(key, `a key of ${where}`)
}

function importPlainObject(
  value: object,
  where: string,
  part: (inner: unknown, path: string) => unknown,
): unknown {
  if (!isPlainObject(value)) throw instanceOfClass(value, where)
  const copy: Record<string, unknown> = {}
  for (const key of Reflect.ownKeys(value)) {
    if (typeof key === 'symbol') throw unstorable(where, `the symbol key ${String(key)}`)
    refuseName(key, where)
    if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue
    copy[key] = part((value as Record<string, unknown>)[key], `${where}.${key}`)
  }
  return copy
}

/** @throws PERSISTENCE_UNSTORABLE_VALUE when no plain object can have a property of this name. */
export function refuseName(name: string, where: string): void {
  if (name === '__proto__') throw unstorable(where, 'a property named __proto__')
  if (!name.isWellFormed()) throw unstorable(where, 'a property name with a lone surrogate')
}

/** An instance of a class that extends Array, Map, Set, Date or binary data would lose its class. */
function refuseDerived(value: object, where: string): void {
  if (value instanceof CommittedMap || value instanceof CommittedSet || Buffer.isBuffer(value))
    return
  const length = ArrayBuffer.isView(value) ? 3 : 2
  if (isPlainObject(value) || chainLength(value) <= length) return
  throw instanceOfClass(value, where)
}

/** How many prototypes a value has: two for an Array, of this realm or another. */
function chainLength(value: object): number {
  let length = 0
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) length++
  return length
}

function instanceOfClass(value: object, where: string): UnstorableValueError {
  const name = (Object.getPrototypeOf(value) as object).constructor?.name ?? 'a class'
  return unstorable(where, `an instance of ${name}, which has no stored name`)
}

export function unstorable(where: string, what: string): UnstorableValueError {
  return new UnstorableValueError(
    `${where} was given ${what}, which cannot be stored. Stored are text, numbers, bigint, booleans, ` +
      'null, undefined, Date, binary data, plain arrays and objects, Map, Set, persistent objects, and ' +
      'WeakReferences to these.',
    { details: { where } },
  )
}

/** A copy of a Date or of binary data; `undefined` for anything else. */
export function copyOpaque(value: object): object | undefined {
  if (isDate(value)) return new Date(value.getTime())
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (!isBinary(value)) return undefined
  return ArrayBuffer.isView(value) ? value.slice() : value.slice(0)
}

/** True when two Dates, or two pieces of binary data of one kind, hold the same. */
export function sameOpaque(one: object, other: object): boolean {
  if (isDate(one) && isDate(other)) return Object.is(one.getTime(), other.getTime())
  return Buffer.compare(bytesOf(one), bytesOf(other)) === 0
}

/** Frozen values that hold something a transaction must not be given as it is. */
const impure = new WeakSet<object>()

/** True for a committed value that can be handed out as it is: nothing in it but frozen plain data. */
export function isPure(value: object): boolean {
  return !impure.has(value)
}

/**
 * Freezes a decoded value in place, and remembers whether it is pure.
 * @returns whether it is.
 */
export function freezeDecoded(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (value instanceof Reference || value instanceof CrossReference) return false
  let pure = true
  if (Array.isArray(value)) {
    for (const item of value) if (!freezeDecoded(item)) pure = false
    Object.freeze(value)
  } else if (value instanceof Map) {
    for (const item of value.values()) if (!freezeDecoded(item)) pure = false
  } else if (value instanceof Set) {
    for (const item of value) if (!freezeDecoded(item)) pure = false
  } else if (isPlainObject(value)) {
    for (const key in value) {
      if (!freezeDecoded((value as Record<string, unknown>)[key])) pure = false
    }
    Object.freeze(value)
  } else {
    // A persistent object, a weak reference, a Date or binary data.
    pure = false
  }
  if (!pure) impure.add(value)
  return pure
}

/** True for `{…}` and objects without prototype, of this realm or another. */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null
  if (prototype === Object.prototype || prototype === null) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf')
}

// Values of other realms come from `vm`, and so from test runners; a proxy of ours is an instance.
const isMap = (value: object): value is Map<unknown, unknown> =>
  value instanceof Map || types.isMap(value)
const isSet = (value: object): value is Set<unknown> => value instanceof Set || types.isSet(value)
const isDate = (value: object): value is Date => value instanceof Date || types.isDate(value)

/** What stands for objects in a committed value. */
export interface Referrer {
  /** The reference for an object, which is added to the commit when it is new. */
  refer(object: Persistent): Reference | CrossReference | Persistent
  referWeakly(weak: WeakReference): WeakOid | WeakReference
}

/**
 * The committed form of an imported or localized value. Parts that are committed already are
 * shared, not copied.
 */
export function toCommitted(value: unknown, referrer: Referrer): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isPersistent(value)) return referrer.refer(value)
  if (value instanceof WeakReference) return markImpure(referrer.referWeakly(value))
  if (isStub(value)) return value
  if (Object.isFrozen(value) && !impure.has(value)) return value
  const committed = convertContainer(value, (inner) => toCommitted(inner, referrer))
  freezeShallow(committed)
  return committed
}

function markImpure<T extends object>(value: T): T {
  impure.add(value)
  return value
}

function convertContainer(value: object, convert: (inner: unknown) => unknown): object {
  // Not `map`, which would keep holes: they are stored as undefined.
  if (Array.isArray(value)) return Array.from(value, (item) => convert(item))
  if (value instanceof Map) {
    const copy = new CommittedMap()
    for (const [key, item] of value) copy.set(key, convert(item))
    return copy.complete()
  }
  if (value instanceof Set) {
    const copy = new CommittedSet()
    for (const item of value) copy.add(convert(item))
    return copy.complete()
  }
  const opaque = copyOpaque(value)
  if (opaque !== undefined) return opaque
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = convert((value as Record<string, unknown>)[key])
  return copy
}

/** Freezes one level whose parts are committed already. */
function freezeShallow(value: object): void {
  let pure = true
  const look = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return
    if (isStub(item) || impure.has(item) || isPersistent(item)) pure = false
  }
  if (value instanceof Map || value instanceof Set) value.forEach(look)
  else if (Array.isArray(value)) {
    value.forEach(look)
    Object.freeze(value)
  } else if (isPlainObject(value)) {
    Object.values(value).forEach(look)
    Object.freeze(value)
  } else pure = false
  if (!pure) impure.add(value)
}

/**
 * The localized form of an impure committed value: a copy that belongs to one object and
 * transaction.
 * @param watch - told of each Date and piece of binary data copied, with its original.
 */
export function localize(
  value: unknown,
  owner: SlotsOwner,
  watch: (copy: object, original: object) => void,
): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Reference) return owner.resolve(value)
  if (value instanceof CrossReference) return owner.resolveElsewhere(value)
  if (value instanceof WeakOid) return presentWeakly(value, owner)
  if (isPersistent(value) || value instanceof WeakReference || !impure.has(value)) return value
  return rebuild(value, (item) => localize(item, owner, watch), watch)
}

/** A container with parts made of another's; of a Date or binary data a copy. */
export function rebuild(
  value: object,
  part: (item: unknown) => unknown,
  watch?: (copy: object, original: object) => void,
): object {
  if (Array.isArray(value)) return value.map((item) => part(item))
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, part(item)]))
  if (value instanceof Set) return new Set([...value].map((item) => part(item)))
  const opaque = copyOpaque(value)
  if (opaque !== undefined) {
    watch?.(opaque, value)
    return opaque
  }
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) copy[key] = part((value as Record<string, unknown>)[key])
  return copy
}

/**
 * An imported or localized value as a tree keeps it and hands it out: it holds objects, and whoever
 * tries to change it learns that nobody would notice. Dates and binary data cannot refuse.
 */
export function sealed(value: unknown): unknown {
  return toCommitted(value, AS_THEY_ARE)
}

const AS_THEY_ARE: Referrer = { refer: (object) => object, referWeakly: (weak) => weak }

/**
 * A deep copy that is plain data: for `structuredClone`, `JSON.stringify`, or to keep after the
 * transaction. Persistent objects and weak references inside are left as
 * they are.
 * @public
 */
export function plain<T>(value: T): T {
  return importValue(value, 'the value') as T
}
