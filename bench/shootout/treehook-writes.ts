import { createDirectoryStorage, type Oid, type Storage, type Tid } from '../../lib/index.js'
import { verify } from '../harness.js'
import { NotAvailableError } from '../peers/not-available.js'
import type { Entry, Supplies } from './contender.js'
import { textAt } from './payload.js'
import { stateBytes } from './raw.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Task } from './task.js'
import {
  changeAll,
  Item,
  itemsOf,
  ResolvingItem,
  readAll,
  TreehookStore,
} from './treehook-store.js'

/** New items into an empty tree. They are made before, emptying is not timed. */
export async function add(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory('add'), task)
  const { database } = store
  await store.fill(texts, 0)
  const once = async (): Promise<number> => {
    await database.transaction(({ rootMapping }) => itemsOf(rootMapping).clear())
    const items = Array.from({ length: task.objects }, (_, at) => Item.of(textAt(texts, at)))
    const start = nowMs()
    await database.transaction(({ rootMapping }) => {
      const tree = itemsOf(rootMapping)
      for (let at = 0; at < items.length; at++) tree.set(at, items[at] as Item)
    })
    return nowMs() - start
  }
  return {
    rounds: { treehook: () => meanOf(task.loops, once) },
    facts: async () => {
      await store.verify({ items: task.objects })
      return {}
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Records that are encoded already, given to the storage: what the layers above cost is left out. */
export async function store(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const storage = createDirectoryStorage(workspace.directory('store'))
  await storage.open()
  const states = texts.slice(0, task.objects).map(stateBytes)
  let written = 0
  const once = async (): Promise<number> => {
    const commit = commitOf(storage, states)
    const start = nowMs()
    await storage.write([commit], task.durability)
    written++
    return nowMs() - start
  }
  return {
    rounds: { treehook: () => meanOf(task.loops, once) },
    facts: () => {
      verify('the number of commits stored', storage.lastTid, written)
      return {}
    },
    [Symbol.asyncDispose]: () => storage.close(),
  }
}

function commitOf(storage: Storage, states: readonly Buffer[]): StorageCommit {
  const isFirst = storage.classes.length === 0
  return {
    tid: (storage.lastTid + 1) as Tid,
    metadata: { timeMs: Date.now(), user: '', description: '', extension: {} },
    records: states.map((state, at) => ({ oid: at as Oid, classId: 1, state })),
    classes: isFirst ? [{ classId: 1, name: 'bench.Item', fields: ['text', 'count'] }] : [],
  }
}

type StorageCommit = Parameters<Storage['write']>[0][number]

/** One field of every item. */
export async function update(task: Task, supplies: Supplies): Promise<Entry> {
  return counted('update', task, supplies, async ({ database }) => {
    const start = nowMs()
    await database.transaction(changeAll)
    return nowMs() - start
  })
}

/** The same, and in the next transaction everything is read. */
export async function readAfterWrite(task: Task, supplies: Supplies): Promise<Entry> {
  const letters = lettersOf(task, supplies)
  return counted('read-after-write', task, supplies, async ({ database }) => {
    const start = nowMs()
    await database.transaction(changeAll)
    const read = await database.view(readAll)
    const spent = nowMs() - start
    verify('the letters read', read, letters)
    return spent
  })
}

/** A savepoint after each hundredth of the items is changed. */
export async function savepoint(task: Task, supplies: Supplies): Promise<Entry> {
  const every = Math.max(1, Math.floor(task.objects / SAVEPOINTS))
  const work = async ({ database }: TreehookStore): Promise<number> => {
    const start = nowMs()
    await database.transaction(({ rootMapping, transaction }) => {
      let changed = 0
      for (const item of itemsOf(rootMapping).values()) {
        item.count++
        if (++changed % every === 0) transaction.savepoint()
      }
    })
    return nowMs() - start
  }
  return tried('savepoints', await counted('savepoint', task, supplies, work))
}

const SAVEPOINTS = 100

/** Two transactions that began at the same time change every item; the second is merged or repeated. */
export async function conflictingUpdates(
  task: Task,
  { workspace, texts }: Supplies,
): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory('conflicting'), task)
  await store.fill(texts, task.objects, ResolvingItem.of)
  const before = { ...store.database.counters }
  let rounds = 0
  const once = async (): Promise<number> => {
    const meet = meeting(2)
    const start = nowMs()
    const one = async (): Promise<void> => {
      let isFirstTry = true
      await store.database.transaction(async (context) => {
        changeAll(context)
        if (isFirstTry) await meet()
        isFirstTry = false
      })
    }
    await Promise.all([one(), one()])
    rounds++
    return nowMs() - start
  }
  return {
    rounds: { treehook: () => meanOf(task.loops, once) },
    facts: () => ({
      repeatedPerSample: (store.database.counters.conflicts - before.conflicts) / rounds,
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Resolves for all once so many have called. */
function meeting(count: number): () => Promise<void> {
  let open: () => void
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  let left = count
  return () => {
    if (--left === 0) open()
    return all
  }
}

/** Declares that every item must not change meanwhile, and changes one. */
export async function readCurrent(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory('read-current'), task)
  await store.fill(texts, task.objects)
  const once = async (): Promise<number> => {
    const start = nowMs()
    await store.database.transaction(({ rootMapping, connection }) => {
      let last: Item | undefined
      for (const item of itemsOf(rootMapping).values()) {
        ;(connection as unknown as ReadsCurrent).readCurrent(item)
        last = item
      }
      if (last !== undefined) last.count++
    })
    return nowMs() - start
  }
  return tried('readCurrent', {
    rounds: { treehook: () => meanOf(task.loops, once) },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  })
}

/** A connection of a version that has it. */
interface ReadsCurrent {
  readCurrent(object: object): void
}

/** A task whose every run adds one to the count of each item; that it did is checked at the end. */
async function counted(
  name: string,
  task: Task,
  { workspace, texts }: Supplies,
  once: (store: TreehookStore) => Promise<number>,
): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory(name), task)
  await store.fill(texts, task.objects)
  let runs = 0
  return {
    rounds: {
      treehook: () =>
        meanOf(task.loops, () => {
          runs++
          return once(store)
        }),
    },
    facts: async () => {
      await store.verify({ items: task.objects, sum: runs * task.objects })
      return {}
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

/** Does it once: what this version lacks is known before anything is measured. */
async function tried(what: string, entry: Entry): Promise<Entry> {
  try {
    await entry.rounds.treehook?.()
    return entry
  } catch (error) {
    await entry[Symbol.asyncDispose]()
    throw new NotAvailableError(`this version has no ${what}: ${(error as Error).message}`)
  }
}

function lettersOf({ objects }: Task, { texts }: Supplies): number {
  let letters = 0
  for (let at = 0; at < objects; at++) letters += textAt(texts, at).length
  return letters
}
