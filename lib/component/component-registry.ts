import { AsyncScope } from '../foundation/index.js'
import { ComponentLookupError, InvalidRegistrationError } from './errors.js'
import { dispatchEvent } from './event-dispatch.js'
import type {
  AdapterOptions,
  AdaptsOption,
  HandlerOptions,
  Interface,
  NameOption,
  ObjectsFor,
  ProvidesOption,
  Registration,
  RegistrationTable,
  Requirable,
  Specification,
  SubscriberOptions,
  UtilityOptions,
} from './interfaces.js'
import { LookupCache } from './lookup-cache.js'
import { nameOfComponent } from './named-component.js'
import { newRow } from './registration.js'
import { Registered, Unregistered } from './registration-events.js'
import { changesInMemory, MemoryRegistrationTable } from './registration-table.js'
import { nearestFirst } from './registry-chain.js'
import { providedBy, specificationOf } from './specification.js'

/**
 * Utilities, adapters, subscribers and handlers, and the registries asked next: its bases. What it
 * holds is in its table; a site's registry is this class over a table in the database.
 *
 * Everything it answers is as of now: answers are remembered, and dropped by any change of a table
 * in the chain, of bases, or of what a class declares.
 *
 * @see `zope.interface.registry.Components`
 * @public
 */
export class ComponentRegistry {
  /** For messages. */
  readonly name: string
  /** Its own rows. */
  readonly table: RegistrationTable
  #bases: Bases = []
  readonly #cache = new LookupCache(() => this.chain.map(({ table }) => table))

  /**
   * @param bases - may be a function when they are kept elsewhere: it is asked whenever anything in
   *   memory or what the table watches has moved, so its answer changes only together with those.
   * @throws COMPONENT_INVALID_REGISTRATION when a base is based on this registry.
   */
  constructor({ name, bases = [], table = new MemoryRegistrationTable() }: RegistryOptions) {
    this.name = name
    this.table = table
    this.bases = bases
  }

  /** The registries asked next, the nearest first. */
  get bases(): readonly ComponentRegistry[] {
    return typeof this.#bases === 'function' ? this.#bases() : this.#bases
  }

  /** @throws COMPONENT_INVALID_REGISTRATION when one is based on this registry. */
  set bases(bases: Bases) {
    if (typeof bases !== 'function') {
      for (const base of bases) assertNotBasedOn(base, this)
    }
    this.#bases = typeof bases === 'function' ? bases : Object.freeze([...bases])
    changesInMemory.raise()
  }

  /**
   * This registry and all it is based on, nearest first: each before its bases, and else in their
   * order. Never contradictory, unlike C3, for one site must not break the lookups of others.
   *
   * @throws COMPONENT_INVALID_REGISTRATION when bases, kept elsewhere, lead back to their registry.
   */
  get chain(): readonly ComponentRegistry[] {
    return nearestFirst<ComponentRegistry>(this)
  }

  /** The rows of this registry itself. */
  registrations(): Iterable<Registration> {
    return this.table
  }

  // Utilities

