import { current, enableMapSet, Immer } from 'immer'
import { describeObject } from './describe.js'
import { OutsideTransactionError } from './errors.js'
import { OpaqueCopy } from './opaque-copies.js'
import { isPersistent, type Persistent, workingValues } from './persistent.js'
import type { Slots } from './slots.js'
import {
  copyOpaque,
  importInto,
  importKey,
  isPlainObject,
  isPure,
  localize,
  refuseName,
  unstorable,
} from './stored-value.js'

enableMapSet()

/** Our own instance: the global settings stay the user's. Commit freezes what it keeps. */
const immer = new Immer({ autoFreeze: false })

/**
 * The nested values that one object has handed out in one transaction, by field. A value is handed
 * out as a thin proxy that reads the committed base and opens an immer draft at the first write, so
 * that no change is missed and committed state is never touched. Reading alone costs no draft.
 *
 * After the transaction a proxy still reads what it last held; writing to it throws.
 */
export class NestedValues {
  readonly #object: Persistent
  readonly #slots: Slots
  readonly #roots = new Map<number, NestedRoot>() // field index → what was handed out for it
  /** The owner's, in which they were handed out. */
  readonly generation: number

  constructor(object: Persistent, slots: Slots) {
    this.#object = object
    this.#slots = slots
    this.generation = slots.owner.generation
  }

