import { CorruptRecordError, type Oid, UnknownFormatError } from '../../storage/index.js'
import { DanglingReferenceError, UnknownClassError } from '../errors.js'
import { Reference } from '../reference.js'
import { NO_OID } from '../slots.js'
import { compareKeys, isKey, type Key } from './keys.js'
import { INNER_ITEMS, LEAF_ITEMS, ROOT_ITEMS, TreeNode } from './tree-node.js'
import type { NodeSource } from './tree-reading.js'

/** Something that must hold of a tree and does not. @public */
export interface TreeProblem {
  /** Which child at each level, from the root: `[]` is the root itself. */
  readonly path: readonly number[]
  /** Of the node's record; `undefined` for the root, and for a node not stored yet. */
  readonly oid: Oid | undefined
  /** The keys that belong below the node: from `from` to below `to`; `undefined` where unbounded. */
  readonly from: Key | undefined
  readonly to: Key | undefined
  /** In words. */
  readonly problem: string
}

/**
 * Verifies all that must hold of a tree: keys are keys, and rise; separators bound what is below
 * them; levels fall by one; no node is empty, overfull, or below two parents; the size is the number
 * of entries. Needs no class but the tree's own. A node that cannot be read is a problem as well.
 *
 * Source: `BTrees.check`, which stops at the first problem.
 * @returns the problems, in the order of keys; empty for a tree as it should be.
 */
export function checkTree(root: TreeNode, source: NodeSource): TreeProblem[] {
  const steps = checkTreeInSteps(root, source)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same, a node in a step, for who lets others run between. */
export function* checkTreeInSteps(
  root: TreeNode,
  source: NodeSource,
): Generator<void, TreeProblem[], undefined> {
  const check = new TreeCheck(source)
  const place: Place = { path: [], oid: undefined, from: undefined, to: undefined }
  const count = yield* check.node(root, place)
  if (count !== root.size) {
    check.report(place, `the root says that there are ${root.size} entries, and there are ${count}`)
  }
  return check.problems
}

type Place = Omit<TreeProblem, 'problem'>

class TreeCheck {
  readonly problems: TreeProblem[] = []
  readonly #source: NodeSource
  readonly #oids = new Set<Oid>() // of the nodes met

  constructor(source: NodeSource) {
    this.#source = source
  }

  report(place: Place, problem: string): void {
    this.problems.push({ ...place, problem })
  }

  /** @returns how many entries are below the node. */
  *node(node: TreeNode, place: Place): Generator<void, number, undefined> {
    this.#bounds(node, place)
    this.#keys(node, place)
    yield
    if (node.level === 0) return node.items.length
    let count = 0
    for (let at = 0; at < node.items.length; at++) count += yield* this.#child(node, at, place)
    return count
  }

  #bounds({ level, keys, items }: TreeNode, place: Place): void {
    const isRoot = place.path.length === 0
    const most = level === 0 ? LEAF_ITEMS : isRoot ? ROOT_ITEMS : INNER_ITEMS
    if (items.length > most) this.report(place, `it has ${items.length} items; ${most} are allowed`)
    if (items.length === 0 && !(isRoot && level === 0)) this.report(place, 'it is empty')
    const expected = level === 0 ? items.length : Math.max(0, items.length - 1)
    if (keys.length !== expected) {
      this.report(place, `it has ${keys.length} keys for ${items.length} items of level ${level}`)
    }
  }

  #keys({ level, keys }: TreeNode, place: Place): void {
    const { from, to } = place
    keys.forEach((key, at) => {
      const previous = keys[at - 1]
      if (!isKey(key)) this.report(place, `key ${at} is no key`)
      else if (at > 0 && isKey(previous) && compareKeys(previous, key) >= 0) {
        this.report(place, `key ${at} is not above the key before it`)
      } else if (from !== undefined && compareKeys(key, from) < (level === 0 ? 0 : 1)) {
        this.report(place, `key ${at} is below what the separator above allows`)
      } else if (to !== undefined && compareKeys(key, to) >= 0) {
        this.report(place, `key ${at} is above what the separator above allows`)
      }
    })
  }

  *#child(
    parent: TreeNode,
    at: number,
    { path, from, to }: Place,
  ): Generator<void, number, undefined> {
    const item = parent.items[at]
    const oid =
      item instanceof Reference || (item instanceof TreeNode && item.oid !== NO_OID)
        ? item.oid
        : undefined
    const place: Place = {
      path: [...path, at],
      oid,
      from: parent.keys[at - 1] ?? from,
      to: parent.keys[at] ?? to,
    }
    if (oid !== undefined) {
      if (this.#oids.has(oid)) {
        this.report(place, 'it is the child of two nodes')
        return 0
      }
      this.#oids.add(oid)
    }
    const child = this.#read(item, place)
    if (child === undefined) return 0
    if (child.level !== parent.level - 1) {
      this.report(place, `its level is ${child.level}, below a node of level ${parent.level}`)
      return 0
    }
    return yield* this.node(child, place)
  }

  #read(item: unknown, place: Place): TreeNode | undefined {
    if (item instanceof TreeNode) return item
    if (!(item instanceof Reference)) {
      this.report(place, 'it is no node')
      return undefined
    }
    try {
      const node: unknown = this.#source.node(item)
      if (node instanceof TreeNode) return node
      this.report(place, 'its record holds no node')
    } catch (error) {
      if (!isDamage(error)) throw error
      this.report(place, `it cannot be read: ${error.message}`)
    }
    return undefined
  }
}

/** Any other error, such as that of a closed connection, says nothing about the tree. */
function isDamage(error: unknown): error is Error {
  return [CorruptRecordError, DanglingReferenceError, UnknownClassError, UnknownFormatError].some(
    (damage) => error instanceof damage,
  )
}
