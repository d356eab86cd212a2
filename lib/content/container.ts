import { implementer } from '../component/index.js'
import {
  HAS_TREE,
  type PageOptions,
  pagesOf,
  type RangeOptions,
  stored,
  treeDelete,
  treeEntries,
  treeGet,
  treeHas,
  treeKeys,
  treeSet,
  treeSize,
  treeValues,
} from '../persistence/index.js'
import { noteUndo } from './all-or-nothing.js'
import { annotatable } from './annotatable.js'
import { Contained } from './contained.js'
import { DROP_ITEM, removeItem, STORE_ITEM, setItem } from './containment.js'
import { LocationError } from './errors.js'
import { IContainer, IFolder, IRoot } from './interfaces.js'
import { describe } from './location.js'
import { freeNameIn } from './name-chooser.js'

/**
 * Items by name, in the order of names. Any number: items are kept in a tree, whose top stands in
 * the container's own record. Two transactions that add different names never conflict.
 *
 * Source: `zope.container.btree.BTreeContainer`.
 * @public
 */
@annotatable
@implementer(IContainer)
export class Container<T extends Contained = Contained> extends Contained implements IContainer {
  static readonly [HAS_TREE] = true

  /** How many items. O(1). */
  get size(): number {
    return treeSize(this)
  }

  /** The item, or `undefined`. */
  get(name: string): T | undefined {
    return treeGet(this, name) as T | undefined
  }

  /** The item. @throws CONTENT_LOCATION when there is none of that name. */
  getItem(name: string): T {
    const item = this.get(name)
    if (item === undefined) {
      throw new LocationError(`${describe(this)} has no item named ${JSON.stringify(name)}`)
    }
    return item
  }

  has(name: string): boolean {
    return treeHas(this, name)
  }

  /**
   * Puts an item in and tells the world; see {@link setItem} for the order.
   * @returns the item.
   * @throws CONTENT_INVALID_NAME, CONTENT_DUPLICATE_NAME, CONTENT_INVALID_ITEM, CONTENT_CYCLE,
   *   CONTENT_INVALID_CONTAINER; what a handler throws. Nothing was done then.
   */
  set<I extends T>(name: string, item: I): I {
    setItem(this as unknown as Container, name, item)
    return item
  }

  /**
   * Puts an item in under a free name, which the container's name chooser makes of the suggestion, or
   * else of the item's class. The item knows it: `nameOf(item)`.
   * @returns the item.
   * @throws as `set`.
   * @see INameChooser
   */
  add<I extends T>(item: I, suggestion = ''): I {
    return this.set(freeNameIn(this, suggestion, item), item)
  }

  /**
   * Takes an item out and tells the world.
   * @returns whether there was one.
   * @throws what a handler throws. Nothing was done then.
   */
  delete(name: string): boolean {
    if (!this.has(name)) return false
    removeItem(this as unknown as Container, name)
    return true
  }

  /** Names, in order; no item is loaded. */
  keys(range?: RangeOptions): IterableIterator<string> {
    return treeKeys(this, range) as Iterator<unknown> as IterableIterator<string>
  }

  /** Items, in the order of names; each is loaded when it is its turn. */
  values(range?: RangeOptions): IterableIterator<T> {
    return treeValues(this, range) as IterableIterator<T>
  }

  entries(range?: RangeOptions): IterableIterator<[string, T]> {
    return treeEntries(this, range) as Iterator<unknown> as IterableIterator<[string, T]>
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.entries()
  }

  /**
   * Entries in pages, for walks that are long: others get a turn between two pages.
   * @throws PERSISTENCE_INVALID_RANGE; the signal's reason.
   */
  pages(options: PageOptions = {}): AsyncGenerator<[string, T][], void, undefined> {
    return pagesOf(this.entries(options), options)
  }

  /** @internal */
  [STORE_ITEM](name: string, item: Contained): void {
    treeSet(this, name, item)
    noteUndo(this, () => void treeDelete(this, name))
  }

  /** @internal */
  [DROP_ITEM](name: string): void {
    const item = treeGet(this, name)
    treeDelete(this, name)
    noteUndo(this, () => void treeSet(this, name, item))
  }
}

/** A container for whatever users put there. @public */
@stored('treehook.Folder')
@implementer(IFolder)
export class Folder<T extends Contained = Contained> extends Container<T> implements IFolder {}

/** The folder at the path `/`: made with the database. @public */
@stored('treehook.RootFolder')
@implementer(IRoot)
export class RootFolder extends Folder implements IRoot {}
