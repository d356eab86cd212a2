import { type Oid, ReadConflictError, type Tid } from '../storage/index.js'
import { compareKeys, type Key, keyToken } from './btree/keys.js'
import type { RangeOptions } from './btree/tree-range.js'
import type { CommitLog } from './commit-log.js'

/**
 * What a transaction relies on: objects, keys of trees, there or absent, and ranges of keys. Never
 * the nodes of trees: that other keys moved to another node is no conflict.
 */
export class ReadSet {
  readonly #objects = new Set<Oid>()
  readonly #keys = new Map<Oid, Map<unknown, Key>>() // tree → token → key
  readonly #ranges = new Map<Oid, ReadRange[]>() // tree → what was walked

  get isEmpty(): boolean {
    return this.#objects.size === 0 && this.#keys.size === 0 && this.#ranges.size === 0
  }

  /** The fields of an object; or that there is no such object. */
  addObject(oid: Oid): void {
    this.#objects.add(oid)
  }

  addKey(tree: Oid, key: Key): void {
    let keys = this.#keys.get(tree)
    if (keys === undefined) {
      keys = new Map()
      this.#keys.set(tree, keys)
    }
    keys.set(keyToken(key), key)
  }

  /** Every key of the tree, and how many there are. */
  addWhole(tree: Oid): void {
    this.addRange(tree, {}).reachEnd()
  }

  /** A range that is read now: it is as long as what was reached of it. */
  addRange(tree: Oid, range: RangeOptions): ReadRange {
    const added = new ReadRange(range)
    const ranges = this.#ranges.get(tree)
    if (ranges === undefined) this.#ranges.set(tree, [added])
    else ranges.push(added)
    return added
  }

  /**
   * Holds everything against what was committed after `since`, published or in flight. May be called
   * again.
   * @param describe - the object in words.
   * @throws STORAGE_READ_CONFLICT
   */
  validate(since: Tid, log: CommitLog, describe: (oid: Oid) => string): void {
    for (const oid of this.#objects) {
      const committed = log.fieldsWrittenBy(oid)
      if (committed > since) {
        throw ReadConflictError.onRead({ oid, what: describe(oid), committed })
      }
    }
    const refuse = (oid: Oid, key: Key | undefined, committed: Tid): never => {
      throw ReadConflictError.onRead({ oid, what: describe(oid), key, committed })
    }
    this.#validateKeys(since, log, refuse)
    if (this.#ranges.size > 0) this.#validateRanges(since, log, refuse)
  }

  #validateKeys(since: Tid, log: CommitLog, refuse: Refuse): void {
    for (const [tree, keys] of this.#keys) {
      const touched = log.touchedBy(tree)
      if (touched > since) refuse(tree, undefined, touched)
      for (const [token, key] of keys) {
        const committed = log.keyWrittenBy(tree, token)
        if (committed > since) refuse(tree, key, committed)
      }
    }
  }

  #validateRanges(since: Tid, log: CommitLog, refuse: Refuse): void {
    for (const [tree] of this.#ranges) {
      const touched = log.touchedBy(tree)
      if (touched > since) refuse(tree, undefined, touched)
    }
    for (const { tid, trees } of log.commitsAfter(since)) {
      for (const { oid, keys } of trees) {
        for (const range of this.#ranges.get(oid) ?? []) {
          const key = keys.find((written) => range.includes(written))
          if (key !== undefined) refuse(oid, key, tid)
        }
      }
    }
  }
}

type Refuse = (tree: Oid, key: Key | undefined, committed: Tid) => never

/** The part of a range that was reached, in the direction of walking. */
export class ReadRange {
  readonly #range: RangeOptions
  #last: Key | undefined
  #isEnded = false

  constructor(range: RangeOptions) {
    this.#range = range
  }

  reach(key: Key): void {
    this.#last = key
  }

  reachEnd(): void {
    this.#isEnded = true
  }

  includes(key: Key): boolean {
    const { min, max, excludeMin = false, excludeMax = false, reverse = false } = this.#range
    if (min !== undefined && isBelow(key, min, excludeMin)) return false
    if (max !== undefined && isBelow(max, key, excludeMax)) return false
    if (this.#isEnded) return true
    const last = this.#last
    if (last === undefined) return false
    return reverse ? compareKeys(key, last) >= 0 : compareKeys(key, last) <= 0
  }
}

function isBelow(key: Key, bound: Key, isExcluded: boolean): boolean {
  const difference = compareKeys(key, bound)
  return difference < 0 || (difference === 0 && isExcluded)
}
