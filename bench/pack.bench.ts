import { BTree, field, ObjectDatabase, Persistent, stored } from '../lib/index.js'
import type { Figure } from './figure.js'
import { median, verify } from './harness.js'
import { percentile } from './statistics.js'
import type { Settings, Subject } from './subject.js'

const NAME = 'pack-1000000'
const OBJECTS = 1_000_000
const QUICK_OBJECTS = 20_000
const ROUNDS = 3
const PER_TREE = 1000
const TREES_AT_ONCE = 5
const WRITTEN = 100

/** How long commits wait while a database is packed of which a tenth is garbage. */
export const pack: Subject = {
  name: 'pack',
  figures: [NAME],
  async *measure(_, settings) {
    yield await measurePack(settings)
  },
}

async function measurePack(settings: Settings): Promise<Figure> {
  const objects = settings.isQuick ? QUICK_OBJECTS : OBJECTS
  await using database = await ObjectDatabase.open(settings.workspace.directory('pack'))
  await build(database, objects)
  const idle: number[] = []
  const packing: number[] = []
  const seconds: number[] = []
  for (let round = 0; round < (settings.isQuick ? 1 : ROUNDS); round++) {
    const dropped = await drop(database, { objects, round })
    idle.push(await percentileWhile(database, pause(Math.max(settings.roundMs * 10, 1000))))
    const report = database.pack({ graceMs: 0 })
    packing.push(await percentileWhile(database, report))
    const { removed, durationMs } = await report
    // And the nodes of their trees.
    verify('that every dropped object was removed', removed >= dropped, true)
    seconds.push(durationMs / 1000)
  }
  return {
    name: NAME,
    value: median(packing),
    unit: 'ms',
    samples: packing,
    peer: { what: 'the same commits, nothing packed', value: median(idle) },
    goal: { ratioAtMost: 3 },
    facts: { objects, 'seconds of the pack': median(seconds) },
  }
}

@stored('bench.pack.Item')
class Item extends Persistent {
  @field accessor title = 'Senior Forecaster'
  @field accessor office = 'Norman, Oklahoma'
  @field accessor skills: readonly string[] = ['radar', 'mesoscale', 'outreach']
  @field accessor count = 0
}

type Tree = BTree<number, Item>

async function build(database: ObjectDatabase, objects: number): Promise<void> {
  const trees = Math.ceil(objects / PER_TREE)
  for (let first = 0; first < trees; first += TREES_AT_ONCE) {
    await database.transaction(({ rootMapping }) => {
      for (let number = first; number < Math.min(trees, first + TREES_AT_ONCE); number++) {
        rootMapping.set(treeName(number), aTree())
      }
    })
  }
  await database.transaction(({ rootMapping }) => void rootMapping.set('written', aTree(WRITTEN)))
}

function aTree(items = PER_TREE): Tree {
  const tree: Tree = new BTree()
  for (let number = 0; number < items; number++) tree.set(number, new Item())
  return tree
}

/** Puts new trees in the place of a tenth of them. @returns how many objects nothing leads to now. */
async function drop(
  database: ObjectDatabase,
  { objects, round }: { readonly objects: number; readonly round: number },
): Promise<number> {
  const trees = Math.ceil(objects / PER_TREE)
  let dropped = 0
  for (let number = round; number < trees; number += 10) {
    await database.transaction(({ rootMapping }) => {
      rootMapping.set(treeName(number), aTree())
    })
    dropped += PER_TREE
  }
  return dropped
}

function treeName(number: number): string {
  return `tree ${String(number).padStart(6, '0')}`
}

/** The ms within which 99 of 100 commits of one field end, one after the other, until `other` ends. */
async function percentileWhile(database: ObjectDatabase, other: Promise<unknown>): Promise<number> {
  let goesOn = true
  const end = (): void => {
    goesOn = false
  }
  other.then(end, end)
  const spans: number[] = []
  for (let commit = 0; goesOn; commit++) {
    const startMs = performance.now()
    await database.transaction(({ rootMapping }) => {
      const item = (rootMapping.get('written') as Tree).get(commit % WRITTEN) as Item
      item.count++
    })
    spans.push(performance.now() - startMs)
  }
  return percentile(spans, 99)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
