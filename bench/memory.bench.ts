import { Database, Folder, type RootFolder } from '../lib/index.js'
import { runOutsideTransactionScope } from '../lib/transaction/index.js'
import type { Figure } from './figure.js'
import { buildStaff, Employee } from './fixtures.js'
import { median, verify } from './harness.js'
import { heapMb } from './heap.js'
import type { Subject } from './subject.js'

/** What cached objects of the standard record take in memory. */
export const memory: Subject = {
  name: 'memory',
  figures: ['memory-cached-100000', 'memory-second-connection'],
  async *measure(wanted, { rounds, workspace }) {
    const location = workspace.directory('memory')
    await build(location)
    const first: number[] = []
    const second: number[] = []
    // Memory varies less than time, and each round takes seconds.
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const taken = await measureOnce(location)
      first.push(taken.first)
      second.push(taken.second)
    }
    const figures: Figure[] = [
      { ...figureOf(first), name: 'memory-cached-100000', goal: { atMost: 85 } },
      { ...figureOf(second), name: 'memory-second-connection', goal: { atMost: 12 } },
    ]
    yield* figures.filter(({ name }) => wanted.has(name))
  },
}

const FOLDERS = 100
const STAFF = 1000
const MB = 1_000_000

async function build(location: string): Promise<void> {
  await using database = await Database.open(location, { durability: 'relaxed' })
  for (let folder = 0; folder < FOLDERS; folder++) {
    await buildStaff(database, { path: '/', name: `office${folder}`, count: STAFF })
  }
}

/** MB for every employee read in one connection, and then in a second one beside it. */
async function measureOnce(location: string): Promise<{ first: number; second: number }> {
  const options = { cacheBytes: 1000 * MB, cacheObjects: 2 * FOLDERS * STAFF }
  await using database = await Database.open(location, options)
  const before = await heapMb()
  return await database.view(async ({ root }) => {
    verify('the number of employees', readAll(root), FOLDERS * STAFF)
    const one = await heapMb()
    const { decodes } = database.counters
    const two = await besides(database, async (other) => {
      verify('the number of employees', readAll(other), FOLDERS * STAFF)
      return heapMb()
    })
    verify('the number of states decoded again', database.counters.decodes, decodes)
    return { first: one - before, second: two - one }
  })
}

/** A second connection, which a view inside a view is not given. */
function besides<T>(database: Database, fn: (root: RootFolder) => Promise<T>): Promise<T> {
  return runOutsideTransactionScope(() => database.view(({ root }) => fn(root)))
}

function readAll(root: RootFolder): number {
  let count = 0
  for (const folder of root.values()) {
    if (!(folder instanceof Folder)) continue
    for (const employee of folder.values()) {
      if (employee instanceof Employee && employee.salary > 0) count++
    }
  }
  return count
}

function figureOf(samples: readonly number[]) {
  return { value: median(samples), unit: 'MB' as const, samples }
}
