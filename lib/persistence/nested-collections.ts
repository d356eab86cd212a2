import { type NestedNode, nodeOf, unwrap } from './nested-node.js'
import { importInto, importKey } from './stored-value.js'

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

/** What a `Map` inside a stored value does. */
export const mapHandler = collectionHandler(Map.prototype, {
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

/** What a `Set` inside a stored value does. */
export const setHandler = collectionHandler(Set.prototype, {
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
