import { type Interface, provides } from '../component/index.js'
import { isPersistent, type Persistent, TimeSlice, treeEntries } from '../persistence/index.js'
import { annotationTreeOf } from './annotatable.js'
import { annotationName, keyOfAnnotation } from './annotations.js'
import { Contained } from './contained.js'
import { ISite } from './interfaces.js'
import { parentOf } from './location.js'
import { keepsTree } from './sublocations.js'
import type { Expected } from './traverse.js'

/** @public */
export interface FindOptions<T = unknown> {
  /** Only objects of this class, or that provide this interface. */
  readonly providing?: Expected<T>
  /** Only objects for which this gives true. */
  readonly matching?: (object: T) => boolean
  /** Ends the walk: the next object throws the signal's reason. */
  readonly signal?: AbortSignal
}

/**
 * The objects below and including `root` that fit, one after the other: an object first, then its
 * annotations, the manager of a site, and the items in the order of their names. Loads an object
 * when it comes to it, holds none of those behind it, and lets other work run now and then.
 *
 * ```ts
 * for await (const employee of findObjects(root, { providing: Employee })) …
 * ```
 *
 * Annotations that have a place elsewhere are found there; of those without a place nothing is found
 * below them. The walk belongs to the transaction that began it.
 *
 * Source: `zope.generations.utility.findObjectsMatching`, `findObjectsProviding`.
 * @throws the signal's reason; what `matching` throws.
 * @public
 */
export async function* findObjects<T = Persistent>(
  root: Persistent,
  { providing, matching, signal }: FindOptions<T> = {},
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted()
  const slice = new TimeSlice({ signal })
  for (const { object } of walkObjects(root)) {
    if (fits(object, providing, matching)) {
      yield object as unknown as T
      signal?.throwIfAborted()
    }
    if (slice.isOver) await slice.turn()
  }
}

/** Whether {@link findObjects} gives the object. */
export function fits<T>(
  object: object,
  providing: Expected<T> | undefined,
  matching: ((object: T) => boolean) | undefined,
): boolean {
  if (providing !== undefined && !isA(object, providing)) return false
  return matching === undefined || matching(object as T)
}

function isA<T>(object: object, expected: Expected<T>): boolean {
  return typeof expected === 'function'
    ? object instanceof (expected as unknown as abstract new () => unknown)
    : provides(object, expected as Interface)
}

/** An object, and the names that lead to it from where the walk began. */
export interface Walked {
  readonly object: Persistent
  readonly position: readonly string[]
}

/**
 * All objects below and including `root`, in the order of {@link findObjects}.
 * @param after - a position: the walk goes on behind it, whether there is something still or not.
 */
export function* walkObjects(
  root: Persistent,
  after?: readonly string[],
): Generator<Walked, void, undefined> {
  yield* walk(root, [], after)
}

function* walk(
  object: Persistent,
  position: readonly string[],
  after: readonly string[] | undefined,
): Generator<Walked, void, undefined> {
  if (after === undefined) yield { object, position }
  const from = after?.[0]
  for (const { name, object: below, isPlaced } of inside(object, from)) {
    const deeper = name === from ? after?.slice(1) : undefined
    const there = [...position, name]
    if (isPlaced) yield* walk(below, there, deeper)
    else if (deeper === undefined) yield { object: below, position: there }
  }
}

interface Inside {
  readonly name: string
  readonly object: Persistent
  /** False for an annotation without a place: what is below it, is not known to be its own. */
  readonly isPlaced: boolean
}

/** What is directly in an object, from a name on, that one included. */
function* inside(object: Persistent, from: string | undefined): Generator<Inside, void, undefined> {
  const key = from === undefined ? '' : keyOfAnnotation(from)
  if (key !== undefined) yield* annotations(object, key)
  if (!(object instanceof Contained) || !keepsTree(object)) return
  if (from === undefined || from.startsWith('++')) yield* siteManager(object)
  const range = from === undefined || from.startsWith('++') ? {} : { min: from }
  for (const [name, item] of treeEntries(object, range)) {
    if (item instanceof Contained) yield { name: name as string, object: item, isPlaced: true }
  }
}

function* annotations(object: Persistent, min: string): Generator<Inside, void, undefined> {
  for (const [key, value] of annotationTreeOf(object)?.entries({ min }) ?? []) {
    if (typeof value !== 'object' || value === null || !isPersistent(value)) continue
    const parent: object | undefined = parentOf(value)
    if (parent !== undefined && parent !== object) continue
    yield { name: annotationName(key), object: value, isPlaced: parent === object }
  }
}

function* siteManager(object: Contained): Generator<Inside, void, undefined> {
  if (!ISite.providedBy(object)) return
  const { siteManager } = object as unknown as { readonly siteManager: unknown }
  if (!(siteManager instanceof Contained)) return
  yield { name: SITE_MANAGER, object: siteManager, isPlaced: true }
}

const SITE_MANAGER = '++etc++site'
