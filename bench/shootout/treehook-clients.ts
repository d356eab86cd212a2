import { BTree, ConflictError, type Persistent, type TransactionContext } from '../../lib/index.js'
import { ratePerSecond, verify } from '../harness.js'
import { percentile } from '../statistics.js'
import type { Entry, Supplies } from './contender.js'
import { seededRandom, zipf } from './payload.js'
import { nowMs } from './stopwatch.js'
import type { Task } from './task.js'
import { itemsOf, TreehookStore } from './treehook-store.js'

/** Transactions at once, each changing items of its own. */
export async function commits(task: Task, supplies: Supplies): Promise<Entry> {
  const { clients, objects } = task
  const store = await filled('commits', task, supplies, clients * objects)
  const spans: number[] = []
  let done = 0
  return entryOf(store, task, {
    work: async (client) => {
      const start = nowMs()
      await store.database.transaction(({ rootMapping }) => {
        const items = itemsOf(rootMapping)
        for (let at = 0; at < objects; at++) countUp(items.get(client * objects + at))
      })
      spans.push(nowMs() - start)
      done++
    },
    facts: async () => {
      await store.verify({ items: clients * objects, sum: done * objects })
      return { medianMs: percentile(spans, 50), p99Ms: percentile(spans, 99) }
    },
  })
}

/** One new key into a tree that all write, in each transaction. */
export async function containerInsert(task: Task, supplies: Supplies): Promise<Entry> {
  const store = await TreehookStore.open(supplies.workspace.directory('insert'), task)
  await store.database.transaction(({ rootMapping }) => {
    rootMapping.set('keys', new BTree() as Persistent)
  })
  const random = seededRandom(supplies.seed)
  let [next, done] = [0, 0]
  const before = store.database.counters.conflicts
  return entryOf(store, task, {
    work: async () => {
      const order = next++
      const key = task.isRising ? order : Math.floor(random() * 2 ** 31) * 2 ** 20 + order
      await store.database.transaction(({ rootMapping }) => keysOf(rootMapping).set(key, order))
      done++
    },
    facts: async () => {
      await store.database.view(({ rootMapping }) => {
        verify('the number of keys', [...keysOf(rootMapping).keys()].length, done)
      })
      return { conflicts: store.database.counters.conflicts - before }
    },
  })
}

/** Nine of ten transactions read as many items as the task says, one of ten changes them. */
export async function mixed(task: Task, supplies: Supplies): Promise<Entry> {
  const store = await filled('mixed', task, supplies, MIXED_POPULATION)
  const random = seededRandom(supplies.seed)
  const pick = zipf(MIXED_POPULATION, ZIPF_EXPONENT, random)
  let changes = 0
  return entryOf(store, task, {
    work: async () => {
      const picked = Array.from({ length: task.objects }, pick)
      if (random() >= WRITE_SHARE) {
        await store.database.view((context) => readPicked(context, picked))
        return
      }
      await store.database.transaction(({ rootMapping }) => {
        const items = itemsOf(rootMapping)
        for (const at of picked) countUp(items.get(at))
      })
      changes += picked.length
    },
    facts: async () => {
      await store.verify({ items: MIXED_POPULATION, sum: changes })
      return { conflicts: store.database.counters.conflicts }
    },
  })
}

/** Each changes one item: its own, or in so many of a hundred the one that all share. */
export async function conflictRetry(task: Task, supplies: Supplies): Promise<Entry> {
  const { clients, overlapPercent } = task
  const store = await filled('conflict-retry', task, supplies, clients + 1)
  const random = seededRandom(supplies.seed)
  let [tries, done] = [0, 0]
  return entryOf(store, task, {
    work: async (client) => {
      const at = random() * 100 < overlapPercent ? clients : client
      const change = ({ rootMapping }: TransactionContext): void => {
        tries++
        countUp(itemsOf(rootMapping).get(at))
      }
      await untilCommitted(() => store.database.transaction(change))
      done++
    },
    facts: async () => {
      await store.verify({ items: clients + 1, sum: done })
      return { retriesPerSuccess: (tries - done) / done }
    },
  })
}

/** How many items there are for `mixed`. */
export const MIXED_POPULATION = 10_000
export const ZIPF_EXPONENT = 0.99
export const WRITE_SHARE = 0.1

async function filled(
  name: string,
  task: Task,
  { workspace, texts }: Supplies,
  count: number,
): Promise<TreehookStore> {
  const store = await TreehookStore.open(workspace.directory(name), task)
  await store.fill(texts, count)
  return store
}

function entryOf(
  store: TreehookStore,
  { clients, roundMs }: Task,
  { work, facts }: { work: (client: number) => Promise<void>; facts: NonNullable<Entry['facts']> },
): Entry {
  return {
    rounds: { treehook: () => ratePerSecond(work, { clients, roundMs }) },
    facts,
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function readPicked({ rootMapping }: TransactionContext, picked: readonly number[]): number {
  const items = itemsOf(rootMapping)
  let letters = 0
  for (const at of picked) letters += items.get(at)?.text.length ?? 0
  return letters
}

/** `transaction` repeats by itself; when all its tries have lost it is called again. */
async function untilCommitted(transaction: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await transaction()
      return
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
    }
  }
}

function keysOf(rootMapping: TransactionContext['rootMapping']): BTree<number, number> {
  return rootMapping.get('keys') as BTree<number, number>
}

function countUp(item: { count: number } | undefined): void {
  if (item === undefined) throw new Error('An item is missing')
  item.count++
}
