import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  alsoProvides,
  type Class,
  ComponentRegistry,
  defineInterface,
  type Interface,
  implementedBy,
  implementer,
  MemoryRegistrationTable,
  providedBy,
  type Registration,
  type RegistrationKind,
  type RegistrationQuery,
  type RegistrationTable,
  type Specification,
} from '../../lib/component/index.js'
import { Persistent, stored } from '../../lib/persistence/index.js'

const IA = defineInterface('table-contract.IA')
const IB = defineInterface('table-contract.IB', { extends: [IA] })
const IC = defineInterface('table-contract.IC', { extends: [IA] })
const ID = defineInterface('table-contract.ID', { extends: [IB, IC] })

@stored('table-contract.One')
class One extends Persistent {}
@stored('table-contract.Two')
@implementer(IB)
class Two extends One {}

const special = new Two()
alsoProvides(special, IC)
const objects: readonly Persistent[] = [new One(), new Two(), special]

const interfaces: readonly Interface[] = [IA, IB, IC, ID]
const requirable: readonly Specification[] = [
  ...interfaces,
  implementedBy(One as Class),
  implementedBy(Two as Class),
  providedBy(special),
]
const names = ['', 'a', 'ab', '__proto__'] as const
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** A table of the kind under test, filled and asked within `use`. */
export type WithTable = (use: (table: RegistrationTable) => void) => Promise<void>

/**
 * What every {@link RegistrationTable} does, told by `MemoryRegistrationTable`: the same rows give
 * the same answers. Components are persistent objects, which every table can keep.
 */
export function registrationTableContract(name: string, withTable: WithTable): void {
  describe(`${name} as a registration table`, () => {
    test('has every row, with the live specifications', () =>
      withTable((table) => {
        const rows = [
          aRow({ provided: ID, name: 'a', info: 'why' }),
          aRow({ kind: 'adapter', required: [requirable[4]!, requirable[6]!] }),
          aRow({ kind: 'handler', provided: undefined, required: [IA] }),
        ]
        for (const row of rows) table.add(row)
        expect(sorted(table)).toEqual(sorted(rows))
        for (const row of table) {
          const same = rows.find(({ kind }) => kind === row.kind)!
          expect(row.provided).toBe(same.provided)
          expect(row.component).toBe(same.component)
          row.required.forEach((one, at) => void expect(one).toBe(same.required[at]))
        }
      }))

    test('finds a row under each interface that what it provides extends', () =>
      withTable((table) => {
        table.add(aRow({ provided: ID }))
        for (const provided of interfaces) {
          expect([...table.candidates(aQuery({ provided }))]).toHaveLength(1)
        }
        const other = defineInterface(`table-contract.IOther${seed}.${Math.random()}`)
        expect([...table.candidates(aQuery({ provided: other }))]).toHaveLength(0)
      }))

    test('takes out a row once of several that are the same', () =>
      withTable((table) => {
        const row = aRow({ kind: 'subscriber', required: [IA] })
        table.add(row)
        table.add(aRow({ kind: 'subscriber', required: [IA], component: row.component }))
        table.remove([...table][0]!)
        expect([...table]).toHaveLength(1)
        expect([
          ...table.candidates(aQuery({ kind: 'subscriber', required: [providedBy(special)] })),
        ]).toHaveLength(1)
        table.remove([...table][0]!)
        expect([...table]).toEqual([])
      }))

    test('keeps rows apart that differ in one thing only', () =>
      withTable((table) => {
        const component = new One()
        const rows = [
          aRow({ component }),
          aRow({ component, name: 'a' }),
          aRow({ component, provided: IB }),
          aRow({ component, kind: 'subscriber', required: [IA] }),
          aRow({ component, kind: 'subscriber', required: [IA, IA] }),
          aRow({ component, kind: 'subscriber', required: [IB, IA] }),
          aRow({ component, kind: 'subscriber', required: [IA], info: 'again' }),
        ]
        for (const row of rows) table.add(row)
        for (const [at, row] of rows.entries()) {
          table.remove(row)
          expect(sorted(table)).toEqual(sorted(rows.slice(at + 1)))
        }
      }))

    test('gives rows of the same requirement in the order of registration', () =>
      withTable((table) => {
        const rows = Array.from({ length: 12 }, (_, at) =>
          aRow({ kind: 'handler', provided: undefined, required: [IA], info: `nr ${at}` }),
        )
        for (const row of rows.slice(0, 11)) table.add(row)
        table.remove(rows[3]!)
        table.add(rows[11]!)
        const query = aQuery({ kind: 'handler', provided: undefined, required: [IA] })
        const expected = rows.filter((_, at) => at !== 3).map(({ info }) => info)
        expect([...table.candidates(query)].map(({ info }) => info)).toEqual(expected)
      }))

    test(`answers as a table in memory does, whatever was added and removed (seed ${seed})`, () =>
      fc.assert(
        fc.asyncProperty(fc.array(aStep(), { maxLength: 25 }), (steps) =>
          withTable((table) => {
            const inMemory = new MemoryRegistrationTable()
            for (const step of steps) {
              for (const one of [table, inMemory]) take(step, one)
              expect(sorted(table)).toEqual(sorted(inMemory))
            }
            expect(answers(table)).toEqual(answers(inMemory))
          }),
        ),
        { seed, numRuns: 60 },
      ))
  })
}

