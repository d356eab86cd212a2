import { aFunction, anAbortSignal, checkOptions, type OptionRules } from '../foundation/index.js'
import type { ObjectDatabase } from '../persistence/index.js'
import {
  formatTid,
  HistoryUnavailableError,
  NO_TID,
  piecesOf,
  type Storage,
  type StorageChanges,
  type StorageCommit,
  type StorageSnapshot,
  type Tid,
} from '../storage/index.js'
import type { CopyProgress } from './backup.js'
import { putContent } from './backup-blobs.js'
import { bytesOf, commitBatches } from './commit-batches.js'
import { InvalidOperationOptionError, OtherDatabaseError } from './errors.js'
import { storageOf } from './storage-of.js'

/** @public */
export interface CopyOptions {
  /** Ends it with the signal's reason. A copy that was only continued is sound, and as far as it came. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

const OPTION_RULES: OptionRules<CopyOptions> = {
  signal: anAbortSignal,
  onProgress: aFunction,
}

/** @public */
export interface CopyReport extends CopyProgress {
  /** The newest commit of both. */
  readonly tid: Tid
  readonly durationMs: number
}

/**
 * Makes a storage what another one is: the same objects, tids, users, descriptions and database id, and
 * the history that the source keeps, if the target keeps any. Commits to the source go on, and are not
 * copied once it has begun. A target that is an earlier copy is continued with the commits since.
 *
 * Source: ZODB's `copyTransactionsFrom`; RelStorage's `zodbconvert`.
 * @param target - open, and nobody else writes to it.
 * @throws OPERATIONS_OTHER_DATABASE when the target has commits that the source has not.
 * @throws STORAGE_HISTORY_UNAVAILABLE when the source no longer keeps the commits that the target lacks:
 *   copy into an empty storage.
 * @throws OPERATIONS_INVALID_OPTION
 * @throws STORAGE_READ_ONLY; STORAGE_CLOSED; what reading and writing throws; the signal's reason.
 * @public
 */
export async function copyStorage(
  source: ObjectDatabase | Storage,
  target: Storage,
  options: CopyOptions = {},
): Promise<CopyReport> {
  checkOptions(options, OPTION_RULES, InvalidOperationOptionError)
  return new Copying(storageOf(source), target, options).run()
}

class Copying {
  readonly #source: Storage
  readonly #target: Storage
  readonly #options: CopyOptions
  readonly #startMs = performance.now()
  readonly #done = { objects: 0, commits: 0, blobs: 0, bytes: 0 }

  constructor(source: Storage, target: Storage, options: CopyOptions) {
    this.#source = source
    this.#target = target
    this.#options = options
  }

  async run(): Promise<CopyReport> {
    this.#options.signal?.throwIfAborted()
    const letGo = this.#source.blobs.hold()
    const tid = this.#source.lastTid
    try {
      if (this.#target.lastTid === NO_TID) await this.#copyAll(tid)
      else await this.#continue(tid)
    } finally {
      await letGo()
    }
    return { tid, ...this.#done, durationMs: performance.now() - this.#startMs }
  }

  /** Nothing is awaited before all of the source is at hand: no commit, and no pruning, comes in between. */
  async #copyAll(upTo: Tid): Promise<void> {
    const source = this.#source
    const { databaseId, highestOid, classes, historyFrom: tid = upTo } = source
    const timeMs = source.timeOf(tid) as number
    const snapshot = tid === upTo ? source.snapshot() : source.snapshotAt(tid)
    try {
      const [commits, again] = [this.#commits(tid, upTo), this.#commits(tid, upTo)]
      await this.#copyBlobs()
      const known = (await firstClassIn(again, classes.length + 1)) - 1
      const changes = this.#changes(snapshot)
      const contents = { databaseId, tid, timeMs, highestOid, changes }
      await this.#target.fill({ ...contents, classes: classes.slice(0, known) })
      await this.#write(commits)
    } finally {
      snapshot.close()
    }
  }

  async *#changes(snapshot: StorageSnapshot): AsyncGenerator<StorageChanges, void, undefined> {
    const { signal } = this.#options
    for await (const page of snapshot.recordPages({ signal })) {
      const records = [...page]
      this.#done.objects += records.length
      for (const { state } of records) this.#done.bytes += state.length
      yield { records }
      this.#tell()
    }
  }

  async #continue(upTo: Tid): Promise<void> {
    const { lastTid } = this.#target
    this.#assertCopy(upTo)
    if (lastTid === upTo) return
    const snapshot = this.#source.snapshot() // keeps the commits readable
    try {
      const commits = this.#commits(lastTid, upTo)
      await this.#copyBlobs()
      await this.#write(commits)
      await this.#removeBlobs()
    } catch (error) {
      throw error instanceof HistoryUnavailableError ? this.#tooFarBehind(error) : error
    } finally {
      snapshot.close()
    }
  }