  /**
   * Registers `component` under its interface and name, in place of another one there. The same one
   * with the same info again changes nothing and notifies nobody.
   *
   * @throws COMPONENT_INVALID_REGISTRATION
   */
  registerUtility<T>(component: NoInfer<T>, { provides, name, info }: UtilityOptions<T>): void {
    if (component === undefined || component === null) {
      throw new InvalidRegistrationError(
        `${String(component)} cannot be registered as a utility for ${provides.name}.`,
      )
    }
    this.#replace(
      newRow({ kind: 'utility', required: [], provided: provides, name, component, info }),
    )
  }

  /**
   * Takes the utility out.
   * @param component - the one expected there; `undefined`: whichever.
   * @returns false when it was not there.
   */
  unregisterUtility(
    component: unknown,
    { provides, name = '' }: ProvidesOption & NameOption,
  ): boolean {
    return this.#removeRows({ kind: 'utility', required: [], provided: provides, name, component })
  }

  /** The utility of the nearest registry that has one; `undefined` when none has. */
  queryUtility<T>(provided: Interface<T>, { name = '' }: NameOption = UNNAMED): T | undefined {
    const row = this.#cache.find('utility', NOTHING, provided, name)[0]
    return row?.component as T | undefined
  }

  /**
   * The same, and it must be there.
   * @throws COMPONENT_LOOKUP
   */
  getUtility<T>(provided: Interface<T>, options: NameOption = UNNAMED): T {
    return this.queryUtility(provided, options) ?? this.#missingUtility(provided, options)
  }

  /** Names and utilities, by name; of one name the nearest. */
  getUtilitiesFor<T>(provided: Interface<T>): readonly (readonly [name: string, utility: T])[] {
    return this.#cache
      .find('utilities', NOTHING, provided, '')
      .map(({ name, component }) => [name, component as T])
  }

  /** Every utility, also those hidden by a nearer one of the same name; the farthest first. */
  getAllUtilitiesRegisteredFor<T>(provided: Interface<T>): readonly T[] {
    return this.#cache
      .find('allUtilities', NOTHING, provided, '')
      .map(({ component }) => component as T)
  }

  // Adapters

  /**
   * Registers how objects become what `provides` says, in place of another one with the same
   * `adapts`, `provides` and `name`. A factory that returns `undefined` declines.
   *
   * @throws COMPONENT_INVALID_REGISTRATION
   */
  registerAdapter<T, const R extends readonly Requirable[]>(
    factory: (...objects: ObjectsFor<R>) => NoInfer<T> | undefined,
    { adapts, provides, name, info }: AdapterOptions<T, R>,
  ): void {
    this.#replace(
      newRow({
        kind: 'adapter',
        required: adapts,
        provided: provides,
        name,
        component: factory,
        info,
      }),
    )
  }

  /**
   * Takes the adapter out.
   * @param factory - the one expected there; `undefined`: whichever.
   * @returns false when it was not there.
   */
  unregisterAdapter(
    factory: unknown,
    { adapts, provides, name = '' }: ProvidesOption & AdaptsOption & NameOption,
  ): boolean {
    return this.#removeRows({
      kind: 'adapter',
      required: adapts,
      provided: provides,
      name,
      component: factory,
    })
  }

  /**
   * What `object` is as `provided`: itself when it provides that and no name is given, else by the
   * nearest registry's closest adapter. `undefined` when there is none, or it declines.
   */
  queryAdapter<T>(
    object: unknown,
    provided: Interface<T>,
    { name = '' }: NameOption = UNNAMED,
  ): T | undefined {
    const ask = name === '' ? 'itselfOrAdapter' : 'adapter'
    const row = this.#cache.findForOne(ask, providedBy(object), provided, name)[0]
    return row && callWithOne<T>(row, object)
  }

  /**
   * The same, and it must be there.
   * @throws COMPONENT_LOOKUP
   */
  getAdapter<T>(object: unknown, provided: Interface<T>, options: NameOption = UNNAMED): T {
    return (
      this.queryAdapter(object, provided, options) ??
      this.#missingAdapter([object], provided, options)
    )
  }

  /** What the objects are together as `provided`; `undefined` when nothing, or it declines. */
  queryMultiAdapter<T>(
    objects: readonly unknown[],
    provided: Interface<T>,
    { name = '' }: NameOption = UNNAMED,
  ): T | undefined {
    const row = this.#cache.find('adapter', objects.map(providedBy), provided, name)[0]
    return row && call<T>(row, objects)
  }

  /**
   * The same, and it must be there.
   * @throws COMPONENT_LOOKUP
   */
  getMultiAdapter<T>(
    objects: readonly unknown[],
    provided: Interface<T>,
    options: NameOption = UNNAMED,
  ): T {
    return (
      this.queryMultiAdapter(objects, provided, options) ??
      this.#missingAdapter(objects, provided, options)
    )
  }

  /**
   * Names and adapters of the objects, by name: for each name that of the nearest registry, without
   * those that decline.
   * @see `zope.component.getAdapters`
   */
  getAdapters<T>(
    objects: readonly unknown[],
    provided: Interface<T>,
  ): readonly (readonly [name: string, adapter: T])[] {
    return this.#cache
      .find('adapters', objects.map(providedBy), provided, '')
      .map((row) => [row.name, call<T>(row, objects)] as const)
      .filter((pair): pair is [string, T & {}] => pair[1] !== undefined)
  }

  /**
   * The factory that would be called for objects that provide `required`; `undefined` when there is
   * none. Nothing is called.
   * @see `zope.interface.adapter.AdapterLookup.lookup`
   */
  lookup<T>(
    required: readonly Specification[],
    provided: Interface<T>,
    { name = '' }: NameOption = UNNAMED,
  ): ((...objects: readonly unknown[]) => T | undefined) | undefined {
    const row =
      required.length === 1
        ? this.#cache.findForOne('adapter', required[0]!, provided, name)[0]
        : this.#cache.find('adapter', required, provided, name)[0]
    return row?.component as ((...objects: readonly unknown[]) => T | undefined) | undefined
  }

  // Subscribers and handlers

  /**
   * Registers one more factory: `subscribers` calls every one that fits. Registered twice, it is
   * called twice.
   *
   * @throws COMPONENT_INVALID_REGISTRATION
   */
  registerSubscriber<T, const R extends readonly Requirable[]>(
    factory: (...objects: ObjectsFor<R>) => NoInfer<T> | undefined,
    { adapts, provides, info, ...rest }: SubscriberOptions<T, R>,
  ): void {
    this.#add(
      newRow({
        ...(rest as NameOption),
        kind: 'subscriber',
        required: adapts,
        provided: provides,
        component: factory,
        info,
      }),
    )
  }

  /**
   * Takes out every registration of it.
   * @param factory - `undefined`: all with the same `adapts` and `provides`.
   * @returns false when there was none.
   */
  unregisterSubscriber(
    factory: unknown,
    { adapts, provides }: ProvidesOption & AdaptsOption,
  ): boolean {
    return this.#removeRows({
      kind: 'subscriber',
      required: adapts,
      provided: provides,
      component: factory,
    })
  }

  /**
   * What all fitting factories make of the objects, without those that decline. The farthest
   * registry first; in it the least specific first, by the first object, then the second and so on;
   * for the same requirement in the order of registration.
   */
  subscribers<T>(objects: readonly unknown[], provided: Interface<T>): T[] {
    return this.#cache
      .find('subscriber', objects.map(providedBy), provided, '')
      .map((row) => call<T>(row, objects))
      .filter((made) => made !== undefined)
  }

  /**
   * Registers a function that `handle` calls for objects that fit. Registered twice, it is called
   * twice.
   *
   * @throws COMPONENT_INVALID_REGISTRATION
   */
  registerHandler<const R extends readonly Requirable[]>(
    handler: (...objects: ObjectsFor<R>) => void,
    { for: required, info, ...rest }: HandlerOptions<R>,
  ): void {
    const named = rest as NameOption // by a program that no compiler has seen
    this.#add(
      newRow({
        ...named,
        kind: 'handler',
        required,
        provided: undefined,
        component: handler,
        info,
      }),
    )
  }

  /**
   * Takes out every registration of it.
   * @param handler - `undefined`: all with the same `for`.
   * @returns false when there was none.
   */
  unregisterHandler(handler: unknown, { for: required }: HandlerOptions): boolean {
    return this.#removeRows({ kind: 'handler', required, provided: undefined, component: handler })
  }

  /** Whether `handle` would call anybody for these objects. */
  hasHandlers(...objects: readonly unknown[]): boolean {
    return this.#cache.find('handler', objects.map(providedBy), undefined, '').length > 0
  }

  /** Calls all fitting handlers, in the order of `subscribers`. What one throws ends the call. */
  handle(...objects: readonly unknown[]): void {
    const rows =
      objects.length === 1
        ? this.#cache.findForOne('handler', providedBy(objects[0]), undefined, '')
        : this.#cache.find('handler', objects.map(providedBy), undefined, '')
    for (let index = 0; index < rows.length; index += 1) {
      call(rows[index]!, objects)
    }
  }

  #replace(row: Registration): void {
    const [there] = this.#rowsLike(row)
    if (there === undefined) {
      this.#add(row)
      return
    }
    if (isComponentOf(there, row.component) && there.info === row.info) return
    this.#remove(there)
    try {
      this.table.add(row)
    } catch (error) {
      this.#add(there)
      throw error
    }
    this.#notify(new Registered(row, this))
  }

  #add(row: Registration): void {
    this.table.add(row)
    this.#notify(new Registered(row, this))
  }

  #removeRows({ required, name = '', component, ...rest }: Expected): boolean {
    const identity = { ...rest, required: required.map(specificationOf), name }
    const rows = this.#rowsLike(identity).filter(
      (row) => component === undefined || isComponentOf(row, component),
    )
    for (const row of rows) this.#remove(row)
    return rows.length > 0
  }

  #remove(row: Registration): void {
    this.table.remove(row)
    this.#notify(new Unregistered(row, this))
  }

  /** The table's rows with exactly this identity. */
  #rowsLike({ kind, required, provided, name }: Identity): readonly Registration[] {
    return [...this.table.candidates({ kind, required, provided, name })].filter(
      (row) =>
        row.kind === kind &&
        row.provided === provided &&
        row.name === name &&
        row.required.length === required.length &&
        row.required.every((one, index) => one === required[index]),
    )
  }

  #notify(event: object): void {
    dispatchEvent(registryScope.current() ?? globalRegistry, event)
  }

  #missingUtility(provided: Interface, { name = '' }: NameOption): never {
    throw new ComponentLookupError(
      `No utility for ${provided.name}${named(name)} is registered in ${this.name}` +
        `${basedOn(this)}. Register one with registerUtility, or ask with queryUtility.`,
      { details: { provided: provided.name, name, registry: this.name } },
    )
  }

  #missingAdapter(
    objects: readonly unknown[],
    provided: Interface,
    { name = '' }: NameOption,
  ): never {
    const given = objects.map((object) => providedBy(object).id)
    throw new ComponentLookupError(
      `Could not adapt (${given.join(', ')}) to ${provided.name}${named(name)}: ${this.name}` +
        `${basedOn(this)} has no adapter, or the adapter declines. Register one with ` +
        'registerAdapter, or ask with the query function.',
      { details: { objects: given, provided: provided.name, name, registry: this.name } },
    )
  }
}

