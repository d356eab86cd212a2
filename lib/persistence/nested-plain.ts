import { type NestedNode, nodeBehind, nodeOf } from './nested-node.js'
import { refuseName, unstorable } from './stored-value.js'

/** What an array or plain object inside a stored value does. */
export const plainHandler: ProxyHandler<object> = {
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
  const node = nodeBehind(self)
  if (node === undefined)
    throw new TypeError('A method of a stored array was called on another one')
  const imported = items.map((item) => node.root.import(item, node.where('a new item')))
  node.prepareWrite()
  return change(node.container as unknown[], imported, node)
}
