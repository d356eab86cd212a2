import { describeObject } from '../describe.js'
import { InvalidNumberError } from '../errors.js'
import { type Persistent, slotsOf } from '../persistent.js'
import { type KeyCursor, KeySequence } from './key-sequence.js'
import { compareKeys, type Key, presentKey } from './keys.js'
import { treeCursor } from './tree-access.js'

/**
 * What set operations work on: a `BTree` (its keys), a `TreeSet`, any other object that keeps a
 * tree, such as a folder, and what another operation gives.
 * @public
 */
export type KeySource<K extends Key = Key> = { keys(): IterableIterator<K> } & Persistent

/** @public */
export type KeyOperand<K extends Key = Key> = KeySource<K> | KeySequence<K>

/**
 * Keys of either. This and all below go through sorted cursors once, side by side, and leap over
 * whole subtrees where one side is much sparser; they read while they are iterated.
 *
 * Source: `BTrees` `union` and its relatives (`SetOpTemplate.c`), which make a set at once.
 * @public
 */
export function union<K extends Key>(one: KeyOperand<K>, other: KeyOperand<K>): KeySequence<K> {
  return new KeySequence<K>(() => new Union(begin(one), begin(other)))
}

/** Keys of both. @public */
export function intersection<K extends Key>(
  one: KeyOperand<K>,
  other: KeyOperand<K>,
): KeySequence<K> {
  return new KeySequence<K>(() => new Intersection(begin(one), begin(other)))
}

/** Keys of the first that are not the other's. @public */
export function difference<K extends Key>(
  one: KeyOperand<K>,
  other: KeyOperand<K>,
): KeySequence<K> {
  return new KeySequence<K>(() => new Difference(begin(one), begin(other)))
}

/** Keys of either, but not of both. @public */
export function symmetricDifference<K extends Key>(
  one: KeyOperand<K>,
  other: KeyOperand<K>,
): KeySequence<K> {
  return union(difference(one, other), difference(other, one))
}

/** Keys of any. @public */
export function multiunion<K extends Key>(operands: Iterable<KeyOperand<K>>): KeySequence<K> {
  let sequences = [...operands]
  // Pairs of pairs, so that each key passes few comparisons.
  while (sequences.length > 1) {
    const pairs: KeyOperand<K>[] = []
    for (let at = 0; at < sequences.length; at += 2) {
      const [one, other] = sequences.slice(at, at + 2) as [KeyOperand<K>, KeyOperand<K>?]
      pairs.push(other === undefined ? one : union(one, other))
    }
    sequences = pairs
  }
  return new KeySequence<K>(() => begin(sequences[0] ?? new KeySequence(() => NOTHING)))
}

/** @public */
export interface Weights {
  /** What the first one's values are multiplied by. Default 1. */
  readonly first?: number
  /** What the second one's values are multiplied by. Default 1. */
  readonly second?: number
}

/**
 * Keys of either tree with their weights: the sum of the values that the trees have for the key, each
 * times its tree's weight. A set's values are 1.
 * @throws PERSISTENCE_INVALID_NUMBER when a value or weight is no finite number.
 * @public
 */
export function weightedUnion<K extends Key>(
  one: KeySource<K>,
  other: KeySource<K>,
  weights: Weights = {},
): Iterable<[K, number]> {
  return weighted(one, other, weights, union)
}

/** As `weightedUnion`, for the keys of both. @public */
export function weightedIntersection<K extends Key>(
  one: KeySource<K>,
  other: KeySource<K>,
  weights: Weights = {},
): Iterable<[K, number]> {
  return weighted(one, other, weights, intersection)
}

function weighted<K extends Key>(
  one: KeySource<K>,
  other: KeySource<K>,
  { first = 1, second = 1 }: Weights,
  operation: (one: KeyOperand<K>, other: KeyOperand<K>) => KeySequence<K>,
): Iterable<[K, number]> {
  checkNumber(first, () => 'The weight of the first')
  checkNumber(second, () => 'The weight of the second')
  return {
    *[Symbol.iterator](): IterableIterator<[K, number]> {
      const weighOne = weigher(one)
      const weighOther = weigher(other)
      for (const key of operation(one, other)) {
        yield [key, weighOne(key) * first + weighOther(key) * second]
      }
    },
  }
}

