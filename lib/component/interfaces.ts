/**
 * Anything made by `class`, also with a private constructor. `T` is what its instances are.
 * @public
 */
export interface Class<T = unknown> {
  readonly name: string
  readonly prototype: T
}

/**
 * What an object can be asked for, and what can stand in a required position of a registration.
 * One live object for each interface, class, and combination of a class with direct declarations:
 * compare by `===`.
 *
 * | kind        | made by              | resolution order                                        |
 * | ----------- | -------------------- | ------------------------------------------------------- |
 * | `interface` | `defineInterface`    | itself, what it extends                                 |
 * | `class`     | `implementedBy`      | itself, what it declares, its base class's, … `Object`  |
 * | `object`    | `providedBy`         | itself, what the object provides directly, its class's  |
 *
 * Every order is by C3 and ends in `IAny`. That of a class grows when `implementer` is called on it
 * later; `specificationStamp()` then rises.
 *
 * Source: `zope.interface.declarations`.
 * @public
 */
export interface Specification {
  readonly kind: 'interface' | 'class' | 'object'
  /**
   * Text that names this specification and no other in this process: an interface's name; a class's
   * name, with a number for the second class of that name; both for an object's.
   */
  readonly id: string
  /** The class of a `class` or `object` specification. */
  readonly inherit: Class | undefined
  /** What is stated here itself, as stated: extended interfaces, or declared ones. */
  readonly declared: readonly Interface[]
  /** Most specific first; this specification is the first and `IAny` the last. */
  readonly resolutionOrder: readonly Specification[]
  /** True when `other` is in the resolution order. Takes the same time for any order. */
  extendsOrIs(other: Specification): boolean
  /** The interfaces of the resolution order, in that order. */
  flattened(): readonly Interface[]
}

/**
 * An interface as a value: adapted to, provided and registered. `T` is the TypeScript type of the
 * same name. Frozen.
 *
 * Source: `zope.interface.interface.InterfaceClass`.
 * @public
 */
export interface Interface<T = unknown> extends Specification {
  readonly kind: 'interface'
  /** Unique in the process, prefixed by a package: `treehook.IFolder`. Stored; keep it. */
  readonly name: string
  /** Names an object must have, without those of extended interfaces. */
  readonly members: readonly string[]
  /** True when `object`, or its class, declares this interface or one that extends it. */
  providedBy(object: unknown): object is T
  /** True when instances of `someClass` provide this interface. */
  implementedBy(someClass: Class): boolean
}

/** What `adapts` and `for` take: a class stands for its specification. @public */
export type Requirable = Specification | Class

/** The types of the objects that fulfil a list of requirements. @public */
export type ObjectsFor<R extends readonly Requirable[]> = {
  -readonly [K in keyof R]: R[K] extends Interface<infer T>
    ? T
    : R[K] extends Specification
      ? unknown
      : R[K] extends abstract new (
            ...args: never
          ) => infer T // of a generic class, `prototype` would be of `any`
        ? T
        : R[K] extends Class<infer T>
          ? T
          : unknown
}

/** @public */
export type RegistrationKind = 'utility' | 'adapter' | 'subscriber' | 'handler'

/**
 * One registration, as a row.
 *
 * | kind         | required | provided    | name | component                                     |
 * | ------------ | -------- | ----------- | ---- | --------------------------------------------- |
 * | `utility`    | none     | yes         | yes  | the utility                                   |
 * | `adapter`    | 1 or more| yes         | yes  | function of the objects; `undefined` is none  |
 * | `subscriber` | 1 or more| yes         | `''` | the same                                      |
 * | `handler`    | 1 or more| `undefined` | `''` | function of the objects; returns nothing      |
 *
 * There is one utility or adapter with the same first three columns; subscribers and handlers may
 * repeat. `component` may be a getter: it is read when the component is needed, never before.
 *
 * Source: `zope.interface.registry`.
 * @public
 */
export interface Registration {
  readonly kind: RegistrationKind
  readonly required: readonly Specification[]
  readonly provided: Interface | undefined
  readonly name: string
  readonly component: unknown
  /** Where the table keeps the component by a name: that; the component is looked up by it. */
  readonly componentName?: string
  /** For people: who registered it and why. */
  readonly info: string
}

/** Says by `===` whether something changed. @public */
export interface StampSource {
  /** Differs from each earlier value after a change. `undefined`: ask again each time. */
  readonly stamp: unknown
}

/**
 * Where a registry keeps its rows. In memory: `MemoryRegistrationTable`; a site keeps them in a
 * tree in the database. A table stores and finds; which row wins is decided above it.
 *
 * A key that serves every query by ranges: kind, number of required, provided, name, first required,
 * a rising number.
 * @public
 */
export interface RegistrationTable extends StampSource {
  /**
   * Changes whenever the rows do, seen from where the table is read; going back to earlier rows may
   * go back to the earlier stamp. `undefined` while lookups must not be remembered, or only as long
   * as `watch` stands still.
   */
  readonly stamp: unknown
  /**
   * One source for many tables, whose stamp changes at the latest when the rows of any of them do.
   * Lookups read it alone as long as it stands still, and take it for the table's while that is
   * `undefined`. Without it they read `stamp` each time.
   */
  readonly watch?: StampSource
  /**
   * At least every row that matches; more is allowed and costs time only. Rows with the same
   * required and provided come in the order of registration.
   */
  candidates(query: RegistrationQuery): Iterable<Registration>
  /** Takes in a row. A utility or adapter that it replaces was removed before. */
  add(row: Registration): void
  /** Takes out a row that `candidates` or iteration gave. */
  remove(row: Registration): void
  /** Every row. */
  [Symbol.iterator](): Iterator<Registration>
}

/** A row matches when each field given here does. @public */
export interface RegistrationQuery {
  readonly kind: RegistrationKind
  /** As many as the row requires; each extends or is what the row requires there. */
  readonly required: readonly Specification[]
  /** The row's extends or is this one. Handlers: `undefined`. */
  readonly provided: Interface | undefined
  /** The row's name; absent: any. */
  readonly name?: string
}

/** @public */
export interface NameOption {
  /** Default: unnamed, which is `''`. */
  readonly name?: string
}

/** @public */
export interface InfoOption {
  /** For people: who registers it and why. */
  readonly info?: string
}

/** @public */
export interface ProvidesOption<T = unknown> {
  /** What the component, or what the factory makes, is. */
  readonly provides: Interface<T>
}

/** @public */
export interface AdaptsOption<R extends readonly Requirable[] = readonly Requirable[]> {
  /** What each object must provide; a class stands for its instances. */
  readonly adapts: R
}

/** @public */
export interface UtilityOptions<T = unknown> extends NameOption, InfoOption, ProvidesOption<T> {}

/** @public */
export interface AdapterOptions<
  T = unknown,
  R extends readonly Requirable[] = readonly Requirable[],
> extends NameOption,
    InfoOption,
    ProvidesOption<T>,
    AdaptsOption<R> {}

/** @public */
export interface SubscriberOptions<
  T = unknown,
  R extends readonly Requirable[] = readonly Requirable[],
> extends InfoOption,
    ProvidesOption<T>,
    AdaptsOption<R> {}

/** @public */
export interface HandlerOptions<R extends readonly Requirable[] = readonly Requirable[]>
  extends InfoOption {
  /** What each object must provide; a class stands for its instances. */
  readonly for: R
}
