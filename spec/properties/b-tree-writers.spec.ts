import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { BTree, type ObjectDatabase } from '../../lib/persistence/index.js'
import { runOutsideTransactionScope } from '../../lib/transaction/index.js'
import { aConnection, aDatabase } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

type Values = BTree<number, number>
type Model = Map<number, number>

/** What one writer does next. */
interface Step {
  readonly who: number
  readonly do: 'fill' | 'empty' | 'commit' | 'abort' | 'savepoint' | 'rollback' | 'clear'
  readonly from: number
  readonly count: number
  readonly by: number
}

const deeds = ['fill', 'fill', 'fill', 'empty', 'empty', 'commit', 'commit'] as const
const rare = ['abort', 'savepoint', 'savepoint', 'rollback', 'clear'] as const

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(2),
  do: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...deeds) },
    { weight: 3, arbitrary: fc.constantFrom(...rare) },
  ),
  from: fc.integer({ min: 0, max: 4000 }),
  count: fc.integer({ min: 1, max: 150 }),
  by: fc.constantFrom(1, 3, -1),
})

/** One connection, and what it must read. */
class Writer {
  readonly #db: ObjectDatabase
  readonly #parts
  #transaction: ReturnType<ReturnType<typeof aConnection>['transactions']['begin']> | undefined
  #seen: Model = new Map()
  #touched = new Set<number>()
  #cleared = false
  #savepoints: {
    point: { rollback(): void }
    seen: Model
    touched: Set<number>
    cleared: boolean
  }[] = []
  begun = 0

  constructor(db: ObjectDatabase) {
    this.#db = db
    this.#parts = aConnection(db)
  }

  get isRunning(): boolean {
    return this.#transaction !== undefined
  }

  /** The keys that it wrote; `undefined` for all. */
  get touched(): ReadonlySet<number> | undefined {
    return this.#cleared ? undefined : this.#touched
  }

  begin(committed: Model, commits: number): void {
    this.#transaction = this.#parts.transactions.begin()
    this.#seen = new Map(committed)
    this.#touched = new Set()
    this.#cleared = false
    this.#savepoints = []
    this.begun = commits
  }

  change(todo: Step): void {
    for (let n = 0; n < todo.count; n++) {
      const key = todo.from + n * todo.by
      if (todo.do === 'fill') {
        this.#tree.set(key, todo.who * 10_000 + n)
        this.#seen.set(key, todo.who * 10_000 + n)
        this.#touched.add(key)
      } else {
        const wasThere = this.#seen.delete(key)
        expect(this.#tree.delete(key)).toBe(wasThere)
        if (wasThere) this.#touched.add(key)
      }
    }
  }

  clear(): void {
    if (this.#seen.size > 0) this.#cleared = true
    this.#tree.clear()
    this.#seen.clear()
  }

  savepoint(): void {
    const point = this.#transaction?.savepoint() as never
    const [seen, touched] = [new Map(this.#seen), new Set(this.#touched)]
    this.#savepoints.push({ point, seen, touched, cleared: this.#cleared })
  }

  rollback(todo: Step): void {
    if (this.#savepoints.length === 0) return
    this.#savepoints.length = (todo.from % this.#savepoints.length) + 1
    const { point, seen, touched, cleared } = this.#savepoints.at(-1)!
    point.rollback()
    this.#seen = new Map(seen)
    this.#touched = new Set(touched)
    this.#cleared = cleared
  }

  expectSeen(): void {
    expectSame(this.#tree, this.#seen)
  }

  /** @returns the code of the error that the commit ended with. */
  async commit(): Promise<string | undefined> {
    const code = await runOutsideTransactionScope(() =>
      codeThrownBy(() => this.#parts.transactions.commit()),
    )
    // One who wrote nothing may find, after its end, that the tree has changed since.
    if (code !== 'nothing') await this.abort()
    else if (this.#touched.size > 0) expect(this.#tree.check()).toEqual([])
    this.#transaction = undefined
    return code
  }

  async abort(): Promise<void> {
    await this.#parts.transactions.abort()
    this.#transaction = undefined
  }

  /** What it did to the committed entries. */
  applyTo(committed: Model): void {
    if (this.#cleared) committed.clear()
    for (const key of this.#cleared ? this.#seen.keys() : this.#touched) {
      const value = this.#seen.get(key)
      if (value === undefined) committed.delete(key)
      else committed.set(key, value)
    }
  }

  get #tree(): Values {
    return this.#parts.connection.rootMapping.get('tree') as unknown as Values
  }

  async expectStored(committed: Model): Promise<void> {
    await runOutsideTransactionScope(() =>
      this.#db.view(({ rootMapping }) =>
        expectSame(rootMapping.get('tree') as unknown as Values, committed),
      ),
    )
  }
}

function expectSame(tree: Values, model: Model): void {
  expect(tree.check()).toEqual([])
  expect(tree.size).toBe(model.size)
  expect([...tree]).toEqual([...model].sort(([one], [other]) => one - other))
}

test('writers at once see what they must, and conflict on equal keys only', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isSmall) => {
      const db = await aDatabase({ cacheBytes: isSmall ? 20_000 : 10_000_000 })
      const committed: Model = new Map(Array.from({ length: 2000 }, (_, n) => [n * 2, n]))
      await db.transaction(({ rootMapping }) => {
        rootMapping.set('tree', BTree.from(committed) as never)
      })
      const writers = [0, 1, 2].map(() => new Writer(db))
      const log: (ReadonlySet<number> | undefined)[] = [] // of each commit, the keys written
      for (const todo of steps) {
        const writer = writers[todo.who] as Writer
        if (!writer.isRunning) writer.begin(committed, log.length)
        if (todo.do === 'fill' || todo.do === 'empty') writer.change(todo)
        else if (todo.do === 'clear') writer.clear()
        else if (todo.do === 'savepoint') writer.savepoint()
        else if (todo.do === 'rollback') writer.rollback(todo)
        else if (todo.do === 'abort') await writer.abort()
        else {
          const { touched } = writer
          const code = await writer.commit()
          const isExpected = log.slice(writer.begun).some((other) => meet(touched, other))
          expect(code).toBe(isExpected ? 'STORAGE_CONFLICT' : 'nothing')
          if (code === 'nothing') {
            writer.applyTo(committed)
            log.push(touched)
          }
          await writer.expectStored(committed)
        }
        if (writer.isRunning) writer.expectSeen()
      }
      for (const writer of writers) if (writer.isRunning) await writer.abort()
      db.cacheClear()
      await (writers[0] as Writer).expectStored(committed)
      await db.close()
    }),
    { seed, numRuns: 25 },
  )
}, 120_000)

/** True when two sets of keys have one in common; `undefined` has all. */
function meet(
  one: ReadonlySet<number> | undefined,
  other: ReadonlySet<number> | undefined,
): boolean {
  if (one === undefined) return other === undefined || other.size > 0
  if (other === undefined) return one.size > 0
  for (const key of one) if (other.has(key)) return true
  return false
}
