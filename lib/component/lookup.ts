import { ComponentRegistry, globalRegistry, registryScope } from './component-registry.js'
import type { Interface, NameOption } from './interfaces.js'
import { isObject } from './specification.js'

/**
 * The registry of this call: what `registryScope` carries, else the global one.
 * @see `zope.component.getSiteManager`
 * @public
 */
export function currentRegistry(): ComponentRegistry {
  return registryScope.current() ?? globalRegistry
}

/** Whose registry answers. @public */
export interface ContextOption {
  /**
   * A registry, or an object: the registry of its place, or the global one when it has no place.
   * Absent: the registry of this call.
   */
  readonly context?: unknown
}

/** @public */
export interface LookupOptions extends NameOption, ContextOption {}

/**
 * Sets how an object leads to a registry; `undefined` from it means the global one. There is one way
 * at a time; `undefined` takes it away.
 * @public
 */
export function setContextLookup(find: ContextLookup | undefined): void {
  contextLookup = find
}

/** @public */
export type ContextLookup = (context: object) => ComponentRegistry | undefined

let contextLookup: ContextLookup | undefined

function registryFor(context: unknown): ComponentRegistry {
  if (context === undefined) return currentRegistry()
  if (context instanceof ComponentRegistry) return context
  return (isObject(context) ? contextLookup?.(context) : undefined) ?? globalRegistry
}

/** {@link ComponentRegistry.getUtility} of the context's registry. @throws COMPONENT_LOOKUP @public */
export function getUtility<T>(provided: Interface<T>, options: LookupOptions = NO_OPTIONS): T {
  return registryFor(options.context).getUtility(provided, options)
}

/** {@link ComponentRegistry.queryUtility} of the context's registry. @public */
export function queryUtility<T>(
  provided: Interface<T>,
  options: LookupOptions = NO_OPTIONS,
): T | undefined {
  return registryFor(options.context).queryUtility(provided, options)
}

/** {@link ComponentRegistry.getUtilitiesFor} of the context's registry. @public */
export function getUtilitiesFor<T>(
  provided: Interface<T>,
  { context }: ContextOption = NO_OPTIONS,
): readonly (readonly [name: string, utility: T])[] {
  return registryFor(context).getUtilitiesFor(provided)
}

/** {@link ComponentRegistry.getAllUtilitiesRegisteredFor} of the context's registry. @public */
export function getAllUtilitiesRegisteredFor<T>(
  provided: Interface<T>,
  { context }: ContextOption = NO_OPTIONS,
): readonly T[] {
  return registryFor(context).getAllUtilitiesRegisteredFor(provided)
}

/** {@link ComponentRegistry.getAdapter} of the context's registry. @throws COMPONENT_LOOKUP @public */
export function getAdapter<T>(
  object: unknown,
  provided: Interface<T>,
  options: LookupOptions = NO_OPTIONS,
): T {
  return registryFor(options.context).getAdapter(object, provided, options)
}

/** {@link ComponentRegistry.queryAdapter} of the context's registry. @public */
export function queryAdapter<T>(
  object: unknown,
  provided: Interface<T>,
  options: LookupOptions = NO_OPTIONS,
): T | undefined {
  return registryFor(options.context).queryAdapter(object, provided, options)
}

/**
 * {@link ComponentRegistry.getMultiAdapter} of the context's registry.
 * @throws COMPONENT_LOOKUP
 * @public
 */
export function getMultiAdapter<T>(
  objects: readonly unknown[],
  provided: Interface<T>,
  options: LookupOptions = NO_OPTIONS,
): T {
  return registryFor(options.context).getMultiAdapter(objects, provided, options)
}

/** {@link ComponentRegistry.queryMultiAdapter} of the context's registry. @public */
export function queryMultiAdapter<T>(
  objects: readonly unknown[],
  provided: Interface<T>,
  options: LookupOptions = NO_OPTIONS,
): T | undefined {
  return registryFor(options.context).queryMultiAdapter(objects, provided, options)
}

/** {@link ComponentRegistry.getAdapters} of the context's registry. @public */
export function getAdapters<T>(
  objects: readonly unknown[],
  provided: Interface<T>,
  { context }: ContextOption = NO_OPTIONS,
): readonly (readonly [name: string, adapter: T])[] {
  return registryFor(context).getAdapters(objects, provided)
}

/** {@link ComponentRegistry.subscribers} of the context's registry. @public */
export function subscribers<T>(
  objects: readonly unknown[],
  provided: Interface<T>,
  { context }: ContextOption = NO_OPTIONS,
): T[] {
  return registryFor(context).subscribers(objects, provided)
}

/** {@link ComponentRegistry.handle} of the registry of this call. @public */
export function handle(...objects: readonly unknown[]): void {
  currentRegistry().handle(...objects)
}

const NO_OPTIONS: LookupOptions = {}
