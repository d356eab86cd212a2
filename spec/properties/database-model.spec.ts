import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { codeOf } from '../../lib/foundation/index.js'
import type { BTree, ObjectDatabase } from '../../lib/persistence/index.js'
import { aConnection, aMemoryPlace, Employee } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** What the reference knows of one employee. */
interface Row {
  /** One for each employee, so that one set anew under an old name is another. */
  readonly id: object
  title: string
  readonly phones: readonly string[]
  boss: string | undefined
}
type Model = Map<string, Row>

interface Real {
  db: ObjectDatabase
  readonly reopen: () => Promise<ObjectDatabase>
}

type Deed =
  | { readonly do: 'set' | 'retitle' | 'call'; readonly name: string; readonly text: string }
  | { readonly do: 'promote'; readonly name: string; readonly boss: string }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'clear' }

const name = fc.integer({ min: 0, max: 90 }).map((n) => `e${n}`)
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('set' as const, 'retitle' as const, 'call' as const),
      name,
      text: fc.string({ maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('promote' as const), name, boss: name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
)

type Root = BTree<string, Employee>

function doItReally(root: Root, it: Deed): void {
  if (it.do === 'clear') root.clear()
  else if (it.do === 'delete') root.delete(it.name)
  else if (it.do === 'set') root.set(it.name, new Employee({ title: it.text }))
  else changeReally(root, it)
}

function changeReally(root: Root, it: Exclude<Deed, { do: 'clear' | 'delete' }>): void {
  const employee = root.get(it.name)
  if (employee === undefined) return
  if (it.do === 'promote') employee.boss = root.get(it.boss)
  else if (it.do === 'retitle') employee.title = it.text
  else employee.phones.push(it.text)
}

/** A boss is known by its title at the time of looking: only those still in the tree are compared. */
function doItInModel(model: Model, it: Deed): void {
  if (it.do === 'clear') model.clear()
  else if (it.do === 'delete') model.delete(it.name)
  else if (it.do === 'set') {
    model.set(it.name, { id: {}, title: it.text, phones: [], boss: undefined })
  } else changeInModel(model, it)
}

function changeInModel(model: Model, it: Exclude<Deed, { do: 'clear' | 'delete' }>): void {
  const row = model.get(it.name)
  if (row === undefined) return
  if (it.do === 'promote') row.boss = model.has(it.boss) ? it.boss : undefined
  else if (it.do === 'retitle') row.title = it.text
  else model.set(it.name, { ...row, phones: [...row.phones, it.text] })
}

const copyOf = (model: Model): Model => new Map([...model].map(([key, row]) => [key, { ...row }]))

function replace(model: Model, by: Model): void {
  model.clear()
  for (const [key, row] of by) model.set(key, row)
}

const rootOf = (context: { readonly rootMapping: BTree }): Root =>
  context.rootMapping as unknown as Root

async function check(model: Model, { db }: Real): Promise<void> {
  await db.view((context) => {
    const root = rootOf(context)
    expect(root.size).toBe(model.size)
    expect([...root].map(([key, { title, phones }]) => [key, title, [...phones]])).toEqual(
      [...model]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { title, phones }]) => [key, title, phones]),
    )
    for (const [key, { boss }] of model) {
      if (boss === undefined) expect(root.get(key)!.boss).toBeUndefined()
    }
  })
}

class Commit implements fc.AsyncCommand<Model, Real> {
  readonly deeds: readonly Deed[]

  constructor(deeds: readonly Deed[]) {
    this.deeds = deeds
  }
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    await real.db.transaction((context) => {
      for (const it of this.deeds) doItReally(rootOf(context), it)
    })
    for (const it of this.deeds) doItInModel(model, it)
    await check(model, real)
  }
  toString = () => `commit(${JSON.stringify(this.deeds)})`
}

class Abort extends Commit {
  override async run(model: Model, real: Real): Promise<void> {
    const aborted = real.db.transaction((context) => {
      for (const it of this.deeds) doItReally(rootOf(context), it)
      throw new Error('aborted')
    })
    await expect(aborted).rejects.toThrow('aborted')
    await check(model, real)
  }
  override toString = () => `abort(${JSON.stringify(this.deeds)})`
}

