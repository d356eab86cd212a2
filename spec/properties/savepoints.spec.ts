import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { codeOf } from '../../lib/foundation/index.js'
import { BTree, type Connection, oidOf } from '../../lib/persistence/index.js'
import type { Savepoint } from '../../lib/transaction/index.js'
import { aConnection, aDatabase, Employee } from '../support/persistence-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** The nested value of each employee. */
interface Data {
  list: { n: number }[]
  map: Map<string, number[]>
  set: Set<number>
  at: Date
}
const aData = (n: number): Data => ({
  list: [{ n }, { n: n + 1 }],
  map: new Map([['k', [n]]]),
  set: new Set([n]),
  at: new Date(n),
})

/** What the reference knows: copied at each savepoint and put back at each rollback. */
interface Model {
  /** Those with which the transaction began. */
  readonly staff: {
    title: string
    data: Data /** Rises with each assignment of `data`. */
    id: number
    /** The title of the boss's boss; both come new, and are never added. */
    boss: string | undefined
  }[]
  readonly tree: Map<number, number>
  readonly added: Set<number>
}

/** The same from the real database, and what the program holds of it since the beginning. */
interface Real {
  readonly connection: Connection
  readonly staff: Employee[]
  readonly held: { id: number; data: Data; first: { n: number }; inMap: number[]; at: Date }[]
  readonly tree: BTree<number, number>
  readonly added: Employee[]
}

const STAFF = 3
const who = fc.nat(STAFF - 1)
const small = fc.nat(60)
const deed = fc.oneof(
  fc.record({ do: fc.constant('title' as const), who, n: small }),
  fc.record({ do: fc.constant('assign' as const), who, n: small }),
  fc.record({
    do: fc.constantFrom('push', 'shift', 'reverse', 'first', 'inMap', 'inSet', 'at', 'map'),
    who,
    n: small,
  }),
  fc.record({ do: fc.constantFrom('hire', 'call', 'fire'), who, n: small }),
  fc.record({ do: fc.constantFrom('set', 'delete'), n: small }),
  fc.record({ do: fc.constantFrom('fill', 'clear'), n: small }),
  fc.record({ do: fc.constantFrom('add', 'minimize'), n: small }),
)
type Deed = { readonly do: string; readonly who?: number; readonly n: number }
type Step = Deed | { readonly do: 'savepoint' } | { readonly do: 'rollback'; readonly to: number }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: deed as fc.Arbitrary<Step> },
  { weight: 2, arbitrary: fc.constant({ do: 'savepoint' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('rollback' as const), to: fc.nat(20) }) },
)

function changeData(data: Data, { do: what, n }: Deed): void {
  if (what === 'push') data.list.push({ n })
  else if (what === 'shift') data.list.shift()
  else if (what === 'reverse') data.list.reverse()
  else if (what === 'first' && data.list[0] !== undefined) data.list[0].n = n
  else if (what === 'inMap') data.map.get('k')?.push(n)
  else if (what === 'map') data.map.set(`m${n % 3}`, [n])
  else if (what === 'inSet') data.set.has(n % 5) ? data.set.delete(n % 5) : data.set.add(n % 5)
  else if (what === 'at') data.at.setTime(n)
}

function changeTree(
  tree: BTree<number, number> | Map<number, number>,
  { do: what, n }: Deed,
): void {
  if (what === 'set') tree.set(n, n)
  else if (what === 'delete') tree.delete(n)
  else if (what === 'clear') tree.clear()
  else if (what === 'fill') for (let k = n; k < n + 70; k++) tree.set(k, n)
}

function doIt(model: Model, real: Real, it: Deed): void {
  changeTree(model.tree, it)
  changeTree(real.tree, it)
  if (it.do === 'minimize') real.connection.cacheMinimize()
  if (it.do === 'add') {
    model.added.add(real.added.length)
    const added = new Employee({ data: it.n })
    real.connection.add(added)
    real.added.push(added)
  }
  if (it.who === undefined) return
  const [row, employee] = [model.staff[it.who]!, real.staff[it.who]!]
  if (it.do === 'title') {
    row.title = String(it.n)
    employee.title = String(it.n)
  } else if (it.do === 'hire') {
    row.boss = String(it.n)
    employee.boss = new Employee({ boss: new Employee({ title: row.boss }) })
  } else if (it.do === 'call') {
    if (row.boss !== undefined) row.boss = `called ${it.n}`
    if (employee.boss !== undefined) employee.boss.boss!.title = `called ${it.n}`
  } else if (it.do === 'fire') {
    row.boss = undefined
    employee.boss = undefined
  } else if (it.do === 'assign') {
    row.data = aData(it.n)
    row.id = ++lastId
    employee.data = aData(it.n)
  } else {
    changeData(row.data, it)
    changeData(employee.data as Data, it)
  }
}
let lastId = 0

