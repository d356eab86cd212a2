import {
  type Interface,
  InvalidRegistrationError,
  type Registration,
  type RegistrationKind,
  type RegistrationQuery,
  type RegistrationTable,
} from '../component/index.js'
import {
  type BTree,
  connectionOf,
  isPersistent,
  type Key,
  type Persistent,
} from '../persistence/index.js'
import {
  fromStoredSpecification,
  type StoredSpecification,
  specificationKey,
  toStoredSpecification,
} from './stored-specification.js'

/** One row as the tree keeps it. */
interface StoredRow {
  readonly required: readonly StoredSpecification[]
  readonly provided: StoredSpecification | undefined
  readonly component: Persistent
  readonly info: string
}

/**
 * The registrations of a site, as rows of a tree in the database: any number, and registering one
 * writes no record that all share. A row stands once for each interface that its `provided` extends,
 * so that a lookup is a range:
 *
 * `[kind, number of required, provided or extended, name, first required, ordinal, provided]`
 *
 * Components are persistent objects, kept by reference.
 */
export class RegistrationTree implements RegistrationTable {
  readonly #tree: BTree<Key, StoredRow>

  constructor(tree: BTree<Key, StoredRow>) {
    this.#tree = tree
  }

  get stamp(): unknown {
    return connectionOf(this.#tree)?.treeStamp(this.#tree)
  }

  *candidates({ kind, required, provided, name }: RegistrationQuery): Iterable<Registration> {
    const prefix: Key[] = [kind, required.length, provided?.name ?? '']
    if (name !== undefined) prefix.push(name)
    for (const [key, row] of this.#tree.entries({ min: prefix, max: [...prefix, LAST] })) {
      yield this.#registration(key as readonly Key[], row)
    }
  }

  add({ kind, required, provided, name, component, info }: Registration): void {
    if (typeof component !== 'object' || component === null || !isPersistent(component)) {
      throw new InvalidRegistrationError(
        `A site keeps components that are persistent objects; ${provided?.name ?? kind} was given something else. ` +
          "Register it in the database's registry, or the global one.",
      )
    }
    const row: StoredRow = {
      required: required.map(toStoredSpecification),
      provided: provided && toStoredSpecification(provided),
      component,
      info,
    }
    const first = required[0] === undefined ? '' : specificationKey(required[0])
    for (const stands of provided?.flattened() ?? [undefined]) {
      const prefix: Key[] = [kind, required.length, stands?.name ?? '', name, first]
      const last = this.#tree.maxKey([...prefix, LAST]) as readonly Key[] | undefined
      const ordinal =
        last !== undefined && prefix.every((part, index) => last[index] === part)
          ? (last[ORDINAL] as number) + 1
          : 0
      this.#tree.set([...prefix, ordinal, provided?.name ?? ''], row)
    }
  }

  remove(row: Registration): void {
    const { kind, required, provided, name, component, info } = row
    for (const stands of provided?.flattened() ?? [undefined]) {
      const prefix: Key[] = [kind, required.length, stands?.name ?? '', name]
      for (const [key, stored] of this.#tree.entries({ min: prefix, max: [...prefix, LAST] })) {
        const isSame =
          stored.component === component &&
          stored.info === info &&
          (key as readonly Key[])[ORDINAL + 1] === (provided?.name ?? '') &&
          sameSpecifications(stored.required, required.map(toStoredSpecification))
        if (!isSame) continue
        this.#tree.delete(key)
        break // Of rows that are the same, one.
      }
    }
  }

  *[Symbol.iterator](): Iterator<Registration> {
    for (const [key, row] of this.#tree.entries()) {
      const parts = key as readonly Key[]
      if (parts[2] === parts[ORDINAL + 1]) yield this.#registration(parts, row)
    }
  }

  #registration(key: readonly Key[], row: StoredRow): Registration {
    return {
      kind: key[0] as RegistrationKind,
      required: row.required.map(fromStoredSpecification),
      provided: row.provided && (fromStoredSpecification(row.provided) as Interface),
      name: key[3] as string,
      component: row.component,
      info: row.info,
    }
  }
}

/** After every text, number and bigint of a key's next part. */
const LAST: Key = []
const ORDINAL = 5

function sameSpecifications(
  one: readonly StoredSpecification[],
  other: readonly StoredSpecification[],
): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
