import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  alsoProvides,
  type Class,
  ComponentRegistry,
  defineInterface,
  directlyProvides,
  type Interface,
  implementedBy,
  implementer,
  MemoryRegistrationTable,
  providedBy,
  type Registration,
  type RegistrationQuery,
  type RegistrationTable,
  type Specification,
} from '../../lib/component/index.js'

const IA = defineInterface('property.IA')
const IB = defineInterface('property.IB', { extends: [IA] })
const IC = defineInterface('property.IC', { extends: [IA] })
const ID = defineInterface('property.ID', { extends: [IB, IC] })
const interfaces: readonly Interface[] = [IA, IB, IC, ID]
const names = ['', 'n'] as const
const REGISTRIES = 4
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

type Step =
  | {
      readonly do: 'registerUtility' | 'unregisterUtility'
      at: number
      provided: number
      name: number
    }
  | {
      readonly do: 'registerAdapter' | 'unregisterAdapter' | 'addSubscriber' | 'removeSubscriber'
      at: number
      required: readonly number[]
      provided: number
    }
  | { readonly do: 'setBases'; at: number; bases: readonly number[] }
  | { readonly do: 'implement'; classAt: number; interfaceAt: number }
  | { readonly do: 'provide'; interfaceAt: number }
  | { readonly do: 'holdStamp'; at: number; held: boolean }

const index = (count: number) => fc.nat({ max: count - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom('registerUtility', 'unregisterUtility'),
    at: index(REGISTRIES),
    provided: index(4),
    name: index(2),
  }),
  fc.record({
    do: fc.constantFrom(
      'registerAdapter',
      'unregisterAdapter',
      'addSubscriber',
      'removeSubscriber',
    ),
    at: index(REGISTRIES),
    required: fc.array(index(7), { minLength: 1, maxLength: 2 }),
    provided: index(4),
  }),
  fc.record({
    do: fc.constant('setBases' as const),
    at: index(REGISTRIES),
    bases: fc.uniqueArray(index(REGISTRIES), { maxLength: 3 }),
  }),
  fc.record({ do: fc.constant('implement' as const), classAt: index(3), interfaceAt: index(4) }),
  fc.record({ do: fc.constant('provide' as const), interfaceAt: index(4) }),
  fc.record({ do: fc.constant('holdStamp' as const), at: index(REGISTRIES), held: fc.boolean() }),
)

/** Rows in memory behind a stamp of its own, as those in a database are. */
class ForeignTable implements RegistrationTable {
  readonly #rows = new MemoryRegistrationTable()
  held = false // true: a transaction is changing the rows

  get stamp(): unknown {
    return this.held ? undefined : this.#rows.stamp
  }
  candidates(query: RegistrationQuery): Iterable<Registration> {
    return this.#rows.candidates(query)
  }
  add(row: Registration): void {
    this.#rows.add(row)
  }
  remove(row: Registration): void {
    this.#rows.remove(row)
  }
  [Symbol.iterator](): Iterator<Registration> {
    return this.#rows[Symbol.iterator]()
  }
}

/** A world of its own for each run, changed by steps and asked after each. */
class World {
  readonly tables = Array.from({ length: REGISTRIES }, (_, at) =>
    at % 2 === 0 ? new MemoryRegistrationTable() : new ForeignTable(),
  )
  readonly registries = this.tables.map(
    (table, at) => new ComponentRegistry({ name: `registry ${at}`, table }),
  )
  readonly classes: readonly Class[]
  readonly objects: readonly object[]
  #made = 0

  constructor() {
    class One {}
    class Two extends One {}
    class Three extends Two {}
    this.classes = [One, Two, Three]
    const special = new Two()
    this.objects = [new One(), new Two(), new Three(), special]
    alsoProvides(special, IC)
  }

  specification(at: number): Specification {
    return at < 4 ? interfaces[at]! : implementedBy(this.classes[at - 4]!)
  }

