import {
  awaitChanges,
  connectionOf,
  InvalidClassError,
  Persistent,
  type PersistentClass,
  StaleObjectError,
  storedNameOf,
} from '../persistence/index.js'
import { annotationName, annotationsOf } from './annotations.js'
import { Contained } from './contained.js'
import { describe } from './location.js'

/** Gives an object's annotation of one kind. @public */
export interface AnnotationFactory<T extends Persistent> {
  (object: object): T
  /** The key under which it stands in {@link annotationsOf}. */
  readonly key: string
}

/** @public */
export interface AnnotationFactoryOptions {
  /** Default: the stored name of the class. */
  readonly key?: string
}

/**
 * A function that gives an object's annotation of one kind. As long as there is none, it gives a new
 * one, which is stored at its first change: who only reads, writes nothing. A `Contained` one has its
 * place under the object.
 *
 * ```ts
 * const ratingOf = annotationFactory(Rating)
 * ratingOf(product).stars                              // 0, and nothing is stored
 * ratingOf(product).stars = 5                          // stored with the product
 * ```
 *
 * It is an adapter factory, too: `registerAdapter(ratingOf, { adapts: [Product], provides: IRating })`.
 * A change is an assignment or a change of a nested value; that of a Date in place is none. What only
 * another object refers to is that object's, and no annotation.
 *
 * The function it gives throws CONTENT_NOT_ANNOTATABLE. Changing what it gives throws as a change of the
 * object does, and PERSISTENCE_STALE_OBJECT when the object has got another annotation meanwhile.
 *
 * Source: `zope.annotation.factory`, which stores at the first read.
 * @param make - a class, or a function of the object.
 * @throws PERSISTENCE_INVALID_CLASS when there is no key.
 * @public
 */
export function annotationFactory<T extends Persistent>(
  make: (new () => T) | ((object: object) => T),
  { key = isClass(make) ? storedNameOf(make) : undefined }: AnnotationFactoryOptions = {},
): AnnotationFactory<T> {
  if (typeof key !== 'string' || key === '') {
    throw new InvalidClassError(
      `An annotation needs a key: give one as { key }, or decorate ${make.name || 'its class'} with @stored`,
    )
  }
  const made = new WeakMap<object, Made<T>>()
  const annotationOf = (object: object): T => {
    const present = annotationsOf(object).get(key)
    if (present !== undefined) return present as T
    const generation = generationOf(object)
    const known = made.get(object)
    if (known !== undefined && known.generation === generation) return known.annotation
    const annotation = isClass(make) ? new make() : make(object)
    locate(annotation, object, key)
    made.set(object, { annotation, generation })
    awaitChanges(annotation, () => {
      attach(annotation, object, key)
      made.delete(object)
    })
    return annotation
  }
  return Object.assign(annotationOf, { key })
}

/** One that is not stored yet, made in the transaction of this generation. */
interface Made<T> {
  readonly annotation: T
  readonly generation: number | undefined
}

function attach(annotation: Persistent, object: object, key: string): void {
  const annotations = annotationsOf(object)
  const present = annotations.get(key)
  if (present === annotation) return
  if (present !== undefined) {
    throw new StaleObjectError(
      `${describe(object)} has got another annotation ${JSON.stringify(key)} meanwhile; ask for it again`,
    )
  }
  annotations.set(key, annotation)
}

function locate(annotation: Persistent, object: object, key: string): void {
  if (!(annotation instanceof Contained)) return
  annotation.__parent__ = object as Contained
  annotation.__name__ = annotationName(key)
}

function generationOf(object: object): number | undefined {
  return object instanceof Persistent ? connectionOf(object)?.generation : undefined
}

function isClass<T extends Persistent>(make: unknown): make is (new () => T) & PersistentClass<T> {
  return typeof make === 'function' && make.prototype instanceof Persistent
}
