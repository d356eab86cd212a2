import { current, enableMapSet, Immer } from 'immer'
import { describeObject } from './describe.js'
import { OutsideTransactionError } from './errors.js'
import { mapHandler, setHandler } from './nested-collections.js'
import { childOf, isContainer, NestedNode, type NodeRoot, partsOf, proxyOf } from './nested-node.js'
import { plainHandler } from './nested-plain.js'
import { OpaqueCopy } from './opaque-copies.js'
import { isPersistent, type Persistent, workingValues } from './persistent.js'
import type { Slots } from './slots.js'
import { copyOpaque, importInto, isPure, localize } from './stored-value.js'

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

  /** Whether what was handed out for the field is no longer what the field held. */
  isChanged(index: number): boolean {
    const root = this.#roots.get(index)
    return root !== undefined && (root.isChanged || root.hasChangedCopies)
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
class NestedRoot implements NodeRoot {
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

  wrap(value: unknown, parent: NestedNode | undefined, key: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (!isContainer(value)) return this.#noticed(value)
    const known = this.#proxies.get(value)
    if (known !== undefined) return known
    const node = new NestedNode(this, value, parent, key)
    const proxy = proxyOf(node, handlerFor(value))
    this.#proxies.set(value, proxy)
    this.#nodes.push(node)
    return proxy
  }

  import(value: unknown, where: string): unknown {
    return importInto(this.object, value, where)
  }

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

function handlerFor(container: object): ProxyHandler<object> {
  if (container instanceof Map) return mapHandler
  return container instanceof Set ? setHandler : plainHandler
}
