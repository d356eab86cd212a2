import { implementer } from '../component/index.js'
import {
  HAS_TREE,
  type RangeOptions,
  stored,
  treeEntries,
  treeGet,
  treeHas,
  treeKeys,
  treeSize,
} from '../persistence/index.js'
import { Contained } from './contained.js'
import { removeItem, setItem } from './containment.js'
import { LocationError } from './errors.js'
import { IContainer, IFolder, IRoot } from './interfaces.js'
import { describe } from './location.js'

/**
 * Items by name, in the order of names. Any number: items are kept in a tree, whose top stands in
 * the container's own record. Two transactions that add different names never conflict.
 *
 * Source: `zope.container.btree.BTreeContainer`.
 * @public
 */
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
   * @throws CONTENT_INVALID_NAME, CONTENT_DUPLICATE_NAME, CONTENT_INVALID_ITEM, CONTENT_CYCLE
   */
  set<I extends T>(name: string, item: I): I {
    setItem(this as unknown as Container, name, item)
    return item
  }

  /**
   * Takes an item out and tells the world.
   * @returns whether there was one.
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

  *values(range?: RangeOptions): IterableIterator<T> {
    for (const [, item] of treeEntries(this, range)) yield item as T
  }

  entries(range?: RangeOptions): IterableIterator<[string, T]> {
    return treeEntries(this, range) as Iterator<unknown> as IterableIterator<[string, T]>
  }

  [Symbol.iterator](): IterableIterator<[string, T]> {
    return this.entries()
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
