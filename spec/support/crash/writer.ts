/**
 * The process that is killed: `writer <options as JSON>` opens a database, says what it finds in the
 * ledger, and commits until it is killed, fails, or has committed enough. It prints
 *
 * | line                            | when                                                     |
 * | ------------------------------- | -------------------------------------------------------- |
 * | `opening`                       | before the database is opened                            |
 * | `ready <report>`                | it is open, and the ledger was checked                   |
 * | `ack <client> <seq>`            | that transaction was acknowledged                        |
 * | `failed <client> <code> <text>` | a transaction was refused, and this client gives up      |
 * | `failed - <code> <text>`        | the open or the close was refused                        |
 * | `closing`, `closed`             | around the close                                         |
 */
import { writevSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { codeOf } from '../../../lib/foundation/index.js'
import { ObjectDatabase } from '../../../lib/persistence/index.js'
import {
  createDirectoryStorage,
  type Durability,
  type History,
  type Storage,
  type Tid,
} from '../../../lib/storage/index.js'
import { Ledger, type LedgerOptions } from './ledger.js'
import { Random } from './random.js'

export interface WriterOptions extends LedgerOptions {
  readonly directory: string
  readonly durability: Durability
  readonly writeBufferBytes: number
  /** `undefined`: as it was. */
  readonly history?: History | undefined
  /** Makes checkpoints, and prunes what history there is, beside the commits. */
  readonly isKeptUp?: boolean
  /** Transactions of each client, after which it closes. Default: until killed. */
  readonly transactions?: number
  /** Kills itself at the nth time, counted from 1, that LevelDB is given something to write. */
  readonly dieAt?: { readonly nth: number; readonly when: 'before' | 'after' }
}

const options = JSON.parse(process.argv[2]!) as WriterOptions

async function main(): Promise<void> {
  const { directory, durability, writeBufferBytes, history, clients } = options
  if (options.dieAt !== undefined) dieAt(options.dieAt)
  say('opening')
  const storage = createDirectoryStorage(directory, { writeBufferBytes, history })
  const db = await ObjectDatabase.open(directory, {
    storage,
    durability,
    onError: () => undefined,
  })
  const ledger = new Ledger(db, options)
  await ledger.make()
  say(`ready ${JSON.stringify(await ledger.check())}`)
  const done = new AbortController()
  const upkeep = options.isKeptUp === true ? keepUp(storage, done.signal) : undefined
  await Promise.all(Array.from({ length: clients }, (_, client) => commit(ledger, client)))
  done.abort()
  await upkeep
  say('closing')
  await db.close()
  say('closed')
}

/** A history of this many transactions is left by each pruning. */
const TRANSACTIONS_KEPT = 20

async function keepUp(storage: Storage, done: AbortSignal): Promise<void> {
  const random = new Random(options.seed)
  while (!done.aborted) {
    await sleep(random.below(20))
    try {
      await storage.checkpoint()
      const before = (storage.lastTid - TRANSACTIONS_KEPT) as Tid
      if (before > (storage.historyFrom ?? before)) await storage.pruneHistory({ before })
    } catch (error) {
      return sayFailed('-', error)
    }
  }
}

async function commit(ledger: Ledger, client: number): Promise<void> {
  const random = new Random(options.seed, client)
  const limit = options.transactions ?? Number.POSITIVE_INFINITY
  for (let i = 0; i < limit; i++) {
    try {
      if (random.oneIn(10)) await ledger.spoil(client)
      say(`ack ${client} ${await ledger.transact(client)}`)
    } catch (error) {
      sayFailed(client, error)
      return
    }
  }
}

/** Synchronous: a line is out before the next step. By `writev`, so that `write` can be made to fail. */
function say(line: string): void {
  writevSync(1, [Buffer.from(line), Buffer.from('\n')])
}

function sayFailed(who: number | '-', error: unknown): void {
  say(`failed ${who} ${codeOf(error) ?? 'uncoded'} ${String(error).replaceAll('\n', ' ')}`)
}

/** LevelDB's public functions that write, as the storage calls them. */
function dieAt({ nth, when }: NonNullable<WriterOptions['dieAt']>): void {
  let count = 0
  const deadly = <A extends unknown[], R>(write: (...args: A) => Promise<R>) =>
    async function (this: unknown, ...args: A): Promise<R> {
      const isNow = ++count === nth
      if (isNow && when === 'before') process.kill(process.pid, 'SIGKILL')
      const result = await write.apply(this, args)
      if (isNow) process.kill(process.pid, 'SIGKILL')
      return result
    }
  const level = ClassicLevel.prototype
  level.put = deadly(level.put) as typeof level.put
  level.del = deadly(level.del) as typeof level.del
  const makeBatch = level.batch as (...args: unknown[]) => { write: () => Promise<void> }
  const makeArrayBatch = makeBatch as unknown as (...args: unknown[]) => Promise<void>
  level.batch = function (this: unknown, ...args: unknown[]) {
    if (args.length > 0) return deadly(makeArrayBatch).apply(this, args)
    const batch = makeBatch.apply(this)
    batch.write = deadly(batch.write)
    return batch
  } as unknown as typeof level.batch
}

main().catch((error: unknown) => {
  sayFailed('-', error)
  process.exitCode = 1
})