  /** What the user gets for `value`, which stands in the field: the same thing each time. */
  read(index: number, value: object): unknown {
    const known = this.#roots.get(index)
    if (known !== undefined) return known.handedOut
    const { owner } = this.#slots
    if (!owner.isWriting && Object.isFrozen(value) && isPure(value)) return value
    const root = new NestedRoot(this.#object, this.#slots, index, value)
    this.#roots.set(index, root)
    return root.handedOut
  }

  /** The field was assigned: what was handed out for it before is no longer its value. */
  forget(index: number): void {
    this.#roots.get(index)?.close()
    this.#roots.delete(index)
  }

  /** True when a Date or binary data handed out was changed in place. */
  get hasChangedCopies(): boolean {
    for (const root of this.#roots.values()) if (root.hasChangedCopies) return true
    return false
  }

  /** Puts the present values of all fields handed out into `values`. */
  collect(values: unknown[]): void {
    for (const [index, root] of this.#roots) {
      if (root.isChanged || root.hasChangedCopies) values[index] = root.result()
    }
  }

  /** The Dates and binary data handed out. */
  *copies(): IterableIterator<OpaqueCopy> {
    for (const root of this.#roots.values()) yield* root.copies
  }

  /** All fields handed out as they are now. */
  image(): NestedImage {
    return new Map(Array.from(this.#roots, ([index, root]) => [index, root.image()]))
  }

  /** Back to an image of this object: what was handed out since is closed. */
  restore(image: NestedImage | undefined): void {
    const kept = new Set<NestedRoot>()
    for (const { root } of image?.values() ?? []) kept.add(root)
    for (const root of this.#roots.values()) if (!kept.has(root)) root.close()
    this.#roots.clear()
    for (const [index, rootImage] of image ?? []) {
      rootImage.root.restore(rootImage)
      this.#roots.set(index, rootImage.root)
    }
  }

  /** The transaction is over, or the object's state is replaced. */
  close(): void {
    for (const root of this.#roots.values()) root.close()
    this.#roots.clear()
  }
}

/** What was handed out of one object, at one instant: field index → the field's value. */
export type NestedImage = ReadonlyMap<number, RootImage>

/** One field's value at one instant. Its proxies are still its proxies after a rollback. */
interface RootImage {
  readonly root: NestedRoot
  readonly value: object
  readonly isChanged: boolean
  /** Parents before children. */
  readonly nodes: readonly NodeImage[]
}

interface NodeImage {
  readonly node: NestedNode
  readonly container: object
  readonly key: unknown
}

/** One field's value as handed out. */
class NestedRoot {
  readonly object: Persistent
  readonly field: string
  readonly #slots: Slots
  #base: object // what reads see while there is no draft
  #isBaseChanged = false // true when the base came with a rollback and is not what the field holds
  #draft: object | undefined
  #nodes: NestedNode[] = [] // parents before children
  readonly #proxies = new WeakMap<object, object>() // container, base or draft → its proxy
  readonly #copies = new Map<object, OpaqueCopy>() // by what was handed out
  readonly handedOut: unknown
  /** Iterators that see it rise look again at what they walk. */
  writes = 0
  #closed = false

  constructor(object: Persistent, slots: Slots, index: number, value: object) {
    this.object = object
    this.#slots = slots
    this.field = slots.layout.names[index] ?? ''
    const watch = (copy: object, original: object): void => this.#watch(copy, original)
    const base = isPure(value) ? value : (localize(value, slots.owner, watch) as object)
    this.#base = base
    this.handedOut = this.wrap(base, undefined, undefined)
  }

  get isChanged(): boolean {
    return this.#draft !== undefined || this.#isBaseChanged
  }

  get copies(): Iterable<OpaqueCopy> {
    return this.#copies.values()
  }

  get hasChangedCopies(): boolean {
    for (const copy of this.#copies.values()) if (copy.isChanged) return true
    return false
  }

  /** The value as it is now. `current` and not `finishDraft`, which would revoke what users hold. */
  result(): object {
    return this.#draft === undefined ? this.#base : (current(this.#draft) as object)
  }

  close(): void {
    this.#closed = true
  }

  /** What the user gets for a part of the value. */
  wrap(value: unknown, parent: NestedNode | undefined, key: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (!isContainer(value)) return this.#noticed(value)
    const known = this.#proxies.get(value)
    if (known !== undefined) return known
    const node = new NestedNode(this, value, parent, key)
    const proxy = makeProxy(node)
    this.#proxies.set(value, proxy)
    this.#nodes.push(node)
    return proxy
  }

  /** The form in which a written value is kept, or an error that names the object. */
  import(value: unknown, where: string): unknown {
    return importInto(this.object, value, where)
  }

  /** Called before each write: checks that it is allowed, and opens the draft at the first. */
  prepareWrite(node: NestedNode): void {
    const slots = this.#slots
    slots.owner.assertWritable(this.object)
    // A later transaction of the same connection begins by closing what this one handed out.
    if (slots.generation !== slots.owner.generation) slots.owner.activate(this.object)
    if (this.#closed || node.isDetached) throw this.#outdated()
    workingValues(this.object, slots)
    this.writes++
    if (this.#draft === undefined) this.#openDraft()
  }

  image(): RootImage {
    const value = this.result()
    const nodes = this.#draft === undefined ? this.#imageOfBase() : this.#imageOfDraft(value)
    return { root: this, value, isChanged: this.isChanged, nodes }
  }

  restore({ value, isChanged, nodes }: RootImage): void {
    this.#closed = false
    this.#base = value
    this.#isBaseChanged = isChanged
    this.#draft = undefined
    this.writes++
    for (const node of this.#nodes) node.isDetached = true
    this.#nodes = nodes.map(({ node, container, key }) => {
      const proxy = this.#proxies.get(node.container) as object
      node.isDetached = false
      node.container = container
      node.key = key
      this.#proxies.set(container, proxy)
      return node
    })
  }

  #imageOfBase(): NodeImage[] {
    return this.#nodes.map((node) => ({ node, container: node.container, key: node.key }))
  }

  /** Finds the nodes' places in `value`, which is the draft finished: both are walked side by side. */
  #imageOfDraft(value: object): NodeImage[] {
    const images: NodeImage[] = []
    const nodesByDraft = new Map(this.#nodes.map((node) => [node.container, node]))
    const visit = (draft: object, container: object, key: unknown): void => {
      const node = nodesByDraft.get(draft)
      if (node === undefined) return
      images.push({ node, container, key })
      if (images.length === nodesByDraft.size) return
      for (const [childKey, child] of partsOf(draft)) {
        if (typeof child === 'object' && child !== null && nodesByDraft.has(child)) {
          visit(child, childOf(container, childKey) as object, childKey)
        }
      }
    }
    visit(this.#draft as object, value, undefined)
    return images
  }

  #openDraft(): void {
    this.#draft = immer.createDraft(this.#base) as object
    for (const node of this.#nodes) {
      const proxy = this.#proxies.get(node.container) as object
      node.container =
        node.parent === undefined
          ? this.#draft
          : (childOf(node.parent.container, node.key) as object)
      this.#proxies.set(node.container, proxy)
    }
  }

  /** A Date or binary data that was assigned in this transaction is handed out as it is. */
  #noticed(value: object): object {
    if (isPersistent(value) || this.#copies.has(value)) return value
    const original = copyOpaque(value)
    if (original !== undefined) this.#watch(value, original)
    return value
  }

  #watch(copy: object, original: object): void {
    if (this.#copies.size === 0) this.#slots.owner.registerWatched(this.object)
    this.#copies.set(copy, new OpaqueCopy(copy, original))
  }

  #outdated(): OutsideTransactionError {
    return new OutsideTransactionError(
      `${this.field} of ${describeObject(this.object)} was read in a transaction that is over, or was ` +
        'assigned anew since, or rolled back to a savepoint that did not have it. Read it again from the ' +
        'object, inside the transaction that changes it.',
    )
  }
}

/** One array, object, map or set inside a value: what a proxy stands for. */
class NestedNode {
  readonly root: NestedRoot
  /** The base while there is no draft, then the draft. */
  container: object
  readonly parent: NestedNode | undefined
  /** Where it stands in its parent: a property, a map's key, or the position in a set. */
  key: unknown
  /** A rollback has taken it out of the value. */
  isDetached = false

  constructor(root: NestedRoot, container: object, parent: NestedNode | undefined, key: unknown) {
    this.root = root
    this.container = container
    this.parent = parent
    this.key = key
  }

  prepareWrite(): void {
    this.root.prepareWrite(this)
  }

  where(key: PropertyKey): string {
    return `${this.root.field}, ${String(key)}`
  }
}

/** What a draft holds, as it holds it: asking an immer draft of a plain object makes more drafts. */
function* partsOf(draft: object): IterableIterator<[key: unknown, part: unknown]> {
  if (draft instanceof Map) yield* draft
  else if (draft instanceof Set) {
    let position = 0
    for (const member of draft) yield [position++, member]
  } else {
    for (const key of Reflect.ownKeys(draft)) {
      yield [key, Reflect.getOwnPropertyDescriptor(draft, key)?.value]
    }
  }
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isPersistent(value)) return false
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true
  return isPlainObject(value)
}

function childOf(container: object, key: unknown): unknown {
  if (container instanceof Map) return container.get(key)
  if (container instanceof Set) return [...container][key as number]
  return (container as Record<PropertyKey, unknown>)[key as PropertyKey]
}

/** Proxy → its node: to know our own proxies when they come back as arguments. */
const nodesByProxy = new WeakMap<object, NestedNode>()

/** What stands behind a proxy of ours; anything else as it is. */
function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? (nodesByProxy.get(value)?.container ?? value)
    : value
}

/** Proxy target → its node. An array's target is an array, so that `Array.isArray` tells the truth. */
const nodes = new WeakMap<object, NestedNode>()

function nodeOf(target: object): NestedNode {
  return nodes.get(target) as NestedNode
}

function makeProxy(node: NestedNode): object {
  const { container } = node
  const target = Array.isArray(container) ? [] : {}
  nodes.set(target, node)
  const handler =
    container instanceof Map ? mapHandler : container instanceof Set ? setHandler : plainHandler
  const proxy = new Proxy(target, handler)
  nodesByProxy.set(proxy, node)
  return proxy
}

const plainHandler: ProxyHandler<object> = {
  get(target, key) {
    const node = nodeOf(target)
    const container = node.container as Record<PropertyKey, unknown>
    if (Object.hasOwn(container, key)) return node.root.wrap(container[key], node, key)
    if (Array.isArray(target) && Object.hasOwn(arrayMethods, key)) return arrayMethods[key]
    return Reflect.get(Object.getPrototypeOf(container) ?? {}, key)
  },
  set(target, key, value) {
    write(nodeOf(target), key, value)
    return true
  },
  deleteProperty(target, key) {
    const node = nodeOf(target)
    node.prepareWrite()
    return Reflect.deleteProperty(node.container, key)
  },
  defineProperty(target, key, descriptor) {
    if (!('value' in descriptor)) return false
    write(nodeOf(target), key, descriptor.value)
    return true
  },
  has: (target, key) => Reflect.has(nodeOf(target).container, key),
  ownKeys: (target) => Reflect.ownKeys(nodeOf(target).container),
  getOwnPropertyDescriptor(target, key) {
    const node = nodeOf(target)
    const descriptor = Reflect.getOwnPropertyDescriptor(node.container, key)
    if (descriptor === undefined) return undefined
    const isLength = Array.isArray(target) && key === 'length'
    return {
      value: node.root.wrap(descriptor.value, node, key),
      writable: true,
      enumerable: descriptor.enumerable ?? true,
      configurable: !isLength,
    }
  },
  getPrototypeOf: (target) => Object.getPrototypeOf(nodeOf(target).container),
  preventExtensions: () => false,
  setPrototypeOf: () => false,
}

function write(node: NestedNode, key: PropertyKey, value: unknown): void {
  const imported = node.root.import(typeof key === 'symbol' ? key : value, node.where(key))
  refuseKey(node, String(key))
  node.prepareWrite()
  ;(node.container as Record<PropertyKey, unknown>)[key] = imported
}

function refuseKey(node: NestedNode, key: string): void {
  if (!Array.isArray(node.container)) {
    refuseName(key, node.where(key))
  } else if (key !== 'length' && String(Number(key) >>> 0) !== key) {
    throw unstorable(node.where(key), 'a property of an array that is no index')
  }
}

/**
 * The methods that move items, or take several. They work on the draft itself, so that an item that
 * the program holds is still the array's after it moved; and they take all arguments or none.
 */
const arrayMethods = {
  push(this: unknown[], ...items: unknown[]): number {
    return withArray(this, items, (array, imported) => array.push(...imported))
  },
  unshift(this: unknown[], ...items: unknown[]): number {
    return withArray(this, items, (array, imported) => array.unshift(...imported))
  },
  splice(this: unknown[], ...args: unknown[]): unknown[] {
    const range = args.slice(0, 2) as [number, number]
    return withArray(this, args.slice(2), (array, imported, node) =>
      array.splice(...range, ...imported).map((item) => node.root.wrap(item, node, undefined)),
    )
  },
  shift(this: unknown[]): unknown {
    return withArray(this, [], (array, _, node) => node.root.wrap(array.shift(), node, undefined))
  },
  reverse(this: unknown[]): unknown[] {
    withArray(this, [], (array) => array.reverse())
    return this
  },
  sort(this: unknown[], compare?: (one: unknown, other: unknown) => number): unknown[] {
    withArray(this, [], (array, _, node) => {
      const present = (item: unknown): unknown => node.root.wrap(item, node, undefined)
      return array.sort(compare && ((one, other) => compare(present(one), present(other))))
    })
    return this
  },
} as Record<PropertyKey, unknown>

/** Changes the array that stands behind a proxy of ours, or any other that a method is lent to. */
function withArray<R>(
  self: unknown[],
  items: readonly unknown[],
  change: (array: unknown[], items: readonly unknown[], node: NestedNode) => R,
): R {
  const node = nodesByProxy.get(self)
  if (node === undefined)
    throw new TypeError('A method of a stored array was called on another one')
  const imported = items.map((item) => node.root.import(item, node.where('a new item')))
  node.prepareWrite()
  return change(node.container as unknown[], imported, node)
}

/** What maps and sets share: no properties of their own, methods from a table. */
function collectionHandler(
  prototype: object,
  methods: Readonly<Record<PropertyKey, (node: NestedNode, proxy: object) => unknown>>,
): ProxyHandler<object> {
  return {
    get(target, key, receiver) {
      const method = methods[key]
      if (method !== undefined) return method(nodeOf(target), receiver)
      return key === 'constructor' || key === Symbol.toStringTag
        ? Reflect.get(prototype, key)
        : undefined
    },
    set: () => false,
    has: (_target, key) => key in prototype,
    ownKeys: () => [],
    getPrototypeOf: () => prototype,
    preventExtensions: () => false,
    setPrototypeOf: () => false,
  }
}

type AnyMap = Map<unknown, unknown>
type AnySet = Set<unknown>

const mapOf = (node: NestedNode): AnyMap => node.container as AnyMap

function* mapKeys(node: NestedNode): IterableIterator<unknown> {
  yield* walk(
    node,
    () => mapOf(node).keys(),
    (key) => mapOf(node).has(key),
  )
}

function* mapEntries(node: NestedNode): IterableIterator<[unknown, unknown]> {
  for (const key of mapKeys(node)) yield [key, node.root.wrap(mapOf(node).get(key), node, key)]
}

/**
 * Iterates as JavaScript does while the collection changes, although the first write replaces what
 * stands behind it: what was deleted meanwhile is left out, what was added comes at the end.
 */
function* walk<T>(
  { root }: NestedNode,
  items: () => Iterable<T>,
  has: (item: T) => boolean,
): IterableIterator<T> {
  const visited = new Set<T>()
  for (let writes = -1; writes !== root.writes; ) {
    writes = root.writes
    for (const item of items()) {
      if (visited.has(item) || (writes !== root.writes && !has(item))) continue
      visited.add(item)
      yield item
    }
  }
}

function* pick<T, R>(items: Iterable<T>, what: (item: T) => R): IterableIterator<R> {
  for (const item of items) yield what(item)
}

const mapHandler = collectionHandler(Map.prototype, {
  size: (node) => mapOf(node).size,
  has: (node) => (key: unknown) => mapOf(node).has(key),
  get: (node) => (key: unknown) => node.root.wrap(mapOf(node).get(key), node, key),
  set: (node, proxy) => (key: unknown, value: unknown) => {
    const importedKey = importInto(node.root.object, key, node.root.field, importKey)
    const imported = node.root.import(value, node.where(String(key)))
    node.prepareWrite()
    mapOf(node).set(importedKey, imported)
    return proxy
  },
  delete: (node) => (key: unknown) => {
    node.prepareWrite()
    return mapOf(node).delete(key)
  },
  clear: (node) => () => {
    node.prepareWrite()
    mapOf(node).clear()
  },
  forEach: (node, proxy) => (visit: (value: unknown, key: unknown, map: object) => void) => {
    for (const [key, value] of mapEntries(node)) visit(value, key, proxy)
  },
  keys: (node) => () => mapKeys(node),
  values: (node) => () => pick(mapEntries(node), ([, value]) => value),
  entries: (node) => () => mapEntries(node),
  [Symbol.iterator]: (node) => () => mapEntries(node),
})

const setOf = (node: NestedNode): AnySet => node.container as AnySet

function* setMembers(node: NestedNode): IterableIterator<unknown> {
  // All are wrapped before the first is handed out: a write in between opens the draft.
  const members = (): unknown[] =>
    Array.from(setOf(node), (member, position) => node.root.wrap(member, node, position))
  yield* walk(node, members, (member) => setOf(node).has(unwrap(member)))
}

const setHandler = collectionHandler(Set.prototype, {
  size: (node) => setOf(node).size,
  has: (node) => (member: unknown) => setOf(node).has(unwrap(member)),
  add: (node, proxy) => (member: unknown) => {
    const imported = node.root.import(member, node.where('a member'))
    node.prepareWrite()
    if (!setOf(node).has(unwrap(member))) setOf(node).add(imported)
    return proxy
  },
  delete: (node) => (member: unknown) => {
    node.prepareWrite()
    return setOf(node).delete(unwrap(member))
  },
  clear: (node) => () => {
    node.prepareWrite()
    setOf(node).clear()
  },
  forEach: (node, proxy) => (visit: (value: unknown, key: unknown, set: object) => void) => {
    for (const member of setMembers(node)) visit(member, member, proxy)
  },
  keys: (node) => () => setMembers(node),
  values: (node) => () => setMembers(node),
  entries: (node) => () => pick(setMembers(node), (member): [unknown, unknown] => [member, member]),
  [Symbol.iterator]: (node) => () => setMembers(node),
})