  take(step: Step): void {
    if (step.do === 'implement') {
      orRefused('COMPONENT_INCONSISTENT_ORDER', () =>
        implementer(interfaces[step.interfaceAt]!)(this.classes[step.classAt]!),
      )
      return
    }
    if (step.do === 'provide') {
      orRefused('COMPONENT_INCONSISTENT_ORDER', () =>
        directlyProvides(this.objects[3]!, interfaces[step.interfaceAt]!),
      )
      return
    }
    const registry = this.registries[step.at]!
    if (step.do === 'setBases') {
      orRefused('COMPONENT_INVALID_REGISTRATION', () => {
        registry.bases = step.bases.map((at) => this.registries[at]!)
      })
      return
    }
    if (step.do === 'holdStamp') {
      const table = this.tables[step.at]!
      if (table instanceof ForeignTable) table.held = step.held
      return
    }
    const provides = interfaces[step.provided]!
    this.#made += 1
    const made = { number: this.#made }
    if ('name' in step) {
      const name = names[step.name]!
      if (step.do === 'registerUtility') registry.registerUtility(made, { provides, name })
      else registry.unregisterUtility(undefined, { provides, name })
      return
    }
    const place = { adapts: step.required.map((at) => this.specification(at)), provides }
    if (step.do === 'registerAdapter') registry.registerAdapter(() => made, place)
    else if (step.do === 'unregisterAdapter') registry.unregisterAdapter(undefined, place)
    else if (step.do === 'addSubscriber') registry.registerSubscriber(() => made, place)
    else registry.unregisterSubscriber(undefined, place)
  }

  /** Every lookup, twice, is what a search of all rows by the rules gives. */
  check(): void {
    for (const registry of this.registries) {
      const rows = rowsFarFirst(registry)
      for (const provided of interfaces) {
        for (const name of names) {
          const expected = best(rows, 'utility', [], provided, name)?.component
          expect(registry.queryUtility(provided, { name })).toBe(expected)
          expect(registry.queryUtility(provided, { name })).toBe(expected)
        }
        for (const first of this.objects) {
          this.#checkObjects(registry, rows, [first], provided)
          this.#checkObjects(registry, rows, [first, this.objects[3]!], provided)
        }
      }
    }
  }

  #checkObjects(
    registry: ComponentRegistry,
    rows: readonly Registration[][],
    objects: readonly object[],
    provided: Interface,
  ): void {
    const required = objects.map((object) => providedBy(object))
    const row = best(rows, 'adapter', required, provided, '')
    const adapter = row && (row.component as () => unknown)()
    expect(registry.queryMultiAdapter(objects, provided)).toBe(adapter)
    const all = rows
      .flatMap((own) => ranked(own, 'subscriber', required, provided, '', -1))
      .map(({ component }) => (component as () => unknown)())
    expect(registry.subscribers(objects, provided)).toEqual(all)
  }
}

/** A step that would contradict itself changes nothing, and says so with this code. */
function orRefused(code: string, change: () => void): void {
  try {
    change()
  } catch (error) {
    expect(error).toMatchObject({ code })
  }
}

/** Rows of each registry of the chain; the chain by its definition: all reachable, bases later. */
function rowsFarFirst(registry: ComponentRegistry): Registration[][] {
  const order: ComponentRegistry[] = []
  const place = (one: ComponentRegistry): void => {
    if (order.includes(one)) return
    for (const base of [...one.bases].reverse()) place(base)
    order.push(one)
  }
  place(registry)
  return order.map((one) => [...one.table])
}

function best(
  rows: readonly Registration[][],
  kind: Registration['kind'],
  required: readonly Specification[],
  provided: Interface,
  name: string,
): Registration | undefined {
  for (const own of [...rows].reverse()) {
    const [first] = ranked(own, kind, required, provided, name)
    if (first !== undefined) return first
  }
  return undefined
}

/** Closest first, or last, by one comparable text for each row. */
function ranked(
  rows: readonly Registration[],
  kind: Registration['kind'],
  required: readonly Specification[],
  provided: Interface,
  name: string,
  direction: 1 | -1 = 1,
): Registration[] {
  const rank = (row: Registration): string =>
    [
      ...required.map((one, at) => one.resolutionOrder.indexOf(row.required[at]!) + 10),
      row.provided!.resolutionOrder.length + 10,
      row.provided!.name,
    ].join(' ')
  return rows
    .filter(
      (row) =>
        row.kind === kind &&
        row.name === name &&
        row.required.length === required.length &&
        row.required.every((one, at) => required[at]!.resolutionOrder.includes(one)) &&
        row.provided!.resolutionOrder.includes(provided),
    )
    .sort((a, b) => direction * rank(a).localeCompare(rank(b), 'en'))
}

test(`Lookups are never stale and agree with a naive search (SEED=${seed})`, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const world = new World()
      for (const one of steps) {
        world.take(one)
        world.check()
      }
    }),
    { seed, numRuns: 40 },
  )
})
