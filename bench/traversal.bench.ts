import { Database, traverse } from '../lib/index.js'
import type { Figure } from './figure.js'
import { BOB, buildOffices, Employee } from './fixtures.js'
import { alternate, median, medianSpan, spanOf, timePerCall, verify } from './harness.js'
import { RawLevel } from './raw-level.js'
import type { Settings, Subject } from './subject.js'

/** From the root folder to an object five steps below it. */
export const traversal: Subject = {
  name: 'traversal',
  figures: ['traversal-hot', 'traversal-cold'],
  async *measure(wanted, settings) {
    const location = settings.workspace.directory('traversal')
    // Opened anew, so that records are read from LevelDB's tables and not from its write buffer.
    await using built = await Database.open(location)
    await buildOffices(built)
    await built.close()
    await using database = await Database.open(location)
    if (wanted.has('traversal-hot')) yield await hot(database, settings)
    if (wanted.has('traversal-cold')) yield await cold(database, settings)
  },
}

async function hot(database: Database, settings: Settings): Promise<Figure> {
  const samples = await alternate(
    {
      hot: () =>
        database.view(({ root }) => {
          verifyBob(traverse(root, BOB))
          return timePerCall(() => traverse(root, BOB), settings.roundMs)
        }),
    },
    settings,
  )
  return {
    name: 'traversal-hot',
    value: median(samples.hot),
    unit: 'µs',
    samples: samples.hot,
    goal: { atMost: 0.6 },
  }
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
