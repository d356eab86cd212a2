import type {
  Interface,
  Registration,
  RegistrationKind,
  RegistrationQuery,
  RegistrationTable,
  Specification,
} from './interfaces.js'
import { IAny } from './specification.js'

/**
 * Which rows answer a question, and in which order. Pure: reads the tables, remembers nothing.
 *
 * | ask            | answer                                                                        |
 * | -------------- | ----------------------------------------------------------------------------- |
 * | `utility`      | the row of the nearest table that has one, of these the closest; or none      |
 * | `adapter`      | the same                                                                      |
 * | `adapters`     | as `utilities`                                                                |
 * | `itselfOrAdapter` | a row that gives the object when it provides what is asked, else as `adapter` |
 * | `utilities`    | one row for each name, the nearest and closest, by name                       |
 * | `allUtilities` | the rows of the farthest table first; in it the most specific provided first  |
 * | `subscriber`   | the rows of the farthest table first; in it the least specific required first |
 * | `handler`      | the same                                                                      |
 *
 * Closest: the first object decides, by its resolution order, then the second and so on; then the
 * least extended provided interface, and of two unrelated ones the first by name.
 *
 * @param tables - nearest first.
 * @see `zope.interface.adapter`: `_lookup`, `_lookupAll`, `_subscriptions`
 * @internal
 */
export function searchRegistrations(
  tables: readonly RegistrationTable[],
  question: RegistrationQuestion,
): readonly Registration[] {
  switch (question.ask) {
    case 'utility':
    case 'adapter':
      return nearest(tables, question)
    case 'itselfOrAdapter':
      return isProvided(question) ? ITSELF : nearest(tables, question)
    case 'utilities':
    case 'adapters':
      return nearestByName(tables, question)
    case 'allUtilities':
      return tables.toReversed().flatMap((table) => withoutRepeats(farFirst(table, question)))
    case 'subscriber':
    case 'handler':
      return tables.toReversed().flatMap((table) => farFirst(table, question))
  }
}

/** @internal */
export interface RegistrationQuestion {
  readonly ask: Ask
  readonly required: readonly Specification[]
  readonly provided: Interface | undefined
  readonly name: string
}

function isProvided({ required: [first], provided }: RegistrationQuestion): boolean {
  return provided !== undefined && first?.extendsOrIs(provided) === true
}

/** Of no table: what is provided needs no adapter. */
const ITSELF: readonly Registration[] = [
  {
    kind: 'adapter',
    required: [IAny],
    provided: undefined,
    name: '',
    component: (object: unknown) => object,
    info: 'an object adapts to what it provides',
  },
]

type Ask =
  | 'utility'
  | 'utilities'
  | 'allUtilities'
  | 'adapter'
  | 'adapters'
  | 'itselfOrAdapter'
  | 'subscriber'
  | 'handler'

const KIND_OF: Readonly<Record<Ask, RegistrationKind>> = {
  utility: 'utility',
  utilities: 'utility',
  allUtilities: 'utility',
  adapter: 'adapter',
  adapters: 'adapter',
  itselfOrAdapter: 'adapter',
  subscriber: 'subscriber',
  handler: 'handler',
}

/** What is asked for every name. */
const OF_ALL_NAMES: ReadonlySet<Ask> = new Set<Ask>(['utilities', 'allUtilities', 'adapters'])

function nearest(
  tables: readonly RegistrationTable[],
  question: RegistrationQuestion,
): readonly Registration[] {
  for (const table of tables) {
    const [closest] = closestFirst(table, question)
    if (closest !== undefined) return [closest]
  }
  return []
}

function nearestByName(
  tables: readonly RegistrationTable[],
  question: RegistrationQuestion,
): readonly Registration[] {
  const byName = new Map<string, Registration>()
  for (const table of tables) {
    for (const row of closestFirst(table, question)) {
      if (!byName.has(row.name)) byName.set(row.name, row)
    }
  }
  return [...byName.values()].sort((a, b) => compareText(a.name, b.name))
}

/** zope subscribes a utility once, under however many names it is registered. */
function withoutRepeats(rows: readonly Registration[]): readonly Registration[] {
  const seen = new Map<Interface | undefined, Set<unknown>>()
  return rows.filter(({ provided, component }) => {
    const components = seen.get(provided) ?? new Set()
    seen.set(provided, components)
    return !components.has(component) && components.add(component)
  })
}

function closestFirst(
  table: RegistrationTable,
  question: RegistrationQuestion,
): readonly Registration[] {
  return matches(table, question)
    .sort((a, b) => compareDistance(a, b))
    .map(({ row }) => row)
}

function farFirst(
  table: RegistrationTable,
  question: RegistrationQuestion,
): readonly Registration[] {
  const byName = question.ask === 'allUtilities'
  return matches(table, question)
    .sort((a, b) => compareDistance(b, a) || (byName ? compareText(a.row.name, b.row.name) : 0))
    .map(({ row }) => row)
}

interface Match {
  readonly row: Registration
  readonly distances: readonly number[] // for each required, its place in the object's order
}

function matches(table: RegistrationTable, question: RegistrationQuestion): Match[] {
  const found: Match[] = []
  const { ask, required, provided, name } = question
  const orders = required.map(({ resolutionOrder }) => resolutionOrder)
  const kind = KIND_OF[ask]
  const query: RegistrationQuery = OF_ALL_NAMES.has(ask)
    ? { kind, required, provided }
    : { kind, required, provided, name }
  for (const row of table.candidates(query)) {
    if (row.kind !== query.kind || row.required.length !== orders.length) continue
    if (query.name !== undefined && row.name !== query.name) continue
    if (provided !== undefined && row.provided?.extendsOrIs(provided) !== true) continue
    const distances = orders.map((order, index) => order.indexOf(row.required[index]!))
    if (!distances.includes(-1)) found.push({ row, distances })
  }
  return found
}

function compareDistance(a: Match, b: Match): number {
  for (const [index, distance] of a.distances.entries()) {
    const difference = distance - b.distances[index]!
    if (difference !== 0) return difference
  }
  return compareProvided(a.row.provided, b.row.provided)
}

/** An interface's order is longer than that of each it extends, so its length sorts them. */
function compareProvided(a: Interface | undefined, b: Interface | undefined): number {
  if (a === undefined || b === undefined || a === b) return 0
  return a.resolutionOrder.length - b.resolutionOrder.length || compareText(a.name, b.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
