import { rm } from 'node:fs/promises'
import { ClassicLevel } from 'classic-level'
import { Packr } from 'msgpackr'
import { type Round, ratePerSecond, verify } from '../harness.js'
import { NotAvailableError } from '../peers/not-available.js'
import type { Contender, Entry, Supplies } from './contender.js'
import { cloneDirectory, killedDatabase } from './killed.js'
import { fillerTexts, textAt } from './payload.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Operation, Task } from './task.js'

/**
 * The floor: LevelDB without us, with the states of the same objects, under keys of the same size, and
 * a row for the transaction. One round for each form in which LevelDB can be given them.
 */
export const raw: Contender = {
  name: 'raw',
  enter(task, supplies) {
    const enter = OPERATIONS[task.operation]
    if (enter === undefined) throw new NotAvailableError('LevelDB has nothing like it')
    return enter(task, supplies)
  },
  async [Symbol.asyncDispose]() {},
}

type Enter = (task: Task, supplies: Supplies) => Promise<Entry>

const OPERATIONS: Readonly<Partial<Record<Operation, Enter>>> = {
  add: written,
  store: written,
  update: written,
  'read-after-write': written,
  commits: (task, supplies) => (task.clients === 1 ? written : flushed)(task, supplies),
  'cold-read': coldRead,
  'container-iterate': coldRead,
  open,
}

/** The state of one object, as msgpack. */
export function stateBytes(text: string): Buffer {
  return Buffer.from(packr.pack([text, 0])) // copied: pack returns a view of a shared arena
}

/** @returns the text in it. */
export function textIn(state: Uint8Array): string {
  return (packr.unpack(state as Buffer) as [string, number])[0]
}

const packr = new Packr({ useRecords: false })

interface Row {
  readonly key: Buffer
  readonly value: Buffer
}

/** A LevelDB in a directory, opened as the library opens its own. */
class RawStore implements AsyncDisposable {
  readonly #location: string
  #level: Level
  #transactions = 0

  static async open(location: string): Promise<RawStore> {
    return new RawStore(location, await openLevel(location))
  }

  private constructor(location: string, level: Level) {
    this.#location = location
    this.#level = level
  }

  async reopen(): Promise<void> {
    await this.#level.close()
    this.#level = await openLevel(this.#location)
  }

  async arrayBatch(rows: readonly Row[], sync: boolean): Promise<void> {
    const all = [...rows, this.#transactionRow()]
    await this.#level.batch(
      all.map(({ key, value }) => ({ type: 'put', key, value })),
      { sync },
    )
  }

  async chainedBatch(commits: readonly (readonly Row[])[], sync: boolean): Promise<void> {
    const batch = this.#level.batch()
    for (const rows of commits) {
      for (const { key, value } of rows) batch.put(key, value)
      const { key, value } = this.#transactionRow()
      batch.put(key, value)
    }
    await batch.write({ sync })
  }

  async oneValue(value: Buffer, sync: boolean): Promise<void> {
    await this.#level.put(this.#transactionRow().key, value, { sync })
  }

