import { fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verify } from '../harness.js'
import type { Entry, Supplies } from './contender.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Task } from './task.js'
import { itemsOf, TreehookStore } from './treehook-store.js'

/** The database as a killed process left it. */
export async function open(task: Task, { workspace, seed }: Supplies): Promise<Entry> {
  const killed = workspace.directory('killed')
  await fillAndKill(killed, task, seed)
  const once = async (): Promise<number> => {
    const location = workspace.directory('opened')
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
    [Symbol.asyncDispose]: () => rm(killed, { recursive: true }),
  }
}

async function fillAndKill(location: string, { objects }: Task, seed: number): Promise<void> {
  const child = fork(PROGRAM, [location, String(objects), String(seed)])
  const ended = once(child, 'exit')
  const isFilled = await Promise.race([once(child, 'message').then(() => true), ended])
  child.kill('SIGKILL')
  const [, signal] = await ended
  verify('what ended the process that fills', isFilled === true && signal, 'SIGKILL')
}

/** The same program as the one that runs, compiled or not. */
const PROGRAM = fileURLToPath(new URL(`./fill-program${extname(import.meta.url)}`, import.meta.url))

/** Tables never change, so a second name for each does; what LevelDB writes to is copied. */
async function cloneDirectory(from: string, to: string): Promise<void> {
  await mkdir(to)
  for (const name of await readdir(from)) {
    const clone = name.endsWith('.ldb') ? link : copyFile
    await clone(join(from, name), join(to, name))
  }
}

async function verifyLast(store: TreehookStore, { objects }: Task): Promise<void> {
  await store.database.view(({ rootMapping }) => {
    const items = itemsOf(rootMapping)
    verify('the number of items', items.size, objects)
    verify('the last item', items.get(objects - 1)?.count, 0)
  })
}
