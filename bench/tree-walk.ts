// A program of its own, so that its memory can be measured: walks the tree in the database whose
// directory it is given, and prints what it took as JSON.
import { readFileSync } from 'node:fs'
import { type BTree, ObjectDatabase, type Persistent } from '../lib/index.js'

const [, , location = ''] = process.argv
let mostBytes = 0
let mostOwnBytes = 0

const database = await ObjectDatabase.open(location)
const usPerKey = await timed(() =>
  database.view(({ rootMapping }) => {
    let keys = 0
    for (const _ of treeOf(rootMapping).keys()) if (++keys % 50_000 === 0) lookAtMemory()
    return keys
  }),
)
const usPerPagedEntry = await timed(() =>
  database.view(async ({ rootMapping }) => {
    let entries = 0
    for await (const page of treeOf(rootMapping).pages()) {
      entries += page.length
      if (entries % 50_000 === 0) lookAtMemory()
    }
    return entries
  }),
)
lookAtMemory()
const entries = await database.view(({ rootMapping }) => treeOf(rootMapping).size)
await database.close()
console.log(
  JSON.stringify({
    entries,
    usPerKey,
    usPerPagedEntry,
    residentMegabytes: Math.round(mostBytes / 2 ** 20),
    // Without LevelDB's tables, which are mapped and which the system takes back when it needs room.
    ownMegabytes: Math.round(mostOwnBytes / 2 ** 20),
  }),
)

function treeOf(rootMapping: BTree<string, Persistent>): BTree<string, number> {
  return rootMapping.get('tree') as unknown as BTree<string, number>
}

/** µs for each of what `walk` counts. */
async function timed(walk: () => Promise<number>): Promise<number> {
  const startMs = performance.now()
  const count = await walk()
  return ((performance.now() - startMs) * 1000) / count
}

function lookAtMemory(): void {
  const resident = process.memoryUsage.rss()
  mostBytes = Math.max(mostBytes, resident)
  mostOwnBytes = Math.max(mostOwnBytes, ownBytes() ?? resident)
}

/** Where the system tells it. */
function ownBytes(): number | undefined {
  if (process.platform !== 'linux') return undefined
  const [, kilobytes] =
    /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
}
