import type { DataManagerSavepoint } from '../transaction/index.js'
import type { CommittedState } from './committed-state.js'
import { awaitState } from './custom-state.js'
import { visitHeldObjects } from './held-objects.js'
import { type Persistent, slotsOf, unwritten, workingValues } from './persistent.js'
import { NOT_ADDED, type ObjectImage, SavepointLayer } from './savepoint-layer.js'
import { type Slots, UNOWNED } from './slots.js'

/** What one transaction has written, added, or handed out for writing. */
export class WorkingSet {
  /** The objects written or added; those that are added while it is walked are walked, too. */
  readonly changed = new Set<Persistent>()
  readonly #added = new Set<Persistent>() // of these, the new ones
  readonly #found = new Set<Persistent>() // of those, the ones that only a savepoint took in
  readonly #watched = new Set<Persistent>() // gave out copies that are compared at commit
  readonly #adopt: (object: Persistent) => void
  readonly #disown: (slots: Slots) => void
  #layer: SavepointLayer | undefined // of the last savepoint
  #stamp = 1
  #writeStamp = 0
  #rollbackStamp = 0

  /**
   * @param adopt - adds an object that was found new.
   * @param disown - lets an object that was added go: nobody's again, its state kept.
   */
  constructor({
    adopt,
    disown,
  }: {
    readonly adopt: (object: Persistent) => void
    readonly disown: (slots: Slots) => void
  }) {
    this.#adopt = adopt
    this.#disown = disown
  }

  /** Rises with each savepoint and rollback. */
  get stamp(): number {
    return this.#stamp
  }

  /**
   * Rises with the first write to each object, with each that is added, and when what was written is
   * forgotten: while it stands still, what reads the same unchanged objects reads the same.
   */
  get writeStamp(): number {
    return this.#writeStamp
  }

  /** Rises only when what was written is forgotten: by a rollback, or with the transaction. */
  get rollbackStamp(): number {
    return this.#rollbackStamp
  }

  /** Makes the object's working copy, of what it was at the last savepoint. */
  write(object: Persistent): void {
    this.#writeStamp++
    const slots = slotsOf(object)
    this.#layer?.keep(object, slots)
    slots.values = slots.values.slice()
    slots.writtenIn = this.#stamp
    this.changed.add(object)
  }

  add(object: Persistent): void {
    this.#writeStamp++
    const slots = slotsOf(object)
    this.#layer?.keepNotAdded(object)
    slots.writtenIn = this.#stamp
    this.changed.add(object)
    this.#added.add(object)
    if (slots.nested !== undefined) this.#watched.add(object)
  }

  /** The object is stored, come what may: it is referred to by one that is, or was added by name. */
  claim(object: Persistent): void {
    if (this.#found.size > 0 && this.#found.delete(object)) this.changed.add(object)
  }

  watch(object: Persistent): void {
    this.#watched.add(object)
  }

  /** Leaves in `changed` what is stored come what may. */
  prepareCommit(): void {
    this.#noticeChangedCopies()
    for (const object of this.#found) this.changed.delete(object)
  }

  /**
   * An instant to come back to. Costs a look at what was written since the last one, and at what was
   * handed out as copies.
   */
  savepoint(): DataManagerSavepoint {
    this.#takeInNewObjects()
    const layer = this.#layer?.succeed() ?? new SavepointLayer()
    this.#layer = layer
    this.#stamp++
    for (const copy of this.#copies()) {
      const before = copy.save()
      if (before !== undefined) layer.keepCopy(copy, before)
    }
    return { rollback: () => this.#rollback(layer) }
  }

  /** Puts every object back to what it was before the transaction. */
  forget(): void {
    this.#writeStamp++
    this.#rollbackStamp++
    this.#letFoundGo()
    for (const object of this.changed) {
      const slots = slotsOf(object)
      if (this.#added.has(object)) this.#letGo(object, slots)
      else {
        slots.settle()
        slots.values = (slots.committed as CommittedState).values as unknown[]
        awaitState(slots)
      }
    }
    this.clear()
  }

  /** The transaction is over: what it handed out is closed. */
  clear(): void {
    this.#letFoundGo()
    this.closeWatched()
    // Clearing a set that is empty makes a new table all the same.
    if (this.changed.size > 0) this.changed.clear()
    if (this.#added.size > 0) this.#added.clear()
    this.#layer = undefined
  }

  closeWatched(): void {
    if (this.#watched.size === 0) return
    for (const object of this.#watched) {
      const slots = slotsOf(object)
      slots.nested?.close()
      slots.nested = undefined
    }
    this.#watched.clear()
  }

  /** Takes objects in whose Dates and binary data were changed in place. */
  #noticeChangedCopies(): void {
    for (const object of this.#watched) {
      const slots = slotsOf(object)
      if (slots.nested?.hasChangedCopies) workingValues(object, slots)
    }
  }

  /**
   * Of the new objects that are reached from changed ones the connection knows nothing until the
   * commit. They are taken in here, so that what is written to them later can be rolled back; the
   * commit looks again whether they are reached.
   */
  #takeInNewObjects(): void {
    for (const object of this.#layer?.written ?? this.changed) {
      visitHeldObjects(object, (held) => {
        if (slotsOf(held).owner !== UNOWNED) return
        this.#adopt(held)
        this.#found.add(held)
      })
    }
  }

  #letFoundGo(): void {
    for (const object of this.#found) this.#letGo(object, slotsOf(object))
  }

  #rollback(layer: SavepointLayer): void {
    this.#writeStamp++
    this.#rollbackStamp++
    const copies = layer.copies()
    for (const [object, image] of layer.images()) {
      if (image === NOT_ADDED) this.#letGo(object, slotsOf(object))
      else this.#restore(object, image)
    }
    for (const copy of this.#copies()) copy.restore(copies.get(copy))
    layer.reset()
    this.#layer = layer
    this.#stamp++
  }

  #restore(object: Persistent, { writtenIn, values, nested, tree }: ObjectImage): void {
    const slots = slotsOf(object)
    slots.writtenIn = writtenIn
    slots.values = values
    slots.nested?.restore(nested)
    tree?.changes.rollbackTo(tree.savepoint)
    slots.tree = tree?.changes
    if (writtenIn === 0) this.changed.delete(object)
  }

  #letGo(object: Persistent, slots: Slots): void {
    this.changed.delete(object)
    this.#added.delete(object)
    this.#found.delete(object)
    this.#watched.delete(object)
    slots.writtenIn = unwritten(object)
    slots.tree?.forgetOids()
    this.#disown(slots)
  }

  *#copies() {
    for (const object of this.#watched) yield* slotsOf(object).nested?.copies() ?? []
  }
}
