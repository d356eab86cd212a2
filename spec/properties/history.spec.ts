import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  BTree,
  type ObjectDatabase,
  oidOf,
  type Tid,
  type TransactionContext,
  treeCheck,
  UndoError,
} from '../../lib/persistence/index.js'
import { aHistoricalDatabase } from '../support/history-builders.js'
import { Office } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/**
 * The reference: offices with a city and numbered entries. Fields of an office are one thing, each
 * key of it another, which is how undo sees them.
 */
type Thing = string // `office city`, or `office#key`
type Model = ReadonlyMap<Thing, unknown>

type Deed =
  | { readonly do: 'set'; readonly office: number; readonly from: number; readonly count: number }
  | {
      readonly do: 'delete'
      readonly office: number
      readonly from: number
      readonly count: number
    }
  | { readonly do: 'clear'; readonly office: number }
  | { readonly do: 'move'; readonly office: number; readonly city: string }
  | { readonly do: 'same'; readonly office: number }

const office = fc.integer({ min: 0, max: 2 })
const range = {
  office,
  from: fc.integer({ min: 0, max: 120 }),
  count: fc.integer({ min: 1, max: 60 }),
}
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), ...range }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('delete' as const), ...range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), office }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      office,
      city: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('same' as const), office }) },
)

const KEYS = 200
const key = (n: number): string => `k${String(n).padStart(3, '0')}`

let written = 0

function keysOf(it: { readonly from: number; readonly count: number }): number[] {
  return Array.from({ length: it.count }, (_, index) => (it.from + index) % KEYS)
}

/** Deeds with the values that they write, none of which was written before. */
function withValues(deeds: readonly Deed[]): (readonly [Deed, number])[] {
  return deeds.map((it) => [it, ++written])
}

function doReally(offices: BTree<number, Office>, it: Deed, value: number): void {
  const one = offices.get(it.office) as Office
  if (it.do === 'set') for (const n of keysOf(it)) one.set(key(n), value)
  else if (it.do === 'delete') for (const n of keysOf(it)) one.delete(key(n))
  else if (it.do === 'clear') one.clear()
  else if (it.do === 'move') one.city = it.city
  else one.city = `${one.city}`
}

function doInModel(model: Map<Thing, unknown>, it: Deed, value: number): void {
  const place = (n: number): Thing => `${it.office}#${key(n)}`
  if (it.do === 'set') for (const n of keysOf(it)) model.set(place(n), value)
  else if (it.do === 'delete') for (const n of keysOf(it)) model.delete(place(n))
  else if (it.do === 'clear') {
    for (const thing of [...model.keys()])
      if (thing.startsWith(`${it.office}#`)) model.delete(thing)
  } else if (it.do === 'move') model.set(`${it.office} city`, it.city)
}

function read(offices: BTree<number, Office>): Model {
  const model = new Map<Thing, unknown>()
  for (const [name, one] of offices.entries()) {
    model.set(`${name} city`, one.city)
    for (const [at, value] of one.entries()) model.set(`${name}#${at}`, value)
    expect(one.size).toBe([...one.keys()].length)
    expect(treeCheck(one)).toEqual([])
  }
  return model
}

const sorted = (model: Model) => [...model].sort(([one], [other]) => (one < other ? -1 : 1))

async function aWorld(): Promise<{ db: ObjectDatabase; first: Model }> {
  const db = await aHistoricalDatabase()
  await db.transaction(({ rootMapping }) => {
    const offices = new BTree<number, Office>()
    for (const name of [0, 1, 2]) offices.set(name, new Office())
    rootMapping.set('offices', offices)
  })
  return { db, first: await db.view((context) => read(officesOf(context))) }
}

function officesOf({
  rootMapping,
}: Pick<TransactionContext, 'rootMapping'>): BTree<number, Office> {
  return rootMapping.get('offices') as BTree<number, Office>
}

/** What a transaction did to each thing: before and after. */
type Changes = ReadonlyMap<Thing, readonly [unknown, unknown]>

