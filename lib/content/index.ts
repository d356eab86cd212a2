export { annotatable, annotationTreeOf, setAnnotationTree } from './annotatable.js'
export {
  type AnnotationFactory,
  type AnnotationFactoryOptions,
  annotationFactory,
} from './annotation-factory.js'
export { annotationsOf, queryAnnotations } from './annotations.js'
export {
  checkFactory,
  checkItem,
  containers,
  contains,
  type Kind,
  type Precondition,
  precondition,
} from './constraints.js'
export { Contained } from './contained.js'
export { Container, Folder, RootFolder } from './container.js'
export { copyOf, ICopyHook, LEFT_OUT_OF_COPIES } from './copy.js'
export { copyTo, moveTo, renameItem } from './copy-move.js'
export { currentSite, runInSite } from './current-site.js'
export { databaseRegistry } from './database-registry.js'
export {
  AlreadyASiteError,
  CycleError,
  contentErrors,
  DuplicateNameError,
  GenerationTooHighError,
  GenerationTooLowError,
  InvalidContainerError,
  InvalidItemError,
  InvalidNameError,
  InvalidOrderError,
  InvalidSchemaError,
  LocationError,
  NotAnnotatableError,
  ReservedNameError,
  SiteNotFoundError,
  UnableToEvolveError,
} from './errors.js'
export { type EvolveObjectsOptions, evolveObjects } from './evolve-objects.js'
export {
  assertReadable,
  type EvolveOptions,
  type EvolveProgress,
  type EvolveReport,
  evolveSchemas,
  recordNewSchemas,
} from './evolve-schemas.js'
export { exportObject } from './export.js'
export { type FindOptions, findObjects } from './find-objects.js'
export {
  getHostSite,
  type HostPolicyReport,
  queryHostSite,
  synchronizeHostPolicies,
} from './host-sites.js'
export { type InstallOptions, installUtility, uninstallUtility } from './install-utility.js'
export {
  IAnnotatable,
  IAnnotations,
  IAttributeAnnotatable,
  IAttributes,
  IComponents,
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
  IOrderedContainer,
  IRoot,
  ISequence,
  ISite,
  ISiteManager,
  ITraversable,
  type ModificationDescription,
} from './interfaces.js'
export {
  added,
  ContainerModifiedEvent,
  copied,
  created,
  type Move,
  modified,
  moved,
  ObjectAddedEvent,
  ObjectCopiedEvent,
  ObjectCreatedEvent,
  ObjectModifiedEvent,
  ObjectMovedEvent,
  ObjectRemovedEvent,
  type Place,
  removed,
} from './lifecycle.js'
export { describe, lineage, nameOf, parentOf, rootOf } from './location.js'
export {
  APPLICATION_KEY,
  HOST_SITES_NAME,
  HostSite,
  HostSites,
  installMainApplication,
  type MainApplicationOptions,
  mainApplicationOf,
  queryMainApplication,
} from './main-application.js'
export { Attributes, Sequence } from './modification.js'
export { INameChooser, IReservedNames, NameChooser, nameChooserOf } from './name-chooser.js'
export { IEtcNamespace, IView } from './namespaces.js'
export { siteOf } from './nearest-site.js'
export { getNextUtility, queryNextUtility } from './next-utility.js'
export { OrderedContainer, OrderedFolder } from './ordered-container.js'
export { canonicalPath, joinPath, pathOf } from './path.js'
export { placeStamp, raisePlaceStamp } from './place-stamp.js'
export { formatTree, type PrintTreeOptions, printTree, treeLines } from './print-tree.js'
export { installRootFolder, queryRootFolder, ROOT_FOLDER_KEY, rootFolderOf } from './root-folder.js'
export {
  type JobContext,
  type JobOptions,
  runInAllHostSites,
  runInHostSite,
  runJobInSite,
} from './run-job.js'
export type {
  BatchedStep,
  SchemaContext,
  SchemaManager,
  SchemaStep,
  WholeStep,
} from './schema-manager.js'
export { type EvolveMode, type PlannedStep, planSchemas, type SchemaPlan } from './schema-plan.js'
export { INewLocalSite, makeSite, NewLocalSite, type PossibleSite, Site } from './site.js'
export { registryAt, type SiteBase, SiteManager } from './site-manager.js'
export { ISiteMapping, siteForNames } from './site-selection.js'
export {
  fromStoredSpecification,
  querySpecificationKey,
  type StoredSpecification,
  specificationKey,
  toStoredSpecification,
} from './stored-specification.js'
export {
  type Expected,
  type Path,
  queryTraverse,
  traverse,
  traverseName,
  walk,
} from './traverse.js'
export { type TreeNode, type TreeOptions, treeOf } from './tree-of.js'
