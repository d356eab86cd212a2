import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ClassicLevel } from 'classic-level'
import { BTree, Database, Folder, ObjectDatabase, type TransactionContext } from '../lib/index.js'
import { LEAF_ITEMS, TreeNode } from '../lib/persistence/btree/tree-node.js'
import { NODE_LAYOUT } from '../lib/persistence/class-table.js'
import { encodeState } from '../lib/persistence/state-codec.js'
import type { Figure, Goal } from './figure.js'
import { Employee } from './fixtures.js'
import { alternate, median, ratePerSecond, timePerCall, verify } from './harness.js'
import type { Settings, Subject } from './subject.js'

/** Trees of ten thousand, a million and ten million entries, with keys of text that rise. */
export const tree: Subject = {
  name: 'tree',
  figures: [
    'tree-lookup-10000',
    'tree-lookup-1000000',
    'tree-lookup-10000000',
    'tree-insert-10000000',
    'tree-iterate',
    'container-insert-rising-8',
  ],
  async *measure(wanted, settings) {
    if (wanted.has('tree-lookup-10000')) yield* lookupInCache(10_000, settings)
    if (wanted.has('tree-lookup-1000000')) yield* lookupInCache(1_000_000, settings)
    if (LARGE.some((name) => wanted.has(name))) {
      // Building ten million entries alone takes a minute or two.
      if (settings.isQuick) settings.note('not measured', `${LARGE.join(', ')}: leave out --quick`)
      else yield* large(wanted, settings)
    }
    if (wanted.has('container-insert-rising-8')) yield await insertRising(settings)
  },
}

const LARGE = ['tree-lookup-10000000', 'tree-insert-10000000', 'tree-iterate']

const GOALS: Readonly<Record<string, Goal>> = {
  'tree-lookup-10000': { atMost: 1 },
  'tree-lookup-1000000': { ratioAtMost: 1.5 },
  'tree-lookup-10000000': { ratioAtMost: 2.5 },
  'tree-insert-10000000': { ratioAtMost: 2.5 },
}

function figureOf(measured: Omit<Figure, 'value' | 'goal'>): Figure {
  const goal = GOALS[measured.name]
  return { ...measured, value: median(measured.samples), ...(goal && { goal }) }
}

/** The whole tree in the cache. The peer: the same keys in a sorted array. */
async function* lookupInCache(size: number, settings: Settings): AsyncGenerator<Figure> {
  await using database = await treeOf(size, { ...settings, cacheMegabytes: 512 })
  const keys = Array.from({ length: size }, (_, n) => keyOf(n))
  const wanted = Array.from({ length: 65_536 }, () => keyOf(random(size)))
  const samples = await alternate(
    {
      ours: () =>
        database.view((context) => {
          const found = treeIn(context)
          return timePerCall(
            eachOf(wanted, (key) => found.get(key)),
            settings.roundMs,
          )
        }),
      array: () =>
        timePerCall(
          eachOf(wanted, (key) => searchArray(keys, key)),
          settings.roundMs,
        ),
    },
    settings,
  )
  const peer = { what: 'bare sorted array', value: median(samples.array) }
  const name = size === 10_000 ? 'tree-lookup-10000' : 'tree-lookup-1000000'
  yield figureOf({ name, unit: 'µs', samples: samples.ours, peer })
}

/** A tree that is many times as large as the cache, which has the default 64 MiB. */
async function* large(wanted: ReadonlySet<string>, settings: Settings): AsyncGenerator<Figure> {
  const size = 10_000_000
  const location = settings.workspace.directory('tree')
  {
    await using database = await treeOf(size, { ...settings, location, cacheMegabytes: 64 })
    yield* lookupAndInsert(wanted, database, size, settings)
  }
  if (wanted.has('tree-iterate')) yield await iterate(location, size, settings)
}

/** Somewhere in the tree. The peer: one raw read of a record of a leaf's size, among as many. */
async function* lookupAndInsert(
  wanted: ReadonlySet<string>,
  database: ObjectDatabase,
  size: number,
  settings: Settings,
): AsyncGenerator<Figure> {
  const names = LARGE.slice(0, 2).filter((name) => wanted.has(name))
  if (names.length === 0) return
  await using raw = await RawRecords.fill(settings, Math.ceil(size / LEAF_ITEMS))
  const { roundMs } = settings
  const samples = await alternate(
    {
      lookup: () =>
        database.view((context) => {
          const found = treeIn(context)
          return timePerCall(() => found.get(keyOf(random(size))), roundMs)
        }),
      insert: () => insertRound(database, size, roundMs),
      raw: () => timePerCall(() => raw.read(), roundMs),
    },
    settings,
  )
  const peer = { what: 'one raw getSync', value: median(samples.raw) }
  for (const name of names) {
    const ours = name === LARGE[0] ? samples.lookup : samples.insert
    yield figureOf({ name, unit: 'µs', samples: ours, peer })
  }
}

/** µs for each of many inserts in one transaction, which is not committed. */
async function insertRound(
  database: ObjectDatabase,
  size: number,
  roundMs: number,
): Promise<number> {
  let span = 0
  const enough = new Error('enough')
  const inserting = database.transaction((context) => {
    const found = treeIn(context)
    let inserted = 0
    span = timePerCall(() => found.set(`${keyOf(random(size))}+${inserted++}`, 1), roundMs)
    verify('the growth of the tree', found.size - size, inserted)
    throw enough
  })
  await inserting.catch((error: unknown) => {
    if (error !== enough) throw error
  })
  return span
}