/** Gives the value of rising keys; 0 where there is none. */
function weigher(source: Persistent): (key: Key) => number {
  const cursor = treeCursor(source)
  let isThere = cursor.advance()
  return (key) => {
    isThere &&= cursor.seek(key)
    if (!isThere || compareKeys(cursor.key, key) !== 0) return 0
    const { value } = cursor
    if (value === true) return 1
    return checkNumber(value, () => `${describeObject(source)}, [${String(key)}]`)
  }
}

function checkNumber(value: unknown, what: () => string): number {
  if (Number.isFinite(value)) return value as number
  throw new InvalidNumberError(`${what()} is ${String(value)}; give a finite number`)
}

function begin(operand: KeyOperand): KeyCursor {
  return operand instanceof KeySequence ? operand.cursor() : new TreeKeys(operand)
}

const NOTHING: KeyCursor = {
  key: '',
  advance: () => false,
  seek: () => false,
}

/** The keys of a tree. */
class TreeKeys implements KeyCursor {
  readonly #cursor

  constructor(object: Persistent) {
    if (slotsOf(object).layout.treeIndex === -1) {
      throw new TypeError(`${describeObject(object)} keeps no tree, so it has no keys`)
    }
    this.#cursor = treeCursor(object)
  }

  get key(): Key {
    return presentKey(this.#cursor.key)
  }

  advance(): boolean {
    return this.#cursor.advance()
  }

  seek(key: Key): boolean {
    return this.#cursor.seek(key)
  }
}

/** Two cursors, and where they stand. */
abstract class Pair {
  protected readonly one: KeyCursor
  protected readonly other: KeyCursor
  protected isOneThere = false
  protected isOtherThere = false
  #hasBegun = false
  key: Key = ''

  constructor(one: KeyCursor, other: KeyCursor) {
    this.one = one
    this.other = other
  }

  advance(): boolean {
    if (!this.#hasBegun) this.begin()
    else this.pass()
    return this.settle()
  }

  seek(key: Key): boolean {
    if (compareKeys(this.key, key) >= 0) return true
    this.isOneThere &&= this.one.seek(key)
    this.isOtherThere &&= this.other.seek(key)
    return this.settle()
  }

  protected begin(): void {
    this.#hasBegun = true
    this.isOneThere = this.one.advance()
    this.isOtherThere = this.other.advance()
  }

  /** Leaves the present key. */
  protected abstract pass(): void
  /** Goes on to a key of the result, from here on. */
  protected abstract settle(): boolean
}

class Union extends Pair {
  #order = 0 // of the first cursor's key and the second's

  protected override pass(): void {
    if (this.#order <= 0) this.isOneThere &&= this.one.advance()
    if (this.#order >= 0) this.isOtherThere &&= this.other.advance()
  }

  protected override settle(): boolean {
    const { one, other, isOneThere, isOtherThere } = this
    if (!isOneThere && !isOtherThere) return false
    if (isOneThere && isOtherThere) this.#order = compareKeys(one.key, other.key)
    else this.#order = isOneThere ? -1 : 1
    this.key = this.#order <= 0 ? one.key : other.key
    return true
  }
}

class Intersection extends Pair {
  protected override pass(): void {
    this.isOneThere &&= this.one.advance()
  }

  protected override settle(): boolean {
    while (this.isOneThere && this.isOtherThere) {
      const { key } = this.one
      const order = compareKeys(key, this.other.key)
      if (order === 0) {
        this.key = key
        return true
      }
      if (order < 0) this.isOneThere = this.one.seek(this.other.key)
      else this.isOtherThere = this.other.seek(key)
    }
    return false
  }
}

class Difference extends Pair {
  protected override pass(): void {
    this.isOneThere &&= this.one.advance()
  }

  protected override settle(): boolean {
    while (this.isOneThere) {
      this.key = this.one.key
      this.isOtherThere &&= this.other.seek(this.key)
      if (!this.isOtherThere || compareKeys(this.key, this.other.key) !== 0) return true
      this.isOneThere = this.one.advance()
    }
    return false
  }
}
