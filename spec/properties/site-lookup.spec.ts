import { afterEach, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  defineInterface,
  directlyProvides,
  type Interface,
  implementedBy,
  nameComponent,
  providedBy,
  type Requirable,
  type Specification,
} from '../../lib/component/index.js'
import type { RootFolder, Site } from '../../lib/content/index.js'
import { field, stored } from '../../lib/persistence/index.js'
import { currentTransaction } from '../../lib/transaction/index.js'
import {
  anOffice,
  closeDatabases,
  Employee,
  type TreeDatabase,
} from '../support/content-builders.js'

const IA = defineInterface('site-lookup.IA')
const IB = defineInterface('site-lookup.IB', { extends: [IA] })
const IC = defineInterface('site-lookup.IC', { extends: [IA] })
const interfaces: readonly Interface[] = [IA, IB, IC]
const names = ['', 'n'] as const
const SITES = ['NOAA', 'NWS', 'OUN'] as const
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

@stored('site-lookup.Badge')
class Badge extends Employee {
  @field accessor number = 0
}

/** Each makes itself known. */
const factories = Array.from({ length: 3 }, (_, at) =>
  nameComponent(`site-lookup.factory${at}`, () => ({ factory: at })),
)
const requirable: readonly Requirable[] = [IA, IB, IC, Employee, Badge]

afterEach(closeDatabases)

type Change =
  | {
      readonly do: 'registerUtility' | 'unregisterUtility'
      at: number
      provided: number
      name: number
    }
  | {
      readonly do: 'registerAdapter' | 'unregisterAdapter' | 'addSubscriber' | 'removeSubscriber'
      at: number
      required: number
      provided: number
      factory: number
    }
  | { readonly do: 'provide'; readonly interfaces: readonly number[] }

type Step =
  | { readonly do: 'transaction'; changes: readonly Change[]; end: 'commit' | 'abort' | 'rollback' }
  | { readonly do: 'read' | 'openReader' | 'closeReader' }

const index = (count: number) => fc.nat({ max: count - 1 })
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    do: fc.constantFrom('registerUtility', 'registerUtility', 'unregisterUtility'),
    at: index(3),
    provided: index(3),
    name: index(2),
  }),
  fc.record({
    do: fc.constantFrom(
      'registerAdapter',
      'registerAdapter',
      'unregisterAdapter',
      'addSubscriber',
      'removeSubscriber',
    ),
    at: index(3),
    required: index(requirable.length),
    provided: index(3),
    factory: index(factories.length),
  }),
  fc.record({ do: fc.constant('provide' as const), interfaces: fc.uniqueArray(index(3)) }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('transaction' as const),
      changes: fc.array(change, { minLength: 1, maxLength: 4 }),
      end: fc.constantFrom('commit', 'commit', 'abort', 'rollback'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('read', 'openReader', 'closeReader') }) },
)

/** A registration as it is remembered beside the database. */
interface Row {
  readonly at: number // the site, 0 the farthest
  readonly kind: 'utility' | 'adapter' | 'subscriber'
  readonly required: readonly Specification[]
  readonly provided: Interface
  readonly name: string
  readonly made: number // of a utility its badge, else its factory
}

/** What the database must hold. Never changed: a step makes the next one. */
interface Model {
  readonly rows: readonly Row[]
  readonly declared: readonly Interface[] // of the badge in the innermost site
}

const sitesIn = (root: RootFolder): readonly Site[] => {
  const found: Site[] = []
  for (const name of SITES) found.push((found.at(-1) ?? root).get(name) as Site)
  return found
}
const badgeIn = (root: RootFolder): Badge => sitesIn(root)[2]!.get('badge') as unknown as Badge

/** The look-ups of every site are those of the model, asked twice. */
function check(root: RootFolder, { rows, declared }: Model): void {
  const badge = badgeIn(root)
  expect(declared.every((one) => one.providedBy(badge))).toBe(true)
  const required = [providedBy(badge)]
  for (const [at, site] of sitesIn(root).entries()) {
    const { registry } = site.siteManager
    const nearestFirst = SITES.map((_, one) => rows.filter((row) => row.at === at - one))
    for (const provided of interfaces) {
      for (const name of [...names, ...names]) {
        const utility = best(nearestFirst, { kind: 'utility', required: [], provided, name })
        expect((registry.queryUtility(provided, { name }) as Badge | undefined)?.number).toBe(
          utility?.made,
        )
      }
      const adapter = best(nearestFirst, { kind: 'adapter', required, provided, name: '' })
      const made = adapter && { factory: adapter.made }
      const itself = provided.providedBy(badge)
      for (let time = 0; time < 2; time++) {
        const found = registry.queryAdapter(badge, provided)
        if (itself) expect(found === badge).toBe(true)
        else expect(found).toEqual(made)
        expect(registry.queryMultiAdapter([badge], provided)).toEqual(made)
        expect(registry.subscribers([badge], provided)).toEqual(
          nearestFirst
            .toReversed()
            .flatMap((own) =>
              matching(own, { kind: 'subscriber', required, provided, name: '' }).toReversed(),
            )
            .flatMap((same) => same.map((row) => ({ factory: row.made }))),
        )
      }
    }
  }
}

type Question = Pick<Row, 'kind' | 'required' | 'provided' | 'name'>

function best(nearestFirst: readonly Row[][], question: Question): Row | undefined {
  for (const own of nearestFirst) {
    const [closest] = matching(own, question)
    if (closest !== undefined) return closest[0]
  }
  return undefined
}

