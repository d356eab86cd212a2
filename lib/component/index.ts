export {
  ComponentRegistry,
  globalRegistry,
  type RegistryOptions,
  registryScope,
} from './component-registry.js'
export {
  alsoProvides,
  directlyProvidedBy,
  directlyProvides,
  implementer,
  noLongerProvides,
  provides,
} from './declarations.js'
export {
  BrokenPromiseError,
  ComponentLookupError,
  componentErrors,
  InconsistentResolutionOrderError,
  InvalidRegistrationError,
  UnknownComponentError,
} from './errors.js'
export { notify } from './events.js'
export {
  declaredInterface,
  defineInterface,
  extendersOf,
  type InterfaceOptions,
  interfaceNamed,
} from './interface.js'
export type {
  AdapterOptions,
  AdaptsOption,
  Class,
  HandlerOptions,
  InfoOption,
  Interface,
  NameOption,
  ObjectsFor,
  ProvidesOption,
  Registration,
  RegistrationKind,
  RegistrationQuery,
  RegistrationTable,
  Requirable,
  Specification,
  StampSource,
  SubscriberOptions,
  UtilityOptions,
} from './interfaces.js'
export {
  type ContextLookup,
  type ContextOption,
  currentRegistry,
  getAdapter,
  getAdapters,
  getAllUtilitiesRegisteredFor,
  getMultiAdapter,
  getUtilitiesFor,
  getUtility,
  handle,
  type LookupOptions,
  queryAdapter,
  queryMultiAdapter,
  queryUtility,
  setContextLookup,
  subscribers,
} from './lookup.js'
export { componentNamed, nameComponent, nameOfComponent } from './named-component.js'
export { IObjectEvent, ObjectEvent } from './object-event.js'
export {
  IRegistered,
  IRegistrationEvent,
  IUnregistered,
  Registered,
  Unregistered,
} from './registration-events.js'
export { changesInMemory, MemoryRegistrationTable } from './registration-table.js'
export {
  DIRECTLY_PROVIDED,
  IAny,
  implementedBy,
  mayDeclareDirectly,
  providedBy,
  specificationOf,
  specificationStamp,
  specificationWith,
} from './specification.js'
export { verifyObject } from './verify.js'
