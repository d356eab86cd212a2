import {
  componentNamed,
  extendersOf,
  type Interface,
  InvalidRegistrationError,
  nameOfComponent,
  type Registration,
  type RegistrationKind,
  type RegistrationQuery,
  type RegistrationTable,
  type Specification,
  type StampSource,
} from '../component/index.js'
import {
  type BTree,
  connectionOf,
  isPersistent,
  type Key,
  type Persistent,
} from '../persistence/index.js'
import { registrationChanged, watchOf } from './registration-watch.js'
import {
  fromStoredSpecification,
  isKnownSpecification,
  querySpecificationKey,
  type StoredSpecification,
  specificationKey,
  toStoredSpecification,
} from './stored-specification.js'

/** One row as the tree keeps it. What is empty is left out. */
interface StoredRow {
  /** A persistent object, or the name of another component. */
  readonly component: Persistent | string
  readonly required?: readonly StoredSpecification[]
  readonly info?: string
}

/** `[kind, number of required, provided, name, first required, ordinal]` */
type RowKey = readonly [RegistrationKind, number, string, string, string, number]

/**
 * The registrations of a site, as rows of a tree in the database: any number, and registering one
 * writes no record that all share. A row stands once, under what it provides; a lookup asks for the
 * interface and those that extend it now, each as a range:
 *
 * `[kind, number of required, provided, name, first required, ordinal]`
 *
 * A component is a persistent object, kept by reference, or has a name from `nameComponent`. Rows that
 * name classes or interfaces which this program lacks fit none of its objects, and wait.
 */
export class RegistrationTree implements RegistrationTable {
  readonly #tree: BTree<Key, StoredRow>

  constructor(tree: BTree<Key, StoredRow>) {
    this.#tree = tree
  }

  get stamp(): unknown {
    return connectionOf(this.#tree)?.treeStamp(this.#tree)
  }

  get watch(): StampSource {
    const connection = connectionOf(this.#tree)
    return connection === undefined ? this : watchOf(connection)
  }

  *candidates(query: RegistrationQuery): Iterable<Registration> {
    const { kind, required, provided, name } = query
    for (const one of provided === undefined ? [undefined] : extendersOf(provided)) {
      const prefix: Key[] = [kind, required.length, one?.name ?? '']
      if (name !== undefined) prefix.push(name)
      if (name === undefined || required.length === 0) yield* this.#rowsUnder(prefix)
      else yield* this.#rowsFor(prefix, required[0] as Specification)
    }
  }

  add({ kind, required, provided, name, component, info }: Registration): void {
    const row: StoredRow = {
      component: storedComponent(component, provided?.name ?? kind),
      ...(required.length > 0 && { required: required.map(toStoredSpecification) }),
      ...(info !== '' && { info }),
    }
    const first = required[0] === undefined ? '' : specificationKey(required[0])
    const prefix: Key[] = [kind, required.length, provided?.name ?? '', name, first]
    // Of a utility there is one: what it replaces was removed.
    const ordinal = kind === 'utility' ? 0 : this.#nextOrdinal(prefix)
    this.#tree.set([...prefix, ordinal], row)
    registrationChanged()
  }

  remove(row: Registration): void {
    const { kind, required, provided, name, info } = row
    const stored = required.map(toStoredSpecification)
    const component = row.componentName ?? storedComponent(row.component, provided?.name ?? kind)
    const first = required[0] === undefined ? '' : specificationKey(required[0])
    const prefix: Key[] = [kind, required.length, provided?.name ?? '', name, first]
    for (const [key, found] of this.#range(prefix)) {
      const isSame =
        found.component === component &&
        (found.info ?? '') === info &&
        sameSpecifications(found.required ?? [], stored)
      if (!isSame) continue
      this.#tree.delete(key)
      registrationChanged()
      return // Of rows that are the same, one.
    }
  }

  *[Symbol.iterator](): Iterator<Registration> {
    for (const [key, row] of this.#tree.entries()) yield registration(key as unknown as RowKey, row)
  }

  /** Those for what an object that fits `first` may be, the most specific first. */
  *#rowsFor(prefix: readonly Key[], first: Specification): Iterable<Registration> {
    if (!isUnder(prefix, this.#tree.minKey(prefix))) return
    for (const one of first.resolutionOrder) {
      const key = querySpecificationKey(one)
      if (key !== undefined) yield* this.#rowsUnder([...prefix, key])
    }
  }

  *#rowsUnder(prefix: readonly Key[]): Iterable<Registration> {
    for (const [key, row] of this.#range(prefix)) {
      if (row.required?.every(isKnownSpecification) !== false) {
        yield registration(key as unknown as RowKey, row)
      }
    }
  }

  #range(prefix: readonly Key[]): Iterable<readonly [Key, StoredRow]> {
    return this.#tree.entries({ min: prefix, max: [...prefix, LAST] })
  }

  #nextOrdinal(prefix: readonly Key[]): number {
    const last = this.#tree.maxKey([...prefix, LAST])
    return isUnder(prefix, last) ? (last as unknown as RowKey)[5] + 1 : 0
  }
}

/** After every text, number and bigint of a key's next part. */
const LAST: Key = []

function isUnder(prefix: readonly Key[], key: Key | undefined): boolean {
  return Array.isArray(key) && prefix.every((part, index) => key[index] === part)
}

function registration(
  [kind, , provided, name]: RowKey,
  { component, required = [], info = '' }: StoredRow,
): Registration {
  const row = {
    kind,
    required: required.map(fromStoredSpecification),
    provided:
      kind === 'handler'
        ? undefined
        : (fromStoredSpecification({ interface: provided }) as Interface),
    name,
    info,
  }
  return typeof component === 'string' ? new NamedRow(row, component) : { ...row, component }
}

/** A row whose component is found by its name when it is needed. */
class NamedRow implements Registration {
  readonly kind: RegistrationKind
  readonly required: readonly Specification[]
  readonly provided: Interface | undefined
  readonly name: string
  readonly info: string
  readonly componentName: string
  #component: object | undefined

  constructor(row: Omit<Registration, 'component'>, componentName: string) {
    this.kind = row.kind
    this.required = row.required
    this.provided = row.provided
    this.name = row.name
    this.info = row.info
    this.componentName = componentName
  }

  /** @throws COMPONENT_UNKNOWN */
  get component(): object {
    this.#component ??= componentNamed(this.componentName)
    return this.#component
  }
}

function storedComponent(component: unknown, what: string): Persistent | string {
  if (typeof component === 'object' && component !== null && isPersistent(component)) {
    return component
  }
  const name = nameOfComponent(component)
  if (name !== undefined) return name
  throw new InvalidRegistrationError(
    `A site keeps components that are persistent objects or have a name; ${what} was given something ` +
      "else. Give it one with nameComponent, or register it in the database's registry.",
  )
}

function sameSpecifications(
  one: readonly StoredSpecification[],
  other: readonly StoredSpecification[],
): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
