import { verify } from '../harness.js'
import type { Entry, Facts, Supplies } from './contender.js'
import { textAt } from './payload.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Task } from './task.js'
import { readAll, TreehookStore } from './treehook-store.js'

/** Everything is read from LevelDB: the database was opened again, the system's cache is warm. */
export async function coldRead(task: Task, supplies: Supplies): Promise<Entry> {
  const reading = await Reading.prepare('cold-read', task, supplies)
  await reading.store.bury(supplies.texts)
  return reading.entry({
    before: () => reading.store.reopen(),
    check: ({ loads, storageReads }) => {
      atLeast('the objects loaded', loads, task.objects)
      atLeast('the records read', storageReads, task.objects)
    },
  })
}

/** Every object is made anew, by a new connection, of states in the shared cache. */
export async function hotRead(task: Task, supplies: Supplies): Promise<Entry> {
  const reading = await Reading.prepare('hot-read', task, supplies, { poolSize: 0 })
  return reading.entry({
    check: ({ loads, storageReads }) => {
      atLeast('the objects loaded', loads, task.objects)
      verify('the records read', storageReads, 0)
    },
  })
}

/** Every object is there, in the connection. */
export async function steaminRead(task: Task, supplies: Supplies): Promise<Entry> {
  const reading = await Reading.prepare('steamin-read', task, supplies)
  return reading.entry({
    check: ({ loads, storageReads, decodes }) => {
      verify('the objects loaded', loads, 0)
      verify('the records read', storageReads, 0)
      verify('the states decoded', decodes, 0)
    },
  })
}

/** Items that are read again and again, in one transaction each time. */
class Reading {
  readonly store: TreehookStore
  readonly #task: Task
  readonly #letters: number
  #last: Counts = { loads: 0, storageReads: 0, decodes: 0 }

  static async prepare(
    name: string,
    task: Task,
    { workspace, texts }: Supplies,
    options: { readonly poolSize?: number } = {},
  ): Promise<Reading> {
    const store = await TreehookStore.open(workspace.directory(name), task, options)
    await store.fill(texts, task.objects)
    let letters = 0
    for (let at = 0; at < task.objects; at++) letters += textAt(texts, at).length
    const reading = new Reading(store, task, letters)
    await reading.#readOnce() // from now on what can be warm is
    return reading
  }

  private constructor(store: TreehookStore, task: Task, letters: number) {
    this.store = store
    this.#task = task
    this.#letters = letters
  }

  entry({
    before,
    check,
  }: {
    before?: () => Promise<void>
    check: (counts: Counts) => void
  }): Entry {
    const once = async (): Promise<number> => {
      await before?.()
      const spent = await this.#readOnce()
      check(this.#last)
      return spent
    }
    return {
      rounds: { treehook: () => meanOf(this.#task.loops, once) },
      facts: (): Facts => ({ ...this.#last }),
      [Symbol.asyncDispose]: () => this.store[Symbol.asyncDispose](),
    }
  }

  async #readOnce(): Promise<number> {
    const { database } = this.store
    const { loads, storageReads, decodes } = database.counters
    const start = nowMs()
    const letters = await database.view(readAll)
    const spent = nowMs() - start
    verify('the letters read', letters, this.#letters)
    this.#last = {
      loads: database.counters.loads - loads,
      storageReads: database.counters.storageReads - storageReads,
      decodes: database.counters.decodes - decodes,
    }
    return spent
  }
}

interface Counts {
  readonly loads: number
  readonly storageReads: number
  readonly decodes: number
}

function atLeast(what: string, found: number, least: number): void {
  verify(`${what} (at least ${least})`, found >= least, true)
}
