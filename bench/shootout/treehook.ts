import type { Contender, Entry, Supplies } from './contender.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Operation, Task } from './task.js'
import { commits, conflictRetry, containerInsert, mixed } from './treehook-clients.js'
import { open } from './treehook-open.js'
import { coldRead, hotRead, steaminRead } from './treehook-reads.js'
import { TreehookStore } from './treehook-store.js'
import {
  add,
  conflictingUpdates,
  readAfterWrite,
  readCurrent,
  savepoint,
  store,
  update,
} from './treehook-writes.js'

/** This library, in this process. */
export const treehook: Contender = {
  name: 'treehook',
  enter: (task, supplies) => OPERATIONS[task.operation](task, supplies),
  async [Symbol.asyncDispose]() {},
}

const OPERATIONS: Readonly<Record<Operation, (task: Task, supplies: Supplies) => Promise<Entry>>> =
  {
    add,
    store,
    update,
    'conflicting-updates': conflictingUpdates,
    'read-after-write': readAfterWrite,
    'cold-read': coldRead,
    'hot-read': hotRead,
    'steamin-read': steaminRead,
    'empty-transaction-commit': emptyTransactionCommit,
    'read-current': readCurrent,
    'new-oid': newOid,
    commits,
    'container-insert': containerInsert,
    'container-iterate': coldRead,
    mixed,
    'conflict-retry': conflictRetry,
    savepoint,
    open,
  }

async function emptyTransactionCommit(task: Task, { workspace }: Supplies): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory('empty'), task)
  const round = async (): Promise<number> => {
    const start = nowMs()
    for (let done = 0; done < task.loops; done++) await store.database.transaction(() => {})
    return (nowMs() - start) / task.loops
  }
  return {
    rounds: { treehook: round },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

async function newOid(task: Task, { workspace }: Supplies): Promise<Entry> {
  const store = await TreehookStore.open(workspace.directory('new-oid'), task)
  const once = (): Promise<number> =>
    store.database.transaction(({ connection }) => {
      const start = nowMs()
      for (let made = 0; made < task.objects; made++) connection.newOid()
      return nowMs() - start
    })
  return {
    rounds: { treehook: () => meanOf(task.loops, once) },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
