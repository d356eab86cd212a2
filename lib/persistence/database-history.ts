import type { Clock } from '../foundation/index.js'
import {
  ObjectNotFoundError,
  type Oid,
  type Storage,
  type Tid,
  type TransactionRow,
} from '../storage/index.js'
import type { BlobKeeper } from './blob-keeper.js'
import { type ChangeFeedOptions, type CommittedChange, changeFeed } from './change-feed.js'
import type { CommittedStore } from './committed-store.js'
import type { Connection } from './connection.js'
import { describeObject } from './describe.js'
import { type Instant, listOfTids, tidOfInstant } from './instant.js'
import { type HistoryEntry, type HistoryOptions, historyOf } from './object-history.js'
import { Past } from './past.js'
import { oidOf, type Persistent, serialOf } from './persistent.js'
import { isNode } from './state-source.js'
import type { TransactionFunction, TransactionRunner } from './transaction-runner.js'
import { undo } from './undo.js'
import { type UndoLogEntry, type UndoLogOptions, undoLog } from './undo-log.js'

/** What one database knows of its earlier commits: read, listed, taken back. */
export class DatabaseHistory {
  readonly #storage: Storage
  readonly #store: CommittedStore
  readonly #blobs: BlobKeeper
  readonly #clock: Clock
  readonly #runner: TransactionRunner
  readonly #past: Past

  constructor({
    storage,
    store,
    blobs,
    clock,
    runner,
  }: {
    readonly storage: Storage
    readonly store: CommittedStore
    readonly blobs: BlobKeeper
    readonly clock: Clock
    readonly runner: TransactionRunner
  }) {
    this.#storage = storage
    this.#store = store
    this.#blobs = blobs
    this.#clock = clock
    this.#runner = runner
    this.#past = new Past(storage, store, HISTORICAL_CACHE_BYTES)
  }

  /** The oldest commit that somebody reads now; `undefined` when nobody does. */
  get oldestReadTid(): Tid | undefined {
    return this.#past.oldestTid
  }

  /** The commit that left the database as it was at an instant. */
  tidAt(when: Instant): Tid {
    return tidOfInstant(when, {
      lastTid: this.#store.epochs.current.tid,
      nowMs: this.#clock.nowMs(),
      tidAt: (timeMs) => this.#storage.tidAt(timeMs),
    })
  }

  /** Calls `fn` in a transaction that reads the database as a commit left it. */
  async at<T>(tid: Tid, fn: TransactionFunction<T>): Promise<T> {
    const past = this.#past.open(tid)
    try {
      return await this.#runner.viewOf(past, fn)
    } finally {
      past.close()
      this.#blobs.release()
    }
  }

  /** The revisions of an object, newest first. */
  of(object: Persistent | Oid, options: HistoryOptions): readonly HistoryEntry[] {
    const oid = typeof object === 'number' ? object : storedOid(object)
    return historyOf(this.#storage, oid, options)
  }

  /** The transactions that can be undone, newest first. */
  undoLog(options: UndoLogOptions): AsyncIterableIterator<UndoLogEntry> {
    return undoLog(this.#storage, options, (row) => this.#describe(row))
  }

  /** What a transaction wrote, as it left it. */
  #describe({ tid, oids }: TransactionRow): Promise<readonly string[]> {
    return this.at(tid, ({ connection }) =>
      oids.flatMap((oid) => {
        const state = connection.committedState(oid)
        if (state === undefined || isNode(state)) return []
        const object = connection.get(oid)
        // Its path is read from its state.
        serialOf(object)
        return [describeObject(object)]
      }),
    )
  }

  /** Takes transactions back in the running one of a connection. */
  undo(connection: Connection, tids: Tid | readonly Tid[]): Promise<void> {
    return undo(connection, listOfTids(tids), this.#source)
  }

  /** The commits from one on, past and to come. */
  changes(options: ChangeFeedOptions): AsyncIterableIterator<CommittedChange> {
    return changeFeed(this.#source, options)
  }

  get #source() {
    return { storage: this.#storage, store: this.#store, past: this.#past }
  }
}

function storedOid(object: Persistent): Oid {
  const oid = oidOf(object)
  if (oid !== undefined) return oid
  throw new ObjectNotFoundError(
    `${describeObject(object)} has no history: it was never stored. Commit it first.`,
  )
}

/** What a reader of the past keeps, each for itself. */
const HISTORICAL_CACHE_BYTES = 16 * 1024 * 1024