/** Two transactions from one instant: the first commits; the second commits on top, or conflicts. */
class Race extends Commit {
  readonly rival: readonly Deed[]

  constructor(deeds: readonly Deed[], rival: readonly Deed[]) {
    super(deeds)
    this.rival = rival
  }
  override async run(model: Model, real: Real): Promise<void> {
    const { connection, transactions } = aConnection(real.db)
    transactions.begin()
    for (const it of this.rival) doItReally(rootOf(connection), it)
    await real.db.transaction((context) => {
      for (const it of this.deeds) doItReally(rootOf(context), it)
    })
    const since = copyOf(model)
    for (const it of this.deeds) doItInModel(model, it)
    try {
      await transactions.commit()
      expect(mustConflict(this.deeds, this.rival)).toBe(false)
      replace(model, merged(since, model, this.rival))
    } catch (error) {
      expect(codeOf(error)).toBe('STORAGE_CONFLICT')
      expect(mayConflict(this.deeds, this.rival)).toBe(true)
      await transactions.abort()
    }
    connection.close()
    await check(model, real)
  }
  override toString = () => `race(${JSON.stringify([this.deeds, this.rival])})`
}

/** What the rival wrote, by name, in place of what the others left there. */
function merged(since: Model, newest: Model, rival: readonly Deed[]): Model {
  const mine = copyOf(since)
  for (const it of rival) doItInModel(mine, it)
  const result = copyOf(newest)
  for (const it of rival) {
    for (const touched of it.do === 'clear' ? [...since.keys(), ...mine.keys()] : [it.name]) {
      const row = mine.get(touched)
      const before = since.get(touched)
      if (row === undefined) {
        if (before !== undefined) result.delete(touched)
      } else if (row.id !== before?.id || row.id === result.get(touched)?.id)
        result.set(touched, row)
    }
  }
  return result
}

/** Only what both name can make them conflict. */
function mayConflict(one: readonly Deed[], other: readonly Deed[]): boolean {
  const names = (deeds: readonly Deed[]) =>
    new Set(deeds.flatMap((it) => ('name' in it ? [it.name] : [])))
  const clears = (deeds: readonly Deed[]) => deeds.some((it) => it.do === 'clear')
  if (clears(one) || clears(other)) return true
  const mine = names(one)
  return [...names(other)].some((it) => mine.has(it))
}

/** Both set one name. */
function mustConflict(one: readonly Deed[], other: readonly Deed[]): boolean {
  const set = (deeds: readonly Deed[]) => deeds.flatMap((it) => (it.do === 'set' ? [it.name] : []))
  return set(one).some((it) => set(other).includes(it))
}

class Reopen implements fc.AsyncCommand<Model, Real> {
  check = () => true
  async run(model: Model, real: Real): Promise<void> {
    await real.db.close()
    real.db = await real.reopen()
    await check(model, real)
  }
  toString = () => 'reopen'
}

test('the database equals a Map that is copied at each begin', async () => {
  const deeds = fc.array(deed, { maxLength: 30 })
  const commands = fc.commands(
    [
      deeds.map((it) => new Commit(it)),
      deeds.map((it) => new Abort(it)),
      fc
        .tuple(fc.array(deed, { maxLength: 4 }), fc.array(deed, { maxLength: 4 }))
        .map(([it, rival]) => new Race(it, rival)),
      fc.constant(new Reopen()),
    ],
    { maxCommands: 25 },
  )
  await fc.assert(
    fc.asyncProperty(commands, async (todo) => {
      const reopen = aMemoryPlace()
      const real: Real = { db: await reopen({ cacheBytes: 20_000, cacheObjects: 20 }), reopen }
      const setup = (): { model: Model; real: Real } => ({ model: new Map(), real })
      await fc.asyncModelRun(setup, todo)
      await real.db.close()
    }),
    { seed, numRuns: 80 },
  )
}, 120_000)
