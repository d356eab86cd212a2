import { INSPECT, type Inspect, type InspectOptions } from './inspecting.js'
import { isPersistent, type Persistent } from './persistent.js'
import { isPlainObject, plain } from './stored-value.js'

/** One array, object, map or set inside a value: what a proxy stands for. */
export class NestedNode {
  readonly root: NodeRoot
  /** The base while there is no draft, then the draft. */
  container: object
  readonly parent: NestedNode | undefined
  /** Where it stands in its parent: a property, a map's key, or the position in a set. */
  key: unknown
  /** A rollback has taken it out of the value. */
  isDetached = false

  constructor(root: NodeRoot, container: object, parent: NestedNode | undefined, key: unknown) {
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

/** The value of a field that nodes are parts of, as they need it. */
export interface NodeRoot {
  readonly object: Persistent
  readonly field: string
  /** Rises with each write: iterators that see it rise look again at what they walk. */
  readonly writes: number
  /** What the user gets for a part of the value. */
  wrap(value: unknown, parent: NestedNode | undefined, key: unknown): unknown
  /** The form in which a written value is kept, or an error that names the object. */
  import(value: unknown, where: string): unknown
  /** Called before each write: checks that it is allowed, and opens the draft at the first. */
  prepareWrite(node: NestedNode): void
}

/** Proxy → its node: to know our own proxies when they come back as arguments. */
const nodesByProxy = new WeakMap<object, NestedNode>()

/** What stands behind a proxy of ours; anything else as it is. */
export function unwrap(value: unknown): unknown {
  return typeof value === 'object' && value !== null
    ? (nodesByProxy.get(value)?.container ?? value)
    : value
}

/** Under which a proxy's target has its node: a `WeakMap` takes longer to fill and to collect. */
const NODE = Symbol('node')

/** What nobody but a handler sees. */
interface Target {
  [NODE]: NestedNode
  [INSPECT]: typeof inspectValue
}

export function nodeOf(target: object): NestedNode {
  return (target as Target)[NODE]
}

/** The node behind a proxy of ours; `undefined` of anything else. */
export function nodeBehind(proxy: object): NestedNode | undefined {
  return nodesByProxy.get(proxy)
}

/**
 * A proxy's target. An array's is an array, so that `Array.isArray` tells the truth. Node prints the
 * target instead of the proxy; but it asks it for a method of its own, and calls that with the proxy.
 */
function targetFor(node: NestedNode): Target {
  if (!Array.isArray(node.container)) return { [NODE]: node, [INSPECT]: inspectValue }
  const target = [] as unknown as Target
  target[NODE] = node
  target[INSPECT] = inspectValue
  return target
}

function inspectValue(
  this: object,
  depth: number | null,
  options: InspectOptions,
  inspect: Inspect,
): string {
  return inspect(plain(this), { ...options, depth })
}

/** Makes the proxy that stands for a node. */
export function proxyOf(node: NestedNode, handler: ProxyHandler<object>): object {
  const proxy = new Proxy(targetFor(node), handler)
  nodesByProxy.set(proxy, node)
  return proxy
}

/** What a draft holds, as it holds it: asking an immer draft of a plain object makes more drafts. */
export function* partsOf(draft: object): IterableIterator<[key: unknown, part: unknown]> {
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

/** True for what is handed out as a proxy. */
export function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || isPersistent(value)) return false
  if (Array.isArray(value) || value instanceof Map || value instanceof Set) return true
  return isPlainObject(value)
}

/** The part at a node's key. */
export function childOf(container: object, key: unknown): unknown {
  if (container instanceof Map) return container.get(key)
  if (container instanceof Set) return [...container][key as number]
  return (container as Record<PropertyKey, unknown>)[key as PropertyKey]
}
