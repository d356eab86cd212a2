import { defineInterface, IObjectEvent } from '../component/index.js'

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
export interface ISiteManager extends IContainer {}
export const ISiteManager = defineInterface<ISiteManager>('treehook.ISiteManager', {
  extends: [IContainer],
})

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

/** Names of the fields that were changed. @public */
export interface ModificationDescription {
  readonly attributes: readonly string[]
}

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
