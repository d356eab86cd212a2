export { Contained } from './contained.js'
export { Container, Folder, RootFolder } from './container.js'
export { copyOf, ICopyHook } from './copy.js'
export { currentSite, runInSite } from './current-site.js'
export { databaseRegistry } from './database-registry.js'
export {
  CycleError,
  contentErrors,
  DuplicateNameError,
  InvalidItemError,
  InvalidNameError,
  LocationError,
} from './errors.js'
export { exportObject } from './export.js'
export {
  IContained,
  IContainer,
  IContainerModifiedEvent,
  IFolder,
  ILocation,
  IObjectAddedEvent,
  IObjectCopiedEvent,
  IObjectCreatedEvent,
  IObjectModifiedEvent,
  IObjectMovedEvent,
  IObjectRemovedEvent,
  IRoot,
  ISite,
  ISiteManager,
  ITraversable,
  type ModificationDescription,
} from './interfaces.js'
export {
  ContainerModifiedEvent,
  created,
  modified,
  ObjectAddedEvent,
  ObjectCopiedEvent,
  ObjectCreatedEvent,
  ObjectModifiedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
  type Place,
} from './lifecycle.js'
export { describe, lineage, nameOf, parentOf, rootOf, siteOf } from './location.js'
export { canonicalPath, joinPath, pathOf } from './path.js'
export { placeStamp, raisePlaceStamp } from './place-stamp.js'
export { formatTree, type PrintTreeOptions, printTree } from './print-tree.js'
export { installRootFolder, ROOT_FOLDER_KEY, rootFolderOf } from './root-folder.js'
export { registryAt, Site, SiteManager } from './site.js'
export {
  fromStoredSpecification,
  querySpecificationKey,
  type StoredSpecification,
  specificationKey,
  toStoredSpecification,
} from './stored-specification.js'
export { type Expected, queryTraverse, traverse } from './traverse.js'
