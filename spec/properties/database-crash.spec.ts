import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { codeOf } from '../../lib/foundation/index.js'
import type { BTree, ObjectDatabase } from '../../lib/persistence/index.js'
import { createMemoryDatabase, createMemoryStorage } from '../../lib/storage/index.js'
import { aConnection, aDatabase, Employee } from '../support/persistence-builders.js'
import { codeThrownBy } from '../support/storage-builders.js'
import { WrappedStorage } from '../support/wrapped-storage.js'

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

/** What must be in the database: name → title and phones. Replaced, never changed. */
type Model = ReadonlyMap<string, { readonly title: string; readonly phones: readonly string[] }>

interface State {
  model: Model
}

type Deed =
  | { readonly do: 'set' | 'call'; readonly name: string; readonly text: string }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'clear' }

type Root = BTree<string, Employee>

const name = fc.integer({ min: 0, max: 60 }).map((n) => `e${n}`)
const text = fc.string({ maxLength: 4 })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('set' as const, 'call' as const), name, text }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' as const }) },
)
const deeds = fc.array(deed, { maxLength: 25 })

function doReally(root: Root, all: readonly Deed[]): void {
  for (const it of all) {
    if (it.do === 'clear') root.clear()
    else if (it.do === 'delete') root.delete(it.name)
    else if (it.do === 'set') root.set(it.name, new Employee({ title: it.text }))
    else root.get(it.name)?.phones.push(it.text)
  }
}

function doInModel(model: Model, all: readonly Deed[]): Model {
  const next = new Map(model)
  for (const it of all) {
    const row = 'name' in it ? next.get(it.name) : undefined
    if (it.do === 'clear') next.clear()
    else if (it.do === 'delete') next.delete(it.name)
    else if (it.do === 'set') next.set(it.name, { title: it.text, phones: [] })
    else if (row !== undefined) next.set(it.name, { ...row, phones: [...row.phones, it.text] })
  }
  return next
}

const rootOf = (context: { readonly rootMapping: BTree }): Root =>
  context.rootMapping as unknown as Root

/** A database whose storage can fail, and whose disk can be taken away from a running process. */
class Real {
  db!: ObjectDatabase
  storage!: WrappedStorage
  #disk = createMemoryDatabase()

  async open(): Promise<void> {
    const database = this.#disk
    this.storage = new WrappedStorage(createMemoryStorage({ database }))
    this.db = await aDatabase({ storage: this.storage, cacheBytes: 20_000, cacheObjects: 20 })
  }

  /** Opens what is on disk at this instant; the process that wrote it says nothing more. */
  async crash(): Promise<void> {
    const [old, left] = [this.db, createMemoryDatabase()]
    await left.open()
    // One that closed itself took its disk with it.
    if (!old.isOpen) {
      await old.close()
      await this.#disk.open()
    }
    for (const [key, value] of await this.#disk.iterator().all()) await left.put(key, value)
    await left.close()
    await old.close()
    this.#disk = left
    await this.open()
  }

  async reopen(): Promise<void> {
    await this.db.close()
    await this.open()
  }

  async contents(): Promise<[string, string, string[]][]> {
    return await this.db.view((context) =>
      [...rootOf(context)].map(([key, { title, phones }]) => [key, title, [...phones]]),
    )
  }
}

async function check(state: State, real: Real): Promise<void> {
  const expected = [...state.model].sort(([a], [b]) => (a < b ? -1 : 1))
  expect(await real.contents()).toEqual(
    expected.map(([key, { title, phones }]) => [key, title, phones]),
  )
}

abstract class Command implements fc.AsyncCommand<State, Real> {
  readonly deeds: readonly Deed[]
  readonly others: readonly Deed[]

