import { walk } from '../lib/content/index.js'
import { Database, Folder, type RootFolder, Site, siteOf, traverse } from '../lib/index.js'
import type { Figure, Goal } from './figure.js'
import { BOB, buildOffices, Employee } from './fixtures.js'
import { alternate, median, medianSpan, spanOf, timePerCall, verify } from './harness.js'
import { besideZope } from './peers/zope.js'
import { RawLevel } from './raw-level.js'
import type { Settings, Subject } from './subject.js'

/** From the root folder to an object five steps below it, and from an object to its site. */
export const traversal: Subject = {
  name: 'traversal',
  figures: ['traversal-hot', 'traversal-hot-memo', 'traversal-cold', 'site-of-depth-10'],
  async *measure(wanted, settings) {
    const location = settings.workspace.directory('traversal')
    // Opened anew, so that records are read from LevelDB's tables and not from its write buffer.
    await using built = await Database.open(location)
    await buildOffices(built)
    await buildDepth(built)
    await built.close()
    await using database = await Database.open(location)
    if (wanted.has('traversal-hot')) yield await hot(database, settings)
    if (wanted.has('traversal-hot-memo')) yield await hotMemo(database, settings)
    if (wanted.has('traversal-cold')) yield await cold(database, settings)
    if (wanted.has('site-of-depth-10')) yield await siteOfDeepest(database, settings)
  },
}

/** Step by step, as a path is gone the first time. */
function hot(database: Database, settings: Settings): Promise<Figure> {
  const goal = { atMost: 0.5, speedAtLeast: 25 }
  return besideTraverse({ name: 'traversal-hot', goal, find: walk }, database, settings)
}

function hotMemo(database: Database, settings: Settings): Promise<Figure> {
  const goal = { atMost: 0.15, speedAtLeast: 80 }
  return besideTraverse({ name: 'traversal-hot-memo', goal, find: traverse }, database, settings)
}

/** The peer: `zope.traversing.api.traverse` over the same tree in memory. */
function besideTraverse(
  { name, goal, find }: Traversed,
  database: Database,
  settings: Settings,
): Promise<Figure> {
  const ours = (): Promise<number> =>
    database.view(({ root }) => {
      verifyBob(find(root, BOB))
      return timePerCall(() => find(root, BOB), settings.roundMs)
    })
  const zope = { work: 'traverse', options: {} } as const
  return besideZope({ name, unit: 'µs', goal, ours, zope }, settings)
}

interface Traversed {
  readonly name: string
  readonly goal: Goal
  readonly find: (root: RootFolder, path: string) => object
}

/** The peer: `zope.component.getSiteManager` of an object as far below its site, in memory. */
function siteOfDeepest(database: Database, settings: Settings): Promise<Figure> {
  const ours = (): Promise<number> =>
    database.view(({ root }) => {
      const deepest = traverse(root, DEEPEST)
      verify('the site', siteOf(deepest), root.getItem('deep'))
      return timePerCall(() => siteOf(deepest), settings.roundMs)
    })
  const zope = { work: 'site', options: { depth: DEPTH } } as const
  const name = `site-of-depth-${DEPTH}`
  return besideZope({ name, unit: 'µs', goal: { atMost: 0.1 }, ours, zope }, settings)
}

const DEPTH = 10
const FOLDERS = Array.from({ length: DEPTH - 1 }, (_, at) => `f${at + 1}`)
const DEEPEST = `/deep/${FOLDERS.join('/')}/Bob`

/** A site, and an employee so many steps below it. */
async function buildDepth(database: Database): Promise<void> {
  await database.transaction(({ root }) => {
    let folder: Folder = root.set('deep', new Site())
    for (const name of FOLDERS) folder = folder.set(name, new Folder())
    folder.set('Bob', Employee.of(1))
  })
}

/** The peer: as many `getSync` of records of the standard size, without anything done with them. */
async function cold(database: Database, settings: Settings): Promise<Figure> {
  const reads = await recordsRead(database)
  await using raw = await RawLevel.open(settings.workspace.directory('raw-traversal'))
  const keys = await raw.fill({ records: RAW_RECORDS, bytes: RAW_RECORD_BYTES })
  const samples = await alternate(
    {
      cold: () => medianSpan(() => coldSpan(database), settings.roundMs),
      raw: () => medianSpan(() => spanOf(() => raw.read(keys, reads)), settings.roundMs),
    },
    settings,
  )
  return {
    name: 'traversal-cold',
    value: median(samples.cold),
    unit: 'µs',
    samples: samples.cold,
    peer: { what: `${reads} getSync`, value: median(samples.raw) },
    goal: { atMost: 40 },
  }
}

const RAW_RECORDS = 10_000
const RAW_RECORD_BYTES = 200

/** Every state is read and decoded again; LevelDB's own cache of blocks stays warm. */
function coldSpan(database: Database): Promise<number> {
  database.cacheClear()
  return database.view((context) => {
    let found: object | undefined
    const span = spanOf(() => {
      found = traverse(context.root, BOB)
    })
    verifyBob(found)
    return span
  })
}

async function recordsRead(database: Database): Promise<number> {
  let reads = 0
  database.cacheClear()
  await database.view((context) => {
    const before = database.counters.storageReads
    verifyBob(traverse(context.root, BOB))
    reads = database.counters.storageReads - before
  })
  if (reads < 6) throw new Error(`A cold traversal of 6 objects read ${reads} records`)
  return reads
}

function verifyBob(found: object | undefined): void {
  verify(`the object at ${BOB}`, found instanceof Employee && found.__name__, 'Bob')
}
