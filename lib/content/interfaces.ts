import {
  type ComponentRegistry,
  defineInterface,
  type Interface,
  IObjectEvent,
} from '../component/index.js'

/**
 * An object with a place: `__parent__` says in what it is, `__name__` under which name. The two
 * underscores keep `parent` and `name` free for users' fields.
 * @public
 */
export interface ILocation {
  readonly __parent__: ILocation | undefined
  readonly __name__: string | undefined
}
export const ILocation = defineInterface<ILocation>('treehook.ILocation', {
  members: ['__parent__', '__name__'],
})

/** A location whose place a container keeps. @public */
export interface IContained extends ILocation {}
export const IContained = defineInterface<IContained>('treehook.IContained', {
  extends: [ILocation],
})

/** Items by name. @public */
export interface IContainer extends ILocation {
  /** The item, or `undefined`. */
  get(name: string): unknown
  has(name: string): boolean
}
export const IContainer = defineInterface<IContainer>('treehook.IContainer', {
  extends: [IContained],
  members: ['get', 'has'],
})

/** Items by name, in an order of their own. @public */
export interface IOrderedContainer extends IContainer {
  /** Names, in the order of the items. */
  keys(): IterableIterator<string>
  /** Puts all items in a new order. */
  updateOrder(names: readonly string[]): void
}
export const IOrderedContainer = defineInterface<IOrderedContainer>('treehook.IOrderedContainer', {
  extends: [IContainer],
  members: ['keys', 'updateOrder'],
})

/** A container for whatever users put there. @public */
export interface IFolder extends IContainer {}
export const IFolder = defineInterface<IFolder>('treehook.IFolder', { extends: [IContainer] })

/** The folder at the path `/`. @public */
export interface IRoot extends IFolder {}
export const IRoot = defineInterface<IRoot>('treehook.IRoot', { extends: [IFolder] })

/** A folder with components of its own. @public */
export interface ISite extends IFolder {
  /** What has a registry: itself persistent, found at `++etc++site`. */
  readonly siteManager: ISiteManager
}
export const ISite = defineInterface<ISite>('treehook.ISite', {
  extends: [IFolder],
  members: ['siteManager'],
})

/** Keeps a site's registrations, and in its `default` folder the components themselves. @public */
export interface ISiteManager extends IContainer {
  /** What serves the site and everything below it. */
  readonly registry: ComponentRegistry
}
export const ISiteManager = defineInterface<ISiteManager>('treehook.ISiteManager', {
  extends: [IContainer],
  members: ['registry'],
})

/**
 * Registries of the program that sites can be based on, by name: register them as utilities for this
 * in the database's registry or the global one.
 *
 * Source: `zope.interface.interfaces.IComponents`.
 * @public
 */
export interface IComponents extends ComponentRegistry {}
export const IComponents = defineInterface<ComponentRegistry>('treehook.IComponents')

/** An object was made. It has no place yet. @public */
export interface IObjectCreatedEvent extends IObjectEvent {}
export const IObjectCreatedEvent = defineInterface<IObjectCreatedEvent>(
  'treehook.IObjectCreatedEvent',
  { extends: [IObjectEvent] },
)

/** An object was made as a copy. @public */
export interface IObjectCopiedEvent extends IObjectCreatedEvent {
  readonly original: unknown
}
export const IObjectCopiedEvent = defineInterface<IObjectCopiedEvent>(
  'treehook.IObjectCopiedEvent',
  { extends: [IObjectCreatedEvent], members: ['original'] },
)

/** An object was changed. @public */
export interface IObjectModifiedEvent extends IObjectEvent {
  /** What was changed, as far as told. */
  readonly descriptions: readonly ModificationDescription[]
}
export const IObjectModifiedEvent = defineInterface<IObjectModifiedEvent>(
  'treehook.IObjectModifiedEvent',
  { extends: [IObjectEvent], members: ['descriptions'] },
)

/** What was changed about an object. @public */
export type ModificationDescription = IAttributes | ISequence