const copyOf = (model: Model): Model => structuredClone(model)

/** What is seen through the objects, and through what was handed out at the beginning. */
function check(model: Model, real: Real): void {
  model.staff.forEach(({ title, data, id, boss }, index) => {
    const [employee, held] = [real.staff[index]!, real.held[index]!]
    expect([employee.title, dataOf(employee.data as Data)]).toEqual([title, dataOf(data)])
    expect(employee.boss?.boss?.title).toBe(boss)
    if (held.id !== id) return
    expect(employee.data).toBe(held.data)
    expect((employee.data as Data).at).toBe(held.at)
    expect(held.data.map.get('k')).toBe(held.inMap)
  })
  expect([real.tree.size, [...real.tree]]).toEqual([
    model.tree.size,
    [...model.tree].sort(([a], [b]) => a - b),
  ])
  expect(real.added.map((added) => oidOf(added) !== undefined)).toEqual(
    real.added.map((_, index) => model.added.has(index)),
  )
}

const dataOf = ({ list, map, set, at }: Data) => ({
  list: list.map(({ n }) => n),
  map: [...map].map(([key, items]) => [key, [...items]]),
  set: [...set],
  at: at.getTime(),
})

/** What is held is written to where it is current, and says what to do where it is not. */
function writeHeld(model: Model, real: Real): void {
  model.staff.forEach(({ data, id }, index) => {
    const held = real.held[index]!
    if (held.id === id) {
      held.inMap.push(1)
      data.map.get('k')?.push(1)
    } else {
      let code: string | undefined
      try {
        held.inMap.push(1)
      } catch (error) {
        code = codeOf(error)
      }
      expect(code).toBe('PERSISTENCE_OUTSIDE_TRANSACTION')
    }
  })
}

function begin(connection: Connection): { real: Real; model: Model } {
  const root = connection.rootMapping
  const staff = Array.from({ length: STAFF }, (_, n) => root.get(`e${n}`) as Employee)
  const tree = root.get('tree') as unknown as BTree<number, number>
  const held = staff.map((employee) => {
    const data = employee.data as Data
    const [first] = data.list as [{ n: number }]
    return { id: 0, data, first, inMap: data.map.get('k')!, at: data.at }
  })
  return {
    real: { connection, staff, held, tree, added: [] },
    model: {
      staff: staff.map(({ title, data, boss }) => {
        const { list, map, set, at } = dataOf(data as Data)
        return {
          title,
          id: 0,
          boss: boss?.boss?.title,
          data: {
            list: list.map((n) => ({ n })),
            map: new Map(map as [string, number[]][]),
            set: new Set(set),
            at: new Date(at),
          },
        }
      }),
      tree: new Map(tree),
      added: new Set(),
    },
  }
}

test('a transaction with savepoints equals a model that is copied at each', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          steps: fc.array(step, { maxLength: 40 }),
          end: fc.constantFrom('commit', 'abort'),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      fc.constantFrom({}, { cacheBytes: 1 }, { cacheObjects: 3 }),
      async (runs, options) => {
        const db = await aDatabase(options)
        await db.transaction(({ rootMapping }) => {
          for (let n = 0; n < STAFF; n++) rootMapping.set(`e${n}`, new Employee({ data: aData(n) }))
          rootMapping.set('tree', new BTree<number, number>())
        })
        const { connection, transactions } = aConnection(db)
        for (const { steps, end } of runs) {
          const transaction = transactions.begin()
          const began = begin(connection)
          const { real } = began
          let { model } = began
          const since = copyOf(model)
          const savepoints: { savepoint: Savepoint; model: Model }[] = []
          for (const it of steps) {
            if (it.do === 'savepoint') {
              savepoints.push({ savepoint: transaction.savepoint(), model: copyOf(model) })
            } else if (it.do === 'rollback' && savepoints.length > 0) {
              const at = (it as { to: number }).to % savepoints.length
              savepoints.length = at + 1
              savepoints[at]!.savepoint.rollback()
              model = copyOf(savepoints[at]!.model)
              check(model, real)
              if (at % 2 === 0) writeHeld(model, real)
            } else if (it.do !== 'rollback') doIt(model, real, it as Deed)
            check(model, real)
          }
          await transactions[end as 'commit' | 'abort']()
          const expected = end === 'commit' ? model : since
          db.cacheClear()
          await db.view(({ connection: other }) => {
            const seen = begin(other).model
            const rows = ({ staff }: Model) =>
              staff.map(({ title, data, boss }) => [title, dataOf(data), boss])
            expect(rows(seen)).toEqual(rows(expected))
            expect(new Map(seen.tree)).toEqual(
              new Map([...expected.tree].sort(([a], [b]) => a - b)),
            )
          })
        }
        connection.close()
        await db.close()
      },
    ),
    { seed, numRuns: 150 },
  )
}, 120_000)
