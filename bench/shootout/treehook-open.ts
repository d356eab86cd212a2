import { rm } from 'node:fs/promises'
import { verify } from '../harness.js'
import type { Entry, Supplies } from './contender.js'
import { cloneDirectory, killedDatabase, megabytesOfLogs } from './killed.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Task } from './task.js'
import { itemsOf, TreehookStore } from './treehook-store.js'

/** The database as a killed process left it. */
export async function open(task: Task, supplies: Supplies): Promise<Entry> {
  const killed = await killedDatabase(task, supplies)
  const once = async (): Promise<number> => {
    const location = supplies.workspace.directory('opened')
    await cloneDirectory(killed, location)
    const start = nowMs()
    const store = await TreehookStore.open(location, task)
    const spent = nowMs() - start
    await verifyLast(store, task)
    await store[Symbol.asyncDispose]()
    await rm(location, { recursive: true })
    return spent
  }
  return {
    rounds: { treehook: () => meanOf(task.loops, once) },
    facts: async () => ({ megabytesOfLogs: await megabytesOfLogs(killed) }),
    async [Symbol.asyncDispose]() {},
  }
}

async function verifyLast(store: TreehookStore, { objects, isReopened }: Task): Promise<void> {
  await store.database.view(({ rootMapping }) => {
    const items = itemsOf(rootMapping)
    verify('the number of items', items.size, objects)
    verify('the last item', items.get(objects - 1)?.count, isReopened ? LATER_COMMITS : 0)
  })
}

/** How many commits follow when a database was filled, closed and opened again. */
export const LATER_COMMITS = 20
/** How many items each of them changes. */
export const LATER_ITEMS = 100
