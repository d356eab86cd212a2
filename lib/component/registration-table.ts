import type {
  Interface,
  Registration,
  RegistrationKind,
  RegistrationQuery,
  RegistrationTable,
  Specification,
  StampSource,
} from './interfaces.js'

/**
 * Rows in memory. Finding walks the kinds of provided interfaces and, in them, only the resolution
 * order of the first required; adding is one step into each of four maps.
 * @public
 */
export class MemoryRegistrationTable implements RegistrationTable {
  readonly watch: StampSource = changesInMemory
  readonly #shelves = new Map<string, Shelf>() // kind and number of required → rows
  #stamp = 0

  get stamp(): number {
    return this.#stamp
  }

  *candidates({ kind, required, provided, name }: RegistrationQuery): Generator<Registration> {
    const shelf = this.#shelves.get(shelfKey(kind, required.length))
    if (shelf === undefined) return
    for (const [rowsProvide, byName] of shelf) {
      if (!isWanted(rowsProvide, provided)) continue
      for (const byRequired of name === undefined ? byName.values() : existing(byName.get(name))) {
        yield* rowsFor(byRequired, required[0])
      }
    }
  }

  add(row: Registration): void {
    const key = shelfKey(row.kind, row.required.length)
    const shelf = getOrMake(this.#shelves, key, (): Shelf => new Map())
    const byName = getOrMake(shelf, row.provided, (): ByName => new Map())
    const byRequired = getOrMake(byName, row.name, (): ByRequired => new Map())
    getOrMake(byRequired, row.required[0], (): Set<Registration> => new Set()).add(row)
    this.#changed()
  }

  remove(row: Registration): void {
    const shelf = this.#shelves.get(shelfKey(row.kind, row.required.length))
    const byName = shelf?.get(row.provided)
    const byRequired = byName?.get(row.name)
    const rows = byRequired?.get(row.required[0])
    if (rows?.delete(row) !== true) return
    if (rows.size === 0) byRequired?.delete(row.required[0])
    if (byRequired?.size === 0) byName?.delete(row.name)
    if (byName?.size === 0) shelf?.delete(row.provided)
    this.#changed()
  }

  *[Symbol.iterator](): Generator<Registration> {
    for (const shelf of this.#shelves.values()) {
      for (const byName of shelf.values()) {
        for (const byRequired of byName.values()) {
          for (const rows of byRequired.values()) yield* rows
        }
      }
    }
  }

  #changed(): void {
    this.#stamp += 1
    changesInMemory.raise()
  }
}

type Shelf = Map<Interface | undefined, ByName> // provided → …
type ByName = Map<string, ByRequired> // name → …
type ByRequired = Map<Specification | undefined, Set<Registration>> // first required → rows

function shelfKey(kind: RegistrationKind, count: number): string {
  return `${kind} ${count}`
}

function isWanted(rowsProvide: Interface | undefined, wanted: Interface | undefined): boolean {
  return wanted === undefined || rowsProvide?.extendsOrIs(wanted) === true
}

function* rowsFor(
  byRequired: ByRequired,
  first: Specification | undefined,
): Generator<Registration> {
  for (const specification of first?.resolutionOrder ?? [undefined]) {
    yield* byRequired.get(specification) ?? []
  }
}

function existing<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value]
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

class Changes implements StampSource {
  #stamp = 0

  get stamp(): number {
    return this.#stamp
  }

  raise(): void {
    this.#stamp += 1
  }
}

/**
 * Moves when any table in memory, or the bases of any registry, change: the one thing that lookups
 * in memory watch, however many registries they span.
 * @internal
 */
export const changesInMemory = new Changes()