  #commits(after: Tid, upTo: Tid): AsyncIterable<StorageCommit> | readonly StorageCommit[] {
    return after === upTo ? NO_COMMITS : this.#source.commits({ after, upTo })
  }

  async #write(commits: AsyncIterable<StorageCommit> | readonly StorageCommit[]): Promise<void> {
    for await (const batch of commitBatches(commits)) {
      await this.#target.write(batch, 'sync')
      this.#done.commits += batch.length
      for (const commit of batch) this.#done.bytes += bytesOf(commit)
      this.#tell()
    }
  }

  /** Those that the target lacks, before the commits that name them. */
  async #copyBlobs(): Promise<void> {
    const [source, target] = [this.#source.blobs, this.#target.blobs]
    for await (const name of source.list()) {
      const content = source.open(name)
      if (content === undefined) continue
      try {
        const isNew = await putContent(target, name, piecesOf(content), (bytes) => {
          this.#done.bytes += bytes
          this.#tell()
        })
        if (isNew) this.#done.blobs++
      } finally {
        content.close()
      }
    }
  }

  /** Those that the source has no more. */
  async #removeBlobs(): Promise<void> {
    const [source, target] = [this.#source.blobs, this.#target.blobs]
    for await (const name of target.list()) {
      const content = source.open(name)
      content?.close()
      if (content === undefined) await target.remove(name)
    }
  }

  #tell(): void {
    this.#options.onProgress?.({ ...this.#done })
    this.#options.signal?.throwIfAborted()
  }

  #assertCopy(upTo: Tid): void {
    const [source, target] = [this.#source, this.#target]
    const { lastTid, databaseId } = target
    const isSame = databaseId === source.databaseId && lastTid <= upTo
    const timeMs = isSame ? source.timeOf(lastTid) : Number.NaN
    if (timeMs === undefined || timeMs === target.timeOf(lastTid)) return
    throw new OtherDatabaseError(
      `${target.location} is no earlier copy of ${source.location}: it has other commits. Copy into an empty ` +
        'storage.',
      { details: { databaseId, lastTid: formatTid(lastTid), source: source.databaseId } },
    )
  }

  #tooFarBehind(cause: unknown): HistoryUnavailableError {
    const { location, lastTid } = this.#target
    return new HistoryUnavailableError(
      `${location} ends with transaction ${formatTid(lastTid)}, and ${this.#source.location} no longer keeps the ` +
        'commits behind it. Copy into an empty storage, or keep history.',
      { cause, details: { lastTid: formatTid(lastTid) } },
    )
  }
}

const NO_COMMITS: readonly StorageCommit[] = []

/** The id of the first class that commits bring; `otherwise` when they bring none. */
async function firstClassIn(
  commits: AsyncIterable<StorageCommit> | readonly StorageCommit[],
  otherwise: number,
): Promise<number> {
  for await (const { classes } of commits) if (classes[0] !== undefined) return classes[0].classId
  return otherwise
}