type Step = { readonly add: Registration } | { readonly removeAt: number }

function aStep(): fc.Arbitrary<Step> {
  const kind = fc.constantFrom<RegistrationKind>('utility', 'adapter', 'subscriber', 'handler')
  const row = fc
    .record({
      kind,
      required: fc.array(fc.constantFrom(...requirable), { minLength: 1, maxLength: 2 }),
      provided: fc.constantFrom(...interfaces),
      name: fc.constantFrom(...names),
      component: fc.constantFrom(...objects),
      info: fc.constantFrom('', 'why'),
    })
    .map((made): Registration => {
      const isNamed = made.kind === 'utility' || made.kind === 'adapter'
      return {
        ...made,
        required: made.kind === 'utility' ? [] : made.required,
        provided: made.kind === 'handler' ? undefined : made.provided,
        name: isNamed ? made.name : '',
      }
    })
  return fc.oneof(
    { weight: 3, arbitrary: row.map((add) => ({ add })) },
    { weight: 1, arbitrary: fc.record({ removeAt: fc.nat(24) }) },
  )
}

/** As registries use tables: a utility or adapter that is replaced is removed before. */
function take(step: Step, table: RegistrationTable): void {
  if ('add' in step) {
    const { add } = step
    if (add.kind === 'utility' || add.kind === 'adapter') {
      for (const row of [...table]) if (identity(row) === identity(add)) table.remove(row)
    }
    table.add(add)
    return
  }
  const rows = [...table].sort((one, other) => (text(one) < text(other) ? -1 : 1))
  const row = rows[step.removeAt % Math.max(rows.length, 1)]
  if (row !== undefined) table.remove(row)
}

/** Every answer that a registry over the table can give of these objects. */
function answers(table: RegistrationTable): unknown[] {
  const registry = new ComponentRegistry({ name: 'a registry', table })
  const component = (one: unknown): number => objects.indexOf(one as Persistent)
  const found: unknown[] = []
  for (const provided of interfaces) {
    found.push(registry.getUtilitiesFor(provided).map(([name, one]) => [name, component(one)]))
    found.push(registry.getAllUtilitiesRegisteredFor(provided).map(component))
    for (const name of names) found.push(component(registry.queryUtility(provided, { name })))
  }
  const asked = objects.map(providedBy)
  const pairs = asked.flatMap((one) => [[one], ...asked.map((other) => [one, other])])
  for (const required of pairs) {
    for (const kind of ['subscriber', 'handler'] as const) {
      for (const provided of kind === 'handler' ? [undefined] : interfaces) {
        found.push(matching(table, { kind, required, provided, name: '' }))
      }
    }
    for (const provided of interfaces) {
      for (const name of names) {
        found.push(matching(table, { kind: 'adapter', required, provided, name }))
      }
    }
  }
  return found
}

/** Of the candidates those that match: a table may give more, and orders only rows of one place. */
function matching(table: RegistrationTable, query: RegistrationQuery): unknown {
  const places = new Map<string, string[]>()
  for (const row of table.candidates(query)) {
    const isMatch =
      row.kind === query.kind &&
      row.name === query.name &&
      row.required.length === query.required.length &&
      (query.provided === undefined || row.provided?.extendsOrIs(query.provided) === true) &&
      row.required.every((one, at) => query.required[at]?.extendsOrIs(one))
    if (!isMatch) continue
    const place = places.get(identity(row))
    if (place === undefined) places.set(identity(row), [text(row)])
    else place.push(text(row))
  }
  return [...places].sort(([one], [other]) => (one < other ? -1 : 1))
}

function identity({ kind, required, provided, name }: Registration): string {
  return [kind, required.map(({ id }) => id).join(), provided?.name, name].join('|')
}

function text(row: Registration): string {
  return `${identity(row)}|${objects.indexOf(row.component as Persistent)}|${row.info}`
}

function sorted(rows: Iterable<Registration>): string[] {
  return Array.from(rows, text).sort()
}

function aRow(fields: Partial<Registration>): Registration {
  return {
    kind: 'utility',
    required: [],
    provided: IA,
    name: '',
    component: objects[0],
    info: '',
    ...fields,
  }
}

function aQuery(fields: Partial<RegistrationQuery>): RegistrationQuery {
  return { kind: 'utility', required: [], provided: IA, name: '', ...fields }
}
