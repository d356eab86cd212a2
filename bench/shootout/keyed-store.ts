import { verify } from '../harness.js'
import { NotAvailableError } from '../peers/not-available.js'
import type { Contender, ContenderName, Entry, Supplies } from './contender.js'
import { fillerTexts, textAt } from './payload.js'
import { stateBytes, textIn } from './raw.js'
import { meanOf, nowMs } from './stopwatch.js'
import type { Operation, Task } from './task.js'

/** A store of bytes under numbers: what objects are made of has to be encoded and decoded each time. */
export interface KeyedStore {
  /** All in one transaction, as durable as the store was opened for. */
  put(first: number, values: readonly Uint8Array[]): void | Promise<void>
  /** Calls `use` with each of the values 0 to `count`, all from one instant. */
  readAll(count: number, use: (value: Uint8Array) => void): void
  close(): void | Promise<void>
}

export type OpenKeyedStore = (
  location: string,
  durability: Task['durability'],
) => KeyedStore | Promise<KeyedStore>

/** Does with such a store what objects do by themselves. */
export class KeyedContender implements Contender {
  readonly name: ContenderName
  readonly versions: string
  readonly #open: OpenKeyedStore

  constructor(name: ContenderName, versions: string, open: OpenKeyedStore) {
    this.name = name
    this.versions = versions
    this.#open = open
  }

  async enter(task: Task, { workspace, texts }: Supplies): Promise<Entry> {
    const once = OPERATIONS[task.operation]
    if (once === undefined) throw new NotAvailableError(`${this.name} has nothing like it`)
    const location = workspace.directory(this.name)
    const table = new KeyedTable(() => this.#open(location, task.durability), task, texts)
    await table.fill()
    if (task.operation === 'cold-read') await table.bury(texts)
    return {
      rounds: { [this.name]: () => meanOf(task.loops, () => once(table)) },
      [Symbol.asyncDispose]: () => table.close(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const OPERATIONS: Readonly<Partial<Record<Operation, (table: KeyedTable) => Promise<number>>>> = {
  add: (table) => table.write({ isNew: true }),
  update: (table) => table.write({ isNew: false }),
  'hot-read': (table) => table.read(),
  'steamin-read': (table) => table.read(),
  async 'cold-read'(table) {
    await table.reopen()
    return table.read()
  },
}

/** Above the number of any object that is read. */
const FIRST_FILLER = 1_000_000

class KeyedTable {
  readonly #open: () => KeyedStore | Promise<KeyedStore>
  readonly #texts: readonly string[]
  readonly #letters: number
  #store: KeyedStore | undefined
  #next: number

  constructor(open: () => KeyedStore | Promise<KeyedStore>, task: Task, texts: readonly string[]) {
    this.#open = open
    this.#texts = Array.from({ length: task.objects }, (_, at) => textAt(texts, at))
    this.#letters = this.#texts.reduce((sum, text) => sum + text.length, 0)
    this.#next = task.objects
  }

  async fill(): Promise<void> {
    this.#store = await this.#open()
    await this.#store.put(0, this.#texts.map(stateBytes))
  }

  /** What was filled in is no longer among the latest writes. */
  async bury(texts: readonly string[]): Promise<void> {
    let next = FIRST_FILLER
    for (const batch of fillerTexts(texts)) {
      await this.#store?.put(next, batch.map(stateBytes))
      next += batch.length
    }
  }

  /** Encoding is timed, as it is for objects. */
  async write({ isNew }: { readonly isNew: boolean }): Promise<number> {
    const first = isNew ? this.#next : 0
    if (isNew) this.#next += this.#texts.length
    const start = nowMs()
    await this.#store?.put(first, this.#texts.map(stateBytes))
    return nowMs() - start
  }

  async read(): Promise<number> {
    let letters = 0
    const start = nowMs()
    this.#store?.readAll(this.#texts.length, (value) => {
      letters += textIn(value).length
    })
    const spent = nowMs() - start
    verify('the letters read', letters, this.#letters)
    return spent
  }

  async reopen(): Promise<void> {
    await this.close()
    this.#store = await this.#open()
  }

  async close(): Promise<void> {
    await this.#store?.close()
  }
}
