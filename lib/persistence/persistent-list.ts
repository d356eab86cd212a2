import { stored } from './class-registry.js'
import { describeObject } from './describe.js'
import { InvalidRangeError } from './errors.js'
import { field } from './field.js'
import { Persistent } from './persistent.js'

/**
 * An array that is an object of its own, in one record: for some hundred items at most. Items are
 * read with `at` and written with `set`; everything else is as in an `Array`.
 *
 * Items are what fields can hold, and notice their own changes. Two transactions that change one
 * list conflict. What changes nothing writes nothing.
 *
 * Source: `persistent.list.PersistentList`.
 * @public
 */
export class PersistentList<T = unknown> extends Persistent implements Iterable<T> {
  // Private to TypeScript only: loading an object runs no constructor.
  @field private accessor data: T[] = []

  /** @throws PERSISTENCE_UNSTORABLE_VALUE */
  constructor(items: Iterable<T> = []) {
    super()
    this.data = [...items]
  }

  get length(): number {
    return this.data.length
  }

  /** The item, counted from the end when `index` is below zero; `undefined` beyond the ends. */
  at(index: number): T | undefined {
    return this.data.at(index)
  }

  /**
   * Replaces the item that `at(index)` gives.
   * @throws PERSISTENCE_INVALID_RANGE when there is none; PERSISTENCE_UNSTORABLE_VALUE
   */
  set(index: number, item: T): this {
    const { data } = this
    const position = index < 0 ? data.length + index : index
    if (!Number.isInteger(position) || position < 0 || position >= data.length) {
      throw new InvalidRangeError(
        `${describeObject(this)} has ${data.length} items and no item ${index}; use push or splice`,
      )
    }
    if (!Object.is(data[position], item)) data[position] = item
    return this
  }

  /** @returns the new length. */
  push(...items: T[]): number {
    return items.length === 0 ? this.length : this.data.push(...items)
  }

  pop(): T | undefined {
    return this.length === 0 ? undefined : this.data.pop()
  }

  /** @returns the new length. */
  unshift(...items: T[]): number {
    return items.length === 0 ? this.length : this.data.unshift(...items)
  }

  shift(): T | undefined {
    return this.length === 0 ? undefined : this.data.shift()
  }

  /** @returns the items taken out. */
  splice(start: number, deleteCount = this.length, ...items: T[]): T[] {
    const takesOut = this.data.slice(start).length > 0 && deleteCount > 0
    return takesOut || items.length > 0 ? this.data.splice(start, deleteCount, ...items) : []
  }

  clear(): void {
    if (this.length > 0) this.data = []
  }

  reverse(): this {
    if (this.length > 1) this.data.reverse()
    return this
  }

  sort(compare?: (one: T, other: T) => number): this {
    if (!isSorted(this.data, compare)) this.data.sort(compare)
    return this
  }

  keys(): IterableIterator<number> {
    return this.data.keys()
  }

  values(): IterableIterator<T> {
    return this.data.values()
  }

  entries(): IterableIterator<[number, T]> {
    return this.data.entries()
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.values()
  }

  includes(item: T, from?: number): boolean {
    return this.data.includes(item, from)
  }

  indexOf(item: T, from?: number): number {
    return this.data.indexOf(item, from)
  }

  find(matches: (item: T, index: number) => boolean): T | undefined {
    return this.data.find((item, index) => matches(item, index))
  }

  findIndex(matches: (item: T, index: number) => boolean): number {
    return this.data.findIndex((item, index) => matches(item, index))
  }

  some(matches: (item: T, index: number) => boolean): boolean {
    return this.data.some((item, index) => matches(item, index))
  }

  every(matches: (item: T, index: number) => boolean): boolean {
    return this.data.every((item, index) => matches(item, index))
  }

  /** A plain array. */
  filter(matches: (item: T, index: number) => boolean): T[] {
    return this.data.filter((item, index) => matches(item, index))
  }

  /** A plain array. */
  map<R>(make: (item: T, index: number) => R): R[] {
    return this.data.map((item, index) => make(item, index))
  }

  reduce<R>(combine: (result: R, item: T, index: number) => R, initial: R): R {
    return this.data.reduce((result, item, index) => combine(result, item, index), initial)
  }

  forEach(visit: (item: T, index: number) => void): void {
    this.data.forEach((item, index) => {
      visit(item, index)
    })
  }

  join(separator?: string): string {
    return this.data.join(separator)
  }

  /** A plain array. */
  slice(start?: number, end?: number): T[] {
    return this.data.slice(start, end)
  }
}

stored('treehook.PersistentList')(PersistentList)

/** True when sorting would leave every item where it is. */
function isSorted<T>(items: readonly T[], compare?: (one: T, other: T) => number): boolean {
  const sorted = [...items].sort(compare)
  return sorted.every((item, index) => Object.is(item, items[index]))
}