  constructor(all: readonly Deed[] = [], others: readonly Deed[] = []) {
    this.deeds = all
    this.others = others
  }
  check = () => true
  protected abstract act(state: State, real: Real): Promise<void>
  async run(state: State, real: Real): Promise<void> {
    await this.act(state, real)
    await check(state, real)
  }
  toString(): string {
    return `${this.constructor.name}(${JSON.stringify([this.deeds, this.others])})`
  }
}

class Commit extends Command {
  async act(state: State, { db }: Real): Promise<void> {
    await db.transaction((context) => doReally(rootOf(context), this.deeds))
    state.model = doInModel(state.model, this.deeds)
  }
}

class Abort extends Command {
  async act(_: State, { db }: Real): Promise<void> {
    const aborted = db.transaction((context) => {
      doReally(rootOf(context), this.deeds)
      throw new Error('aborted')
    })
    await expect(aborted).rejects.toThrow('aborted')
  }
}

class RollBackToSavepoint extends Command {
  async act(state: State, { db }: Real): Promise<void> {
    await db.transaction(async (context) => {
      doReally(rootOf(context), this.deeds)
      const savepoint = await context.transaction.savepoint()
      doReally(rootOf(context), this.others)
      await savepoint.rollback()
    })
    state.model = doInModel(state.model, this.deeds)
  }
}

/** Two write one name: the second is refused, whatever else it wrote. */
class Conflict extends Command {
  async act(state: State, { db }: Real): Promise<void> {
    const { connection, transactions } = aConnection(db)
    transactions.begin()
    doReally(rootOf(connection), [...this.others, { do: 'set', name: 'both', text: 'second' }])
    const first: Deed[] = [...this.deeds, { do: 'set', name: 'both', text: 'first' }]
    await db.transaction((context) => doReally(rootOf(context), first))
    state.model = doInModel(state.model, first)
    expect(await codeThrownBy(() => transactions.commit())).toBe('STORAGE_CONFLICT')
    await transactions.abort()
    connection.close()
  }
}

class Checkpoint extends Command {
  async act(_: State, { storage }: Real): Promise<void> {
    await storage.checkpoint()
  }
}

class Reopen extends Command {
  async act(_: State, real: Real): Promise<void> {
    await real.reopen()
  }
}

class Crash extends Command {
  async act(_: State, real: Real): Promise<void> {
    await real.crash()
  }
}

/** The process dies while a checkpoint is under way, somewhere between two of its steps. */
class CrashInCheckpoint extends Command {
  async act(_: State, real: Real): Promise<void> {
    const checkpoint = real.storage.checkpoint().catch((error: unknown) => codeOf(error))
    await new Promise(setImmediate)
    await real.crash()
    await checkpoint
  }
}

/** The write fails and nothing is on disk: all later commits are refused until the next open. */
class FailBeforeWrite extends Command {
  async act(_: State, real: Real): Promise<void> {
    real.storage.beforeWrite = failure
    await refusedCommits(real, this.deeds)
    await real.crash()
  }
}

/** The write is reported to have failed, and is on disk all the same: the next open shows it. */
class FailAfterWrite extends Command {
  async act(state: State, real: Real): Promise<void> {
    real.storage.afterWrite = failure
    await refusedCommits(real, [...this.deeds, { do: 'set', name: 'there', text: 'after all' }])
    state.model = doInModel(state.model, this.deeds)
    state.model = doInModel(state.model, [{ do: 'set', name: 'there', text: 'after all' }])
    await real.crash()
  }
}

const failure = (): never => {
  throw new Error('the disk failed')
}

async function refusedCommits({ db }: Real, all: readonly Deed[]): Promise<void> {
  const write = (more: readonly Deed[]) =>
    db.transaction((context) => {
      // At least one change, so that there is something to write.
      doReally(rootOf(context), [...more, { do: 'set', name: 'never', text: '' }])
      if (more !== all) return
      doReally(rootOf(context), [{ do: 'delete', name: 'never' }])
    })
  await expect(write(all)).rejects.toThrow('the disk failed')
  expect(db.isOpen).toBe(false)
  expect(await codeThrownBy(() => write([]))).toBe('STORAGE_CLOSED')
}

test('an object that is new at a savepoint is rolled back to what it was there', async () => {
  const db = await aDatabase()
  await db.transaction(async (context) => {
    const root = rootOf(context)
    root.set('new', new Employee({ title: 'at the savepoint' }))
    const savepoint = await context.transaction.savepoint()
    root.get('new')!.title = 'later'
    await savepoint.rollback()
  })
  expect(await db.view((context) => rootOf(context).get('new')!.title)).toBe('at the savepoint')
  await db.close()
})

test('the database holds what was committed, whatever happened to its process and its disk', async () => {
  const commands = fc.commands(
    [
      deeds.map((all) => new Commit(all)),
      deeds.map((all) => new Commit(all)),
      deeds.map((all) => new Abort(all)),
      fc.tuple(deeds, deeds).map(([all, others]) => new RollBackToSavepoint(all, others)),
      fc.tuple(deeds, deeds).map(([all, others]) => new Conflict(all, others)),
      fc.constant(new Checkpoint()),
      fc.constant(new Reopen()),
      fc.constant(new Crash()),
      fc.constant(new CrashInCheckpoint()),
      deeds.map((all) => new FailBeforeWrite(all)),
      deeds.map((all) => new FailAfterWrite(all)),
    ],
    { maxCommands: 25 },
  )
  await fc.assert(
    fc.asyncProperty(commands, async (todo) => {
      const real = new Real()
      await real.open()
      await fc.asyncModelRun(() => ({ model: { model: new Map() }, real }), todo)
      await real.db.close()
    }),
    { seed, numRuns: 60 },
  )
}, 120_000)
