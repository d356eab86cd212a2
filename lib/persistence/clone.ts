import { treeEntries, treeSet } from './btree/tree-access.js'
import { takeState, valuesToStore } from './custom-state.js'
import { marksOf, setMarks } from './marks.js'
import { isPersistent, makeObject, type Persistent, slotsOf } from './persistent.js'
import { CrossReference, Reference, WeakOid } from './reference.js'
import { Slots, type SlotsOwner } from './slots.js'
import { isPure, rebuild } from './stored-value.js'
import { presentWeakly, WeakReference } from './weak-reference.js'

/** @public */
export interface CloneOptions {
  /**
   * Says what stands in the clone for an object that it leads to: a clone of that as well, the
   * object itself, any other object, or nothing: then entries of trees with it are left out, and
   * `undefined` stands elsewhere. Asked once for each. Default: `'clone'`.
   */
  readonly hook?: (object: Persistent, root: Persistent) => 'clone' | 'keep' | 'omit' | Persistent
  /** Called for each object that was cloned, when all have their state. */
  readonly onCloned?: (clone: Persistent, original: Persistent) => void
}

/**
 * A deep copy of an object and of what it leads to, as far as the hook says, as the transaction sees
 * it: new objects, in no database until they are added or reached. Several references to one object
 * lead to one clone. A weak reference leads to the clone of its object, if there is one, else to the
 * object. No constructor is called; volatile properties are not copied. Broken objects are cloned as
 * they are.
 *
 * Source: `zope.copy.clone`.
 * @throws PERSISTENCE_DANGLING_REFERENCE
 * @public
 */
export function cloneOf<T extends Persistent>(object: T, options: CloneOptions = {}): T {
  const cloning = new Cloning(object, options)
  return cloning.run() as T
}

class Cloning {
  readonly #root: Persistent
  readonly #options: CloneOptions
  readonly #stands = new Map<Persistent, Persistent | undefined>() // original → what stands for it
  readonly #clones: [clone: Persistent, original: Persistent][] = []
  readonly #withWeak = new Set<Persistent>() // clones whose weak references are settled at the end

  constructor(root: Persistent, options: CloneOptions) {
    this.#root = root
    this.#options = options
  }

  run(): Persistent {
    const clone = this.#clone(this.#root)
    for (const [copy, original] of this.#clones) this.#fill(copy, original) // grows meanwhile
    for (const [copy, original] of this.#clones) {
      // Only now is it known which objects have clones.
      if (this.#withWeak.has(copy)) this.#fill(copy, original)
    }
    for (const [copy] of this.#clones) takeClonedState(copy)
    for (const [copy, original] of this.#clones) this.#options.onCloned?.(copy, original)
    return clone
  }

  #standFor(object: Persistent): Persistent | undefined {
    const known = this.#stands.get(object)
    if (known !== undefined || this.#stands.has(object)) return known
    const decision = this.#options.hook?.(object, this.#root) ?? 'clone'
    if (decision === 'clone') return this.#clone(object)
    const stand = decision === 'keep' ? object : decision === 'omit' ? undefined : decision
    this.#stands.set(object, stand)
    return stand
  }

  #clone(original: Persistent): Persistent {
    const { layout } = slotsOf(original)
    const clone = makeObject(Slots.ofNew(layout))
    this.#stands.set(original, clone)
    this.#clones.push([clone, original])
    return clone
  }

  #fill(clone: Persistent, original: Persistent): void {
    const from = slotsOf(original)
    if (from.generation !== from.owner.generation) from.owner.activate(original)
    const { names, treeIndex } = from.layout
    const values = from.values.slice(0, names.length)
    from.nested?.collect(values)
    const convert = (value: unknown): unknown => this.#convert(value, from.owner, clone)
    slotsOf(clone).values = values.map((value, index) =>
      index === treeIndex ? undefined : convert(value),
    )
    setMarks(clone, marksOf(original))
    if (treeIndex === -1) return
    for (const [key, value] of treeEntries(original)) {
      const converted = convert(value)
      if (converted !== undefined || value === undefined) treeSet(clone, key, converted)
    }
  }

  #convert(value: unknown, owner: SlotsOwner, clone: Persistent): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Reference) return this.#standFor(owner.resolve(value))
    if (value instanceof CrossReference) return owner.resolveElsewhere(value)
    if (isPersistent(value)) return this.#standFor(value)
    if (value instanceof WeakOid) return this.#convertWeak(presentWeakly(value, owner), clone)
    if (value instanceof WeakReference) return this.#convertWeak(value, clone)
    if (Object.isFrozen(value) && isPure(value)) return value
    return rebuild(value, (part) => this.#convert(part, owner, clone))
  }

  #convertWeak(weak: WeakReference, clone: Persistent): WeakReference {
    this.#withWeak.add(clone)
    const target = weak.deref()
    const stand = target && this.#stands.get(target)
    return stand === undefined || stand === target ? weak : new WeakReference(stand)
  }
}

/** What loading the clone from the disk would do. */
function takeClonedState(clone: Persistent): void {
  const slots = slotsOf(clone)
  if (!slots.layout.hasSetState) return
  slots.values = valuesToStore(clone, slots).slice()
  takeState(clone, slots)
}
