import { globalRegistry, queryAdapter } from '../component/index.js'
import { BTree, InvalidKeyError, KeyNotFoundError, type Persistent } from '../persistence/index.js'
import {
  type AnnotationTree,
  annotationTreeOf,
  keepsAnnotations,
  setAnnotationTree,
} from './annotatable.js'
import { NotAnnotatableError } from './errors.js'
import { IAnnotatable, IAnnotations, ITraversable } from './interfaces.js'
import { describe } from './location.js'

/**
 * What others keep with an object: stored with it, copied, moved, exported and removed with it, and
 * unknown to its class. Reading stores nothing; the first `set` makes the tree that keeps them.
 *
 * ```ts
 * annotationsOf(product).set('shop.rating', 5)
 * ```
 *
 * An adapter to {@link IAnnotations} decides where they are; without one, objects of classes that
 * are {@link annotatable} keep them themselves. An annotation that is an object is found by a path,
 * too: `/products/tea/++annotation++shop.rating`.
 *
 * Source: `zope.annotation.attribute.AttributeAnnotations`.
 * @throws CONTENT_NOT_ANNOTATABLE
 * @public
 */
export function annotationsOf(object: object): IAnnotations {
  return queryAnnotations(object) ?? refuse(object)
}

/** As {@link annotationsOf}, with `undefined` for objects that cannot be annotated. @public */
export function queryAnnotations(object: object): IAnnotations | undefined {
  const adapted = queryAdapter(object, IAnnotations)
  if (adapted !== undefined) return adapted
  return keepsAnnotations(object) ? new AttributeAnnotations(object) : undefined
}

/** The name of an annotation as paths have it, and `__name__` of one that has a place. */
export function annotationName(key: string): string {
  return `++${ANNOTATION_NAMESPACE}++${key}`
}

/** The key of an annotation's name; `undefined` for a name that is none of an annotation. */
export function keyOfAnnotation(name: string): string | undefined {
  const prefix = annotationName('')
  return name.startsWith(prefix) ? name.slice(prefix.length) : undefined
}

/** On disk, in the names of annotations that have a place. */
const ANNOTATION_NAMESPACE = 'annotation'

/** Annotations in a tree of their own, which the object refers to once it has some. */
class AttributeAnnotations implements IAnnotations {
  readonly #object: Persistent

  constructor(object: Persistent) {
    this.#object = object
  }

  get size(): number {
    return this.#tree?.size ?? 0
  }

  get(key: string): unknown {
    return this.#tree?.get(key)
  }

  getItem(key: string): unknown {
    const value = this.get(key)
    if (value === undefined && !this.has(key)) {
      throw new KeyNotFoundError(
        `${describe(this.#object)} has no annotation ${JSON.stringify(key)}. Where it may be absent, use get.`,
        { details: { key } },
      )
    }
    return value
  }

  has(key: string): boolean {
    return this.#tree?.has(key) ?? false
  }

  set(key: string, value: unknown): this {
    if (typeof key !== 'string' || key === '') {
      throw new InvalidKeyError(
        `An annotation of ${describe(this.#object)} has a key that is text, with the name of who keeps it: 'shop.rating'`,
      )
    }
    const tree = this.#tree
    if (tree !== undefined) tree.set(key, value)
    // Once the value is known to be storable.
    else setAnnotationTree(this.#object, new BTree<string, unknown>().set(key, value))
    return this
  }

  delete(key: string): boolean {
    return this.#tree?.delete(key) ?? false
  }

  keys(): IterableIterator<string> {
    return this.#tree?.keys() ?? NONE.keys()
  }

  values(): IterableIterator<unknown> {
    return this.#tree?.values() ?? NONE.values()
  }

  entries(): IterableIterator<[string, unknown]> {
    return this.#tree?.entries() ?? NONE.entries()
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.entries()
  }

  get #tree(): AnnotationTree | undefined {
    return annotationTreeOf(this.#object)
  }
}

const NONE = new Map<string, unknown>()

function refuse(object: object): never {
  throw new NotAnnotatableError(
    `${describe(object)} cannot be annotated: decorate its class with @annotatable, or register an adapter to IAnnotations`,
  )
}

globalRegistry.registerAdapter(
  (object) => ({ traverse: (key: string) => queryAnnotations(object)?.get(key) }),
  { adapts: [IAnnotatable], provides: ITraversable, name: ANNOTATION_NAMESPACE },
)