/** Every key, and then every entry in pages, in a process of its own: its memory is measured. */
async function iterate(location: string, size: number, settings: Settings): Promise<Figure> {
  const samples: number[] = []
  const facts: Record<string, number> = {}
  for (let round = 0; round < Math.min(3, settings.rounds); round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [WALK, location])
    const walk = JSON.parse(stdout) as Readonly<Record<string, number>>
    verify('the number of entries walked', walk.entries, size)
    samples.push(walk.usPerKey as number)
    // The first walk opens the database as its building left it, with a redo log; the most counts.
    for (const [name, value] of Object.entries(walk)) {
      facts[name] = name.endsWith('Megabytes') ? Math.max(facts[name] ?? 0, value) : value
    }
  }
  return figureOf({ name: 'tree-iterate', unit: 'µs', samples, facts })
}

const WALK = fileURLToPath(new URL('./tree-walk.js', import.meta.url))

/** Eight clients that each add one item a transaction, all at the end of one folder. */
async function insertRising({ workspace, ...settings }: Settings): Promise<Figure> {
  await using database = await Database.open(workspace.directory('rising'))
  await database.transaction(({ root }) => void root.set('staff', new Folder<Employee>()))
  let next = 0
  const insert = (): Promise<void> => {
    const number = next++
    return database.transaction(({ root }) => {
      ;(root.get('staff') as Folder<Employee>).set(keyOf(number), Employee.of(number))
    })
  }
  const { ours } = await alternate(
    { ours: () => ratePerSecond(insert, { clients: 8, roundMs: settings.roundMs }) },
    settings,
  )
  const size = await database.view(({ root }) => (root.get('staff') as Folder).size)
  verify('the number of items', size, next)
  const { conflicts, replays } = database.counters
  verify('the number of conflicts', conflicts, 0)
  return figureOf({
    name: 'container-insert-rising-8',
    unit: 'inserts/s',
    samples: ours,
    facts: { conflicts, replays },
  })
}

type Values = BTree<string, number>

function treeIn({ rootMapping }: Pick<TransactionContext, 'rootMapping'>): Values {
  return rootMapping.get('tree') as unknown as Values
}

/** A database with a tree of so many entries, built as a program would. */
async function treeOf(
  size: number,
  {
    workspace,
    cacheMegabytes,
    location = workspace.directory('tree'),
  }: Pick<Settings, 'workspace'> & { readonly cacheMegabytes: number; readonly location?: string },
): Promise<ObjectDatabase> {
  const cacheBytes = cacheMegabytes * 1024 * 1024
  const database = await ObjectDatabase.open(location, { cacheBytes, durability: 'relaxed' })
  await database.transaction(({ rootMapping }) => void rootMapping.set('tree', new BTree()))
  for (let first = 0; first < size; first += PER_TRANSACTION) {
    const count = Math.min(PER_TRANSACTION, size - first)
    await database.transaction((context) => {
      treeIn(context).update(numbered(first, count))
    })
  }
  return database
}

const PER_TRANSACTION = 100_000

function* numbered(first: number, count: number): Generator<[string, number]> {
  for (let number = first; number < first + count; number++) yield [keyOf(number), number]
}

function keyOf(number: number): string {
  return `key${String(number).padStart(9, '0')}`
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}

/** Calls `work` with one after another, and begins again. */
function eachOf(keys: readonly string[], work: (key: string) => unknown): () => unknown {
  let at = 0
  return () => work(keys[at++ % keys.length] as string)
}

function searchArray(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const candidate = keys[middle] as string
    if (candidate === key) return middle
    if (candidate < key) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Records of a leaf's size in a LevelDB of their own. */
class RawRecords {
  readonly #level: ClassicLevel<Buffer, Buffer>
  readonly #count: number

  static async fill({ workspace }: Settings, count: number): Promise<RawRecords> {
    const level = new ClassicLevel<Buffer, Buffer>(workspace.directory('raw-tree'), LEVEL_OPTIONS)
    await level.open()
    for (let first = 0; first < count; first += 10_000) {
      const batch = level.batch()
      for (let n = first; n < Math.min(first + 10_000, count); n++) {
        batch.put(rowKey(n), leafBytes(n * LEAF_ITEMS))
      }
      await batch.write()
    }
    return new RawRecords(level, count)
  }

  private constructor(level: ClassicLevel<Buffer, Buffer>, count: number) {
    this.#level = level
    this.#count = count
  }

  read(): Buffer | undefined {
    return this.#level.getSync(rowKey(random(this.#count)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level.close()
  }
}

const LEVEL_OPTIONS = {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  cacheSize: 64 * 1024 * 1024,
} as const

function rowKey(number: number): Buffer {
  const key = Buffer.alloc(9, 4)
  key.writeBigUInt64BE(BigInt(number), 1)
  return key
}

/** What the record of one leaf of the tree holds. */
function leafBytes(first: number): Buffer {
  const numbers = Array.from({ length: LEAF_ITEMS }, (_, n) => first + n)
  const leaf = new TreeNode(0, numbers.map(keyOf), numbers)
  return Buffer.from(encodeState([leaf], NODE_LAYOUT))
}
