import { currentRegistry, implementer, notify } from '../component/index.js'
import { BTree, field, type RangeOptions, stored } from '../persistence/index.js'
import { allOrNothing, noteUndo } from './all-or-nothing.js'
import type { Contained } from './contained.js'
import { Container } from './container.js'
import { DROP_ITEM, STORE_ITEM } from './containment.js'
import { InvalidOrderError, LocationError } from './errors.js'
import { IFolder, IOrderedContainer } from './interfaces.js'
import { ContainerModifiedEvent } from './lifecycle.js'
import { describe } from './location.js'
import { isSamePosition, type OrderPosition, positionBetween } from './order-position.js'

/** A row of the order: a position and a name, so that two items at one position have an order, too. */
type OrderKey = readonly [whole: number, fraction: string, name: string]

/**
 * Items by name, in an order of their own: new ones come last, and any can be moved. Names in ranges
 * say where in that order to begin and end.
 *
 * The order is rows of a tree, one for each item. Two transactions that add, remove or move different
 * items never conflict.
 *
 * Source: `zope.container.ordered.OrderedContainer`, which keeps the order in one list.
 * @public
 */
@implementer(IOrderedContainer)
export class OrderedContainer<T extends Contained = Contained>
  extends Container<T>
  implements IOrderedContainer
{
  @field private accessor __order__ = new BTree<OrderKey, string>() // → name
  @field private accessor __positions__ = new BTree<string, OrderPosition>() // by name

  /**
   * Names, in the order of the items; no item is loaded.
   * @throws CONTENT_LOCATION for a bound that is the name of no item.
   */
  override keys(range?: RangeOptions): IterableIterator<string> {
    return this.__order__.values(range && this.rangeOfOrder(range))
  }

  override *values(range?: RangeOptions): IterableIterator<T> {
    for (const name of this.keys(range)) yield this.getItem(name)
  }

  override *entries(range?: RangeOptions): IterableIterator<[string, T]> {
    for (const name of this.keys(range)) yield [name, this.getItem(name)]
  }

  /**
   * Puts all items in a new order. The same order again tells nobody; else the container is modified.
   * For one item, `moveBefore` and `moveAfter` write less.
   *
   * @throws CONTENT_INVALID_ORDER when these are not the names of all items, each once.
   */
  updateOrder(names: readonly string[]): void {
    this.refuseOtherNames(names)
    const before = [...this.keys()]
    if (names.every((name, index) => name === before[index])) return
    const last = this.__order__.maxKey()?.[0] ?? 0
    this.reorder(() => {
      // The last one stays where the last one was: what others add meanwhile comes behind it.
      for (const [index, name] of names.entries()) {
        this.setPosition(name, [last - (names.length - 1 - index), ''])
      }
    })
  }

  /**
   * Moves an item to right before another one; where it stands there already, nothing is done.
   * @param next - `undefined`: to the end.
   * @throws CONTENT_LOCATION when there is no item of one of the names.
   */
  moveBefore(name: string, next: string | undefined): void {
    const key = this.keyOf(name)
    if (name === next) return
    const high = next === undefined ? undefined : this.keyOf(next)
    const low = this.neighbour(high, { reverse: true })
    if (low?.[2] !== name) this.moveBetween(key, low, high)
  }

  /**
   * Moves an item to right behind another one; where it stands there already, nothing is done.
   * @param previous - `undefined`: to the beginning.
   * @throws CONTENT_LOCATION when there is no item of one of the names.
   */
  moveAfter(name: string, previous: string | undefined): void {
    const key = this.keyOf(name)
    if (name === previous) return
    const low = previous === undefined ? undefined : this.keyOf(previous)
    const high = this.neighbour(low, { reverse: false })
    if (high?.[2] !== name) this.moveBetween(key, low, high)
  }

  /** The name of the item behind this one; `undefined` for the last. @throws CONTENT_LOCATION */
  nameAfter(name: string): string | undefined {
    return this.neighbour(this.keyOf(name), { reverse: false })?.[2]
  }

  /** @internal */
  override [STORE_ITEM](name: string, item: Contained): void {
    super[STORE_ITEM](name, item)
    const last = this.__order__.maxKey()
    this.setPosition(name, positionBetween(last && positionIn(last), undefined))
  }

  /** @internal */
  override [DROP_ITEM](name: string): void {
    super[DROP_ITEM](name)
    this.setPosition(name, undefined)
  }

  // Private by word only: loaded objects have no #private members, since no constructor made them.

  private moveBetween([, , name]: OrderKey, low: OrderKey | undefined, high: OrderKey | undefined) {
    this.reorder(() => {
      const behind = high && low && isSamePosition(positionIn(low), positionIn(high))
      if (behind) this.spread(high)
      const bound = high && this.__positions__.get(high[2])
      this.setPosition(name, positionBetween(low && positionIn(low), bound))
    })
  }

  /**
   * Items at one position, added by transactions that did not see each other: from `first` on they
   * get positions of their own.
   */
  private spread(first: OrderKey): void {
    const names: string[] = []
    let next: OrderPosition | undefined
    for (const key of this.__order__.keys({ min: first })) {
      if (isSamePosition(positionIn(key), positionIn(first))) names.push(key[2])
      else {
        next = positionIn(key)
        break
      }
    }
    let position = positionIn(first)
    for (const name of names) {
      position = positionBetween(position, next)
      this.setPosition(name, position)
    }
  }

  private reorder(change: () => void): void {
    const modified = new ContainerModifiedEvent(this)
    const registry = currentRegistry()
    const isHeard = registry.hasHandlers(this, modified) || registry.hasHandlers(modified)
    allOrNothing({ at: this, isHeard }, () => {
      change()
      notify(modified)
    })
  }

  private setPosition(name: string, position: OrderPosition | undefined): void {
    const before = this.__positions__.get(name)
    if (before !== undefined) this.__order__.delete([...before, name])
    if (position === undefined) this.__positions__.delete(name)
    else {
      this.__order__.set([...position, name], name)
      this.__positions__.set(name, position)
    }
    noteUndo(this.__order__, () => this.setPosition(name, before))
  }

  private neighbour(
    key: OrderKey | undefined,
    { reverse }: { readonly reverse: boolean },
  ): OrderKey | undefined {
    const beyond = reverse ? { max: key, excludeMax: true } : { min: key, excludeMin: true }
    const range = key === undefined ? {} : (beyond as RangeOptions)
    return this.__order__.keys({ ...range, reverse, limit: 1 }).next().value as OrderKey | undefined
  }

  private keyOf(name: string): OrderKey {
    const position = this.__positions__.get(name)
    if (position !== undefined) return [...position, name]
    throw new LocationError(`${describe(this)} has no item named ${JSON.stringify(name)}`)
  }

  private rangeOfOrder({ min, max, ...rest }: RangeOptions): RangeOptions {
    return {
      ...rest,
      ...(min !== undefined && { min: this.keyOf(min as string) }),
      ...(max !== undefined && { max: this.keyOf(max as string) }),
    }
  }

  private refuseOtherNames(names: readonly string[]): void {
    if (!Array.isArray(names)) {
      throw new InvalidOrderError(
        `The order of ${describe(this)} is an array of names, not ${names === null ? 'null' : typeof names}`,
      )
    }
    const given = new Set<string>(names)
    const twice = given.size < names.length ? 'one of them twice' : undefined
    const strange = names.find((name) => !this.has(name))
    const absent = [...this.keys()].find((name) => !given.has(name))
    const problem =
      strange !== undefined
        ? `${JSON.stringify(strange)}, which is none`
        : absent !== undefined
          ? `all but ${JSON.stringify(absent)}`
          : twice
    if (problem === undefined) return
    throw new InvalidOrderError(
      `The order of ${describe(this)} names all its items, each once; this one has ${problem}`,
    )
  }
}

/** A folder whose items have an order of their own. @public */
@stored('treehook.OrderedFolder')
@implementer(IFolder)
export class OrderedFolder<T extends Contained = Contained> extends OrderedContainer<T> {}

function positionIn([whole, fraction]: OrderKey): OrderPosition {
  return [whole, fraction]
}
