import { toHex64 } from '../foundation/index.js'
import {
  BrokenObject,
  HAS_TREE,
  isPersistent,
  oidOf,
  type Persistent,
  type PersistentClass,
  storedNameOf,
  treeEntries,
  treeSize,
} from '../persistence/index.js'
import { IRoot, ISite } from './interfaces.js'
import { nameOf, parentOf } from './location.js'
import { pathOf } from './path.js'

/** What is at one place of a tree, as plain data. @public */
export interface TreeNode {
  /** Under which it was found; of the object that was asked for its own, or `undefined`. */
  readonly name: string | undefined
  /** The stored name of its class, or the name of one without. */
  readonly class: string
  /** 16 hex digits; `undefined` for what is not stored yet. */
  readonly oid: string | undefined
  readonly isRoot: boolean
  readonly isSite: boolean
  /** This program lacks its class. */
  readonly isBroken: boolean
  /** Of a container, how many items; also those that were left out. */
  readonly size: number | undefined
  /** Its path, when its place is elsewhere: what is in it is told there. */
  readonly placeIs: string | undefined
  /** Of a container: its site manager when asked for, then items in the order of names. */
  readonly children: readonly TreeNode[] | undefined
}

/** @public */
export interface TreeOptions {
  /** Levels below the object; default all. */
  readonly depth?: number
  /** Tell site managers too. Default false. */
  readonly siteManagers?: boolean
  /** Of a container, tell so many items at most, the first by name. Default all. */
  readonly items?: number
}

/** A node without children, and how to come to them. */
export interface TreeStep {
  readonly node: Omit<TreeNode, 'children'>
  readonly below: () => Iterable<TreeStep>
}

/**
 * The tree below an object as data, for tests, tools and JSON.
 * @see `formatTree`, which makes text of it
 * @public
 */
export function treeOf(object: object, options: TreeOptions = {}): TreeNode {
  return grown(stepAt(object, nameOf(object), options), options.depth ?? Number.POSITIVE_INFINITY)
}

function grown({ node, below }: TreeStep, depth: number): TreeNode {
  const isLeaf = node.size === undefined || node.placeIs !== undefined
  if (isLeaf) return { ...node, children: undefined }
  return { ...node, children: depth <= 0 ? [] : [...below()].map((one) => grown(one, depth - 1)) }
}

/** The walk that both forms of a tree take: nothing below is loaded before it is asked for. */
export function stepAt(
  object: object,
  name: string | undefined,
  options: TreeOptions,
  container?: object,
): TreeStep {
  const tree = isPersistent(object) && HAS_TREE in object.constructor ? object : undefined
  const itsClass = object.constructor as PersistentClass
  const isElsewhere = container !== undefined && !isAt(object, container, name)
  const node = {
    name,
    class: storedNameOf(itsClass) ?? itsClass.name,
    oid: oidIn(object),
    isRoot: IRoot.providedBy(object),
    isSite: ISite.providedBy(object),
    isBroken: object instanceof BrokenObject,
    size: tree && treeSize(tree),
    placeIs: isElsewhere ? placeOf(object) : undefined,
  }
  return { node, below: () => (tree === undefined || isElsewhere ? [] : childrenOf(tree, options)) }
}

function* childrenOf(tree: Persistent, options: TreeOptions): Generator<TreeStep> {
  if (options.siteManagers === true && ISite.providedBy(tree)) {
    const { siteManager } = tree
    yield stepAt(siteManager, nameOf(siteManager), options, tree)
  }
  let left = options.items ?? Number.POSITIVE_INFINITY
  for (const [name, item] of treeEntries(tree)) {
    if (left-- <= 0) return
    yield stepAt(item as object, String(name), options, tree)
  }
}

function isAt(object: object, container: object, name: string | undefined): boolean {
  return parentOf(object) === container && nameOf(object) === name
}

/** Its path, or what it is where it has none. */
function placeOf(object: object): string {
  try {
    return pathOf(object)
  } catch {
    return 'nowhere'
  }
}

function oidIn(object: object): string | undefined {
  const oid = isPersistent(object) ? oidOf(object) : undefined
  return oid === undefined ? undefined : toHex64(oid)
}