  /** @returns how many letters there are. */
  readAll(rows: readonly Row[]): number {
    let letters = 0
    for (const { key } of rows) letters += textIn(this.#level.getSync(key) as Buffer).length
    return letters
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level.close()
  }

  #transactionRow(): Row {
    return { key: keyOf(TRANSACTION_PREFIX, ++this.#transactions), value: TRANSACTION }
  }
}

/** One commit at a time, in each of the three forms. */
async function written(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const store = await RawStore.open(workspace.directory('raw'))
  const { objects, operation } = task
  const sync = task.durability === 'sync'
  let next = 0
  const rowsOf = (): readonly Row[] => {
    if (operation === 'add') next += objects
    return rowsFrom(next, objects, texts)
  }
  const timed = (write: (rows: readonly Row[]) => Promise<void>): Round => {
    return () =>
      meanOf(task.loops, async () => {
        const rows = rowsOf()
        const start = nowMs()
        await write(rows)
        if (operation === 'read-after-write') store.readAll(rows)
        return nowMs() - start
      })
  }
  const forms: Record<string, Round> = {
    'raw array batch': timed((rows) => store.arrayBatch(rows, sync)),
    'raw chained batch': timed((rows) => store.chainedBatch([rows], sync)),
  }
  // One value cannot be read back by object.
  if (operation !== 'read-after-write') {
    const joined = joinedRows(rowsFrom(0, objects, texts))
    forms['raw one value'] = () =>
      meanOf(task.loops, async () => {
        const start = nowMs()
        await store.oneValue(joined, sync)
        return nowMs() - start
      })
  }
  const rounds = operation === 'commits' ? ratesOf(forms) : forms
  return { rounds, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}

/** The ceiling of many clients: the commits of all that wait, in one batch for each flush. */
async function flushed(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const { clients, objects, roundMs } = task
  const store = await RawStore.open(workspace.directory('raw'))
  const sync = task.durability === 'sync'
  const rowsOf = Array.from({ length: clients }, (_, client) =>
    rowsFrom(client * objects, objects, texts),
  )
  const queue = new FlushQueue((commits) => store.chainedBatch(commits, sync))
  const work = (client: number): Promise<void> => queue.commit(rowsOf[client] as readonly Row[])
  return {
    rounds: { 'raw one batch per flush': () => ratePerSecond(work, { clients, roundMs }) },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Writes one batch after the other, each with all commits that came meanwhile. */
class FlushQueue {
  readonly #write: (commits: readonly (readonly Row[])[]) => Promise<void>
  #waiting: Waiting[] = []
  #flushing: Promise<void> | undefined

  constructor(write: (commits: readonly (readonly Row[])[]) => Promise<void>) {
    this.#write = write
  }

  commit(rows: readonly Row[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ rows, resolve, reject })
      this.#flushing ??= this.#flush()
    })
  }

  async #flush(): Promise<void> {
    for (;;) {
      // Clients that the last batch served commit again within this turn: all of them join.
      await new Promise(setImmediate)
      const waiting = this.#waiting
      this.#waiting = []
      if (waiting.length === 0) break
      try {
        await this.#write(waiting.map(({ rows }) => rows))
        for (const { resolve } of waiting) resolve()
      } catch (error) {
        for (const { reject } of waiting) reject(error)
      }
    }
    this.#flushing = undefined
  }
}

interface Waiting {
  readonly rows: readonly Row[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** `getSync` and decode, each object; LevelDB was opened again. */
async function coldRead(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const store = await RawStore.open(workspace.directory('raw'))
  const rows = rowsFrom(0, task.objects, texts)
  const letters = rows.reduce((sum, _, at) => sum + textAt(texts, at).length, 0)
  await store.chainedBatch([rows], true)
  let next = FIRST_FILLER
  for (const batch of fillerTexts(texts)) {
    await store.chainedBatch([rowsFrom(next, batch.length, batch)], false)
    next += batch.length
  }
  const once = async (): Promise<number> => {
    await store.reopen()
    const start = nowMs()
    const read = store.readAll(rows)
    const spent = nowMs() - start
    verify('the letters read from LevelDB', read, letters)
    return spent
  }
  return {
    rounds: { 'raw get and decode': () => meanOf(task.loops, once) },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function rowsFrom(first: number, count: number, texts: readonly string[]): readonly Row[] {
  return Array.from({ length: count }, (_, at) => ({
    key: keyOf(OBJECT_PREFIX, first + at),
    value: stateBytes(textAt(texts, at)),
  }))
}

function joinedRows(rows: readonly Row[]): Buffer {
  return Buffer.concat([...rows.flatMap(({ key, value }) => [key, value]), TRANSACTION])
}

/** From ms for each to how many in a second. */
function ratesOf(forms: Readonly<Record<string, Round>>): Record<string, Round> {
  return Object.fromEntries(
    Object.entries(forms).map(([name, round]) => [name, async () => 1000 / (await round())]),
  )
}

function keyOf(prefix: number, id: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES, prefix)
  key.writeUIntBE(id, KEY_BYTES - 6, 6)
  return key
}

const KEY_BYTES = 9
/** Above the number of any object that is read. */
const FIRST_FILLER = 1_000_000
const TRANSACTION_PREFIX = 3
const OBJECT_PREFIX = 4
/** As long as a commit's own facts, about. */
const TRANSACTION = Buffer.alloc(40, 7)

type Level = ClassicLevel<Buffer, Buffer>

async function openLevel(location: string): Promise<Level> {
  const level = new ClassicLevel<Buffer, Buffer>(location, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    cacheSize: 64 * 1024 * 1024,
  })
  await level.open()
  return level
}

/** LevelDB alone opens the files that a killed process of ours left. */
async function open(task: Task, supplies: Supplies): Promise<Entry> {
  const killed = await killedDatabase(task, supplies)
  const once = async (): Promise<number> => {
    const location = supplies.workspace.directory('opened')
    await cloneDirectory(killed, location)
    const start = nowMs()
    const level = await openLevel(location)
    const spent = nowMs() - start
    await level.close()
    await rm(location, { recursive: true })
    return spent
  }
  return { rounds: { 'raw LevelDB': once }, async [Symbol.asyncDispose]() {} }
}