/** The registry of this async call, when it is not the global one. @public */
export const registryScope = new AsyncScope<ComponentRegistry>()

/** The registry of the process; what every site is based on in the end. @public */
export const globalRegistry = new ComponentRegistry({ name: 'the global registry' })

/** @public */
export interface RegistryOptions {
  readonly name: string
  readonly bases?: Bases
  /** Default: a table in memory. */
  readonly table?: RegistrationTable
}

type Bases = readonly ComponentRegistry[] | (() => readonly ComponentRegistry[])

type Identity = Pick<Registration, 'kind' | 'required' | 'provided' | 'name'>

interface Expected extends Pick<Registration, 'kind' | 'provided'> {
  readonly required: readonly Requirable[]
  readonly name?: string
  readonly component: unknown
}

const UNNAMED: NameOption = {}
const NOTHING: readonly Specification[] = []

/** Without looking up one that is kept by its name, and may be missing. */
function isComponentOf(row: Registration, component: unknown): boolean {
  return row.componentName === undefined
    ? row.component === component
    : row.componentName === nameOfComponent(component)
}

/** Without a `this`, which the row would else be. */
function call<T>({ component }: Registration, objects: readonly unknown[]): T | undefined {
  return (component as (...objects: readonly unknown[]) => T | undefined)(...objects)
}

function callWithOne<T>({ component }: Registration, object: unknown): T | undefined {
  return (component as (object: unknown) => T | undefined)(object)
}

function assertNotBasedOn(base: ComponentRegistry, registry: ComponentRegistry): void {
  if (!base.chain.includes(registry)) return
  throw new InvalidRegistrationError(
    `${base.name} is based on ${registry.name}, so it cannot be a base of it.`,
  )
}

function named(name: string): string {
  return name === '' ? '' : ` named ${JSON.stringify(name)}`
}

function basedOn(registry: ComponentRegistry): string {
  const names = registry.chain.slice(1).map(({ name }) => name)
  return names.length === 0 ? '' : ` (based on ${names.join(', ')})`
}