/** In groups, the closest first; in a group, in the order of registration. */
function matching(rows: readonly Row[], { kind, required, provided, name }: Question): Row[][] {
  const rank = (row: Row): string =>
    [
      ...row.required.map((one, at) => pad(required[at]!.resolutionOrder.indexOf(one))),
      pad(row.provided.resolutionOrder.length),
      row.provided.name,
    ].join()
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const isMatch =
      row.kind === kind &&
      row.name === name &&
      row.provided.resolutionOrder.includes(provided) &&
      row.required.every((one, at) => required[at]!.resolutionOrder.includes(one))
    if (isMatch) groups.set(rank(row), [...(groups.get(rank(row)) ?? []), row])
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, own]) => own)
}

const pad = (count: number): string => String(count).padStart(4, '0')

let badges = 0

/** Does the change in the database, and gives the model of what comes out. */
function take(root: RootFolder, { rows, declared }: Model, change: Change): Model {
  if (change.do === 'provide') {
    const wanted = change.interfaces.map((at) => interfaces[at]!)
    try {
      directlyProvides(badgeIn(root), ...wanted)
    } catch (error) {
      expect(error).toMatchObject({ code: 'COMPONENT_INCONSISTENT_ORDER' })
      return { rows, declared }
    }
    return { rows, declared: wanted }
  }
  const { registry } = sitesIn(root)[change.at]!.siteManager
  const provides = interfaces[change.provided]!
  const isLike = (row: Row, like: Omit<Row, 'made'>): boolean =>
    row.at === like.at &&
    row.kind === like.kind &&
    row.provided === like.provided &&
    row.name === like.name &&
    row.required[0] === like.required[0]
  const without = (like: Omit<Row, 'made'>, made?: number): readonly Row[] =>
    rows.filter((row) => !(isLike(row, like) && (made === undefined || row.made === made)))
  if ('name' in change) {
    const name = names[change.name]!
    const like = { at: change.at, kind: 'utility', required: [], provided: provides, name } as const
    if (change.do === 'registerUtility') {
      const badge = new Badge()
      badge.number = badges++
      registry.registerUtility(badge, { provides, name })
      return { declared, rows: [...without(like), { ...like, made: badge.number }] }
    }
    const isThere = rows.some((row) => isLike(row, like))
    expect(registry.unregisterUtility(undefined, { provides, name })).toBe(isThere)
    return { declared, rows: without(like) }
  }
  const requirement = requirable[change.required]!
  const place = { adapts: [requirement], provides }
  const factory = factories[change.factory]!
  const required = [
    typeof requirement === 'function' ? implementedBy(requirement) : (requirement as Specification),
  ]
  const kind = change.do.endsWith('Adapter') ? 'adapter' : 'subscriber'
  const like = { at: change.at, kind, required, provided: provides, name: '' } as const
  const added = { ...like, made: change.factory }
  switch (change.do) {
    case 'registerAdapter':
      registry.registerAdapter(factory, place)
      return { declared, rows: [...without(like), added] }
    case 'unregisterAdapter':
      registry.unregisterAdapter(undefined, place)
      return { declared, rows: without(like) }
    case 'addSubscriber':
      registry.registerSubscriber(factory, place)
      return { declared, rows: [...rows, added] }
    case 'removeSubscriber':
      registry.unregisterSubscriber(factory, place)
      return { declared, rows: without(like, change.factory) }
  }
}

/** A database, its model, and at most one view that stays open while others commit. */
class World {
  readonly #db: TreeDatabase
  #model: Model = { rows: [], declared: [] }
  #closeReader: (() => Promise<void>) | undefined

  static async make(): Promise<World> {
    const db = await anOffice()
    await db.transaction(({ root }) => void sitesIn(root)[2]!.set('badge', new Badge()))
    return new World(db)
  }

  private constructor(db: TreeDatabase) {
    this.#db = db
  }

  async take(step: Step): Promise<void> {
    if (step.do === 'transaction') await this.#transact(step)
    else if (step.do === 'openReader') await this.#openReader()
    else if (step.do === 'closeReader') await this.close()
    await this.#db.view(({ root }) => check(root, this.#model))
  }

  async #transact({ changes, end }: Step & { do: 'transaction' }): Promise<void> {
    const before = this.#model
    let after = before
    const work = this.#db.transaction(({ root }) => {
      check(root, before)
      const savepoint = end === 'rollback' ? currentTransaction()?.savepoint() : undefined
      for (const one of changes) {
        after = take(root, after, one)
        check(root, after)
      }
      if (end === 'abort') throw new Error('aborted')
      if (end !== 'rollback') return
      savepoint?.rollback()
      after = before
      check(root, before)
    })
    if (end === 'abort') await expect(work).rejects.toThrow('aborted')
    else await work
    if (end === 'commit') this.#model = after
  }

  async #openReader(): Promise<void> {
    if (this.#closeReader !== undefined) return
    const model = this.#model
    let close = (): void => {}
    const closing = new Promise<void>((resolve) => (close = resolve))
    const reading = this.#db.view(async ({ root }) => {
      check(root, model)
      await closing
      check(root, model)
    })
    this.#closeReader = () => {
      close()
      return reading
    }
  }

  async close(): Promise<void> {
    await this.#closeReader?.()
    this.#closeReader = undefined
  }
}

test(`Look-ups in sites are never stale and agree with a naive search (SEED=${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
      const world = await World.make()
      for (const one of steps) await world.take(one)
      await world.close()
      await closeDatabases()
    }),
    { seed, numRuns: 25 },
  )
})