/** Fields were changed. @public */
export interface IAttributes {
  /** What has the fields; absent: the object's class. */
  readonly interface?: Interface | undefined
  readonly attributes: readonly string[]
}
export const IAttributes = defineInterface<IAttributes>('treehook.IAttributes', {
  members: ['attributes'],
})

/** Entries of something that has keys were changed. @public */
export interface ISequence {
  /** What has the entries; absent: the object's class. */
  readonly interface?: Interface | undefined
  readonly keys: readonly unknown[]
}
export const ISequence = defineInterface<ISequence>('treehook.ISequence', { members: ['keys'] })

/** An object's place changed: it was added, removed, moved or renamed. @public */
export interface IObjectMovedEvent extends IObjectEvent {
  readonly oldParent: unknown
  readonly oldName: string | undefined
  readonly newParent: unknown
  readonly newName: string | undefined
}
export const IObjectMovedEvent = defineInterface<IObjectMovedEvent>('treehook.IObjectMovedEvent', {
  extends: [IObjectEvent],
  members: ['oldParent', 'oldName', 'newParent', 'newName'],
})

/** An object got a place that had none. @public */
export interface IObjectAddedEvent extends IObjectMovedEvent {}
export const IObjectAddedEvent = defineInterface<IObjectAddedEvent>('treehook.IObjectAddedEvent', {
  extends: [IObjectMovedEvent],
})

/** An object lost its place. In the event it still has it. @public */
export interface IObjectRemovedEvent extends IObjectMovedEvent {}
export const IObjectRemovedEvent = defineInterface<IObjectRemovedEvent>(
  'treehook.IObjectRemovedEvent',
  { extends: [IObjectMovedEvent] },
)

/** Items of a container were added, removed or ordered anew. @public */
export interface IContainerModifiedEvent extends IObjectModifiedEvent {}
export const IContainerModifiedEvent = defineInterface<IContainerModifiedEvent>(
  'treehook.IContainerModifiedEvent',
  { extends: [IObjectModifiedEvent] },
)

/** Looks up the next name of a path itself, in place of the items. @public */
export interface ITraversable {
  /** What the name leads to, or `undefined`. */
  traverse(name: string): unknown
}
export const ITraversable = defineInterface<ITraversable>('treehook.ITraversable', {
  members: ['traverse'],
})

/** May be annotated: there is an adapter to {@link IAnnotations}. @public */
export type IAnnotatable = object
export const IAnnotatable = defineInterface<IAnnotatable>('treehook.IAnnotatable')

/** Keeps its annotations itself; declared by the decorator {@link annotatable}. @public */
export type IAttributeAnnotatable = IAnnotatable
export const IAttributeAnnotatable = defineInterface<IAttributeAnnotatable>(
  'treehook.IAttributeAnnotatable',
  { extends: [IAnnotatable] },
)

/**
 * What others keep with an object, by key. Keys begin with the name of who keeps something there:
 * `shop.rating`. Values are what a tree can hold; plain ones are frozen, and changed by setting them
 * again.
 *
 * Source: `zope.annotation.interfaces.IAnnotations`.
 * @public
 */
export interface IAnnotations extends Iterable<[string, unknown]> {
  readonly size: number
  /** The value, or `undefined`. */
  get(key: string): unknown
  /** The value. @throws PERSISTENCE_KEY_NOT_FOUND when the key is not there. */
  getItem(key: string): unknown
  has(key: string): boolean
  /** @throws PERSISTENCE_INVALID_KEY, PERSISTENCE_UNSTORABLE_VALUE */
  set(key: string, value: unknown): this
  /** @returns whether the key was there. */
  delete(key: string): boolean
  /** In order; so the following. */
  keys(): IterableIterator<string>
  values(): IterableIterator<unknown>
  entries(): IterableIterator<[string, unknown]>
}
export const IAnnotations = defineInterface<IAnnotations>('treehook.IAnnotations', {
  members: ['get', 'has', 'set', 'delete', 'keys'],
})
