import {
  BTree,
  createDirectoryStorage,
  field,
  ObjectDatabase,
  type ObjectDatabaseOptions,
  Persistent,
  stored,
  type TransactionContext,
} from '../../lib/index.js'
import { verify } from '../harness.js'
import { NotAvailableError } from '../peers/not-available.js'
import { fillerTexts, textAt } from './payload.js'
import type { Task } from './task.js'

/** What is stored: a text and a number. */
@stored('bench.Item')
export class Item extends Persistent {
  @field accessor text = ''
  @field accessor count = 0

  static of(text: string): Item {
    const item = new Item()
    item.text = text
    return item
  }
}

/** The same; of two concurrent changes the later one counts, as in zodbshootout. */
@stored('bench.ResolvingItem')
export class ResolvingItem extends Item {
  static override of(text: string): ResolvingItem {
    const item = new ResolvingItem()
    item.text = text
    return item
  }

  static resolveConflict<State>({ wanted }: { readonly wanted: State }): State {
    return wanted
  }
}

export type Items = BTree<number, Item>

/** The objects alone, without folders and webhooks, as ZODB is: an `ObjectDatabase`. */
export class TreehookStore implements AsyncDisposable {
  readonly #location: string
  readonly #task: Task
  readonly #options: ObjectDatabaseOptions
  #database: ObjectDatabase

  /** @throws NotAvailableError when the task keeps history and this version does not. */
  static async open(
    location: string,
    task: Task,
    options: ObjectDatabaseOptions = {},
  ): Promise<TreehookStore> {
    return new TreehookStore(location, task, options, await openDatabase(location, task, options))
  }

  private constructor(
    location: string,
    task: Task,
    options: ObjectDatabaseOptions,
    database: ObjectDatabase,
  ) {
    this.#location = location
    this.#task = task
    this.#options = options
    this.#database = database
  }

  get database(): ObjectDatabase {
    return this.#database
  }

  /** What is in the tree is gone, and so many new items are in it; a thousand in a transaction. */
  async fill(texts: readonly string[], count: number, make = Item.of): Promise<void> {
    await this.#database.transaction(({ rootMapping }) => {
      rootMapping.set('items', new BTree<number, Item>())
    })
    for (let from = 0; from < count; from += FILL_STEP) {
      await this.#database.transaction(({ rootMapping }) => {
        const items = itemsOf(rootMapping)
        const to = Math.min(count, from + FILL_STEP)
        for (let at = from; at < to; at++) items.set(at, make(textAt(texts, at)))
      })
    }
  }

  /** The items are no longer among the latest writes. */
  async bury(texts: readonly string[]): Promise<void> {
    await this.#database.transaction(({ rootMapping }) => {
      rootMapping.set('filler', new BTree<number, Item>())
    })
    for (const batch of fillerTexts(texts)) {
      await this.#database.transaction(({ rootMapping }) => {
        const filler = rootMapping.get('filler') as unknown as Items
        for (const text of batch) filler.set(filler.size, Item.of(text))
      })
    }
  }

  /** Every cache is as after a start, LevelDB's cache of blocks as well; not the system's. */
  async reopen(): Promise<void> {
    await this.#database.close()
    this.#database = await openDatabase(this.#location, this.#task, this.#options)
  }

  /** Fails the run unless exactly so many items are there and the sum of their counts is right. */
  async verify({ items, sum }: { readonly items: number; readonly sum?: number }): Promise<void> {
    await this.#database.view(({ rootMapping }) => {
      const all = [...itemsOf(rootMapping).values()]
      verify('the number of items', all.length, items)
      if (sum === undefined) return
      verify(
        'the sum of all counts',
        all.reduce((total, { count }) => total + count, 0),
        sum,
      )
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#database.close()
  }
}

export function itemsOf(rootMapping: TransactionContext['rootMapping']): Items {
  return rootMapping.get('items') as unknown as Items
}

/** Changes a field of every item. */
export function changeAll({ rootMapping }: TransactionContext): void {
  for (const item of itemsOf(rootMapping).values()) item.count++
}

/** Reads a field of every item. @returns how many letters there are. */
export function readAll({ rootMapping }: TransactionContext): number {
  let letters = 0
  for (const item of itemsOf(rootMapping).values()) letters += item.text.length
  return letters
}

const FILL_STEP = 1000

async function openDatabase(
  location: string,
  { durability, isHistoryKept }: Task,
  options: ObjectDatabaseOptions,
): Promise<ObjectDatabase> {
  const storage = createDirectoryStorage(location, isHistoryKept ? HISTORY : {})
  await storage.open()
  if (isHistoryKept && !keepsHistory(storage)) {
    await storage.close()
    throw new NotAvailableError('this version keeps no history')
  }
  return ObjectDatabase.open(location, { storage, durability, ...options })
}

/** Of versions whose storage can keep it. */
const HISTORY: object = { history: 'all' }

function keepsHistory(storage: object): boolean {
  return (storage as { readonly historyFrom?: unknown }).historyFrom !== undefined
}
