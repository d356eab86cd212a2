import { type Class, implementer } from '../component/index.js'
import {
  type BTree,
  field,
  hasLayout,
  InvalidClassError,
  isPersistent,
  type Persistent,
  type PersistentClass,
} from '../persistence/index.js'
import { IAttributeAnnotatable } from './interfaces.js'

/**
 * Declares that objects of a class keep annotations, see {@link annotationsOf}. Costs an object that
 * has none three bytes. Containers, folders and sites have it.
 *
 * ```ts
 * @annotatable
 * @stored('shop.Product')
 * class Product extends Contained { … }
 *
 * annotatable(LegacyProduct)                          // for plain JavaScript, right after the class
 * ```
 *
 * Source: a class's `IAttributeAnnotatable` of `zope.annotation`.
 * @throws PERSISTENCE_INVALID_CLASS when objects of the class exist already.
 * @public
 */
export function annotatable<C extends PersistentClass>(someClass: C, _context?: unknown): void {
  if (!(ANNOTATIONS_FIELD in someClass.prototype)) addField(someClass)
  implementer(IAttributeAnnotatable)(someClass as unknown as Class<IAttributeAnnotatable>)
}

/** On disk: the field that refers to the tree of an object's annotations. */
export const ANNOTATIONS_FIELD = '__annotations__'

/** True for objects of annotatable classes: to declare the interface alone gives no field. */
export function keepsAnnotations(object: object): object is Persistent {
  return isPersistent(object) && ANNOTATIONS_FIELD in object
}

/** The tree of an object's annotations; `undefined` as long as it never had one. */
export function annotationTreeOf(object: Persistent): AnnotationTree | undefined {
  return (object as Annotated)[ANNOTATIONS_FIELD]
}

/** Gives an object the tree of its annotations. */
export function setAnnotationTree(object: Persistent, tree: AnnotationTree): void {
  ;(object as Annotated)[ANNOTATIONS_FIELD] = tree
}

export type AnnotationTree = BTree<string, unknown>
type Annotated = Persistent & { [ANNOTATIONS_FIELD]?: AnnotationTree }

function addField(someClass: PersistentClass): void {
  if (hasLayout(someClass)) {
    throw new InvalidClassError(
      `Objects of ${someClass.name} exist already; make it annotatable right after the class`,
    )
  }
  const { get, set } = field<Annotated, AnnotationTree | undefined>(NO_TARGET, {
    name: ANNOTATIONS_FIELD,
    kind: 'accessor',
  })
  const accessor = { get, set, enumerable: true, configurable: true } as PropertyDescriptor
  Object.defineProperty(someClass.prototype, ANNOTATIONS_FIELD, accessor)
}

/** A field needs nothing of what it decorates. */
const NO_TARGET = {} as ClassAccessorDecoratorTarget<Annotated, AnnotationTree | undefined>