function changes(before: Model, after: Model): Changes {
  const found = new Map<Thing, readonly [unknown, unknown]>()
  for (const thing of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [before.get(thing), after.get(thing)]
    if (one !== other) found.set(thing, [one, other])
  }
  return found
}

/** The reference for an undo: the model after it, or the things in conflict. */
function undoInModel(
  now: Model,
  undone: readonly Changes[],
): { model: Model; conflicts: Set<Thing> } {
  const model = new Map(now)
  const conflicts = new Set<Thing>()
  for (const one of undone) {
    for (const [thing, [before, after]] of one) {
      const current = model.get(thing)
      if (current === before) continue
      if (current !== after) conflicts.add(thing)
      else if (before === undefined) model.delete(thing)
      else model.set(thing, before)
    }
  }
  return { model, conflicts }
}

const transactions = fc.array(fc.array(deed, { minLength: 1, maxLength: 4 }), {
  minLength: 2,
  maxLength: 12,
})

test('a database read at any of its commits is what it was then', async () => {
  await fc.assert(
    fc.asyncProperty(transactions, fc.boolean(), async (all, isCold) => {
      const { db, first } = await aWorld()
      const history = new Map<Tid, Model>([[db.lastTid, first]])
      let model = first
      for (const deeds of all.map(withValues)) {
        const next = new Map(model)
        await db.transaction((context) => {
          for (const [it, value] of deeds) doReally(officesOf(context), it, value)
        })
        for (const [it, value] of deeds) doInModel(next, it, value)
        history.set(db.lastTid, next)
        model = next
      }
      if (isCold) {
        await db.storage.checkpoint()
        db.cacheClear()
      }
      for (const [tid, then] of history) {
        await db.at(tid, (context) =>
          expect(sorted(read(officesOf(context)))).toEqual(sorted(then)),
        )
      }
      await db.view((context) => expect(sorted(read(officesOf(context)))).toEqual(sorted(model)))
      await db.close()
    }),
    { numRuns: 25, seed },
  )
})

test('an undo gives what the reference gives, or names exactly what stands in its way', async () => {
  await fc.assert(
    fc.asyncProperty(
      transactions,
      fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      async (all, undos) => {
        const { db, first } = await aWorld()
        const done: { tid: Tid; changes: Changes }[] = []
        let model = first
        let last = db.lastTid
        const note = (next: Model): void => {
          if (last !== db.lastTid) done.push({ tid: db.lastTid, changes: changes(model, next) })
          last = db.lastTid
          model = next
        }
        for (const deeds of all.map(withValues)) {
          const next = new Map(model)
          await db.transaction((context) => {
            for (const [it, value] of deeds) doReally(officesOf(context), it, value)
          })
          for (const [it, value] of deeds) doInModel(next, it, value)
          note(next)
        }
        if (done.length === 0) undos = []
        for (const picks of undos) {
          const chosen = [...new Set(picks.map((pick) => pick % done.length))].sort((a, b) => b - a)
          const picked = chosen.map((index) => done[index] as (typeof done)[number])
          const expected = undoInModel(
            model,
            picked.map((one) => one.changes),
          )
          const failure = await db.undo(picked.map(({ tid }) => tid)).then(
            () => undefined,
            (error: unknown) => error,
          )
          expect(await thingsIn(db, failure)).toEqual(expected.conflicts)
          if (failure === undefined) note(expected.model)
          await db.view((context) =>
            expect(sorted(read(officesOf(context)))).toEqual(sorted(model)),
          )
        }
        await db.close()
      },
    ),
    { numRuns: 60, seed },
  )
})

/** The things that an undo names as being in its way. */
async function thingsIn(db: ObjectDatabase, failure: unknown): Promise<Set<Thing>> {
  if (failure === undefined) return new Set()
  if (!(failure instanceof UndoError)) throw failure
  return db.view((context) => {
    const names = new Map(
      [...officesOf(context).entries()].map(([name, one]) => [oidOf(one), name]),
    )
    return new Set(
      failure.conflicts.map(({ oid, key: at }) =>
        at === undefined ? `${names.get(oid)} city` : `${names.get(oid)}#${String(at)}`,
      ),
    )
  })
}
