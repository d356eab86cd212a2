import { readdir, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  aFunction,
  anAbortSignal,
  anything,
  aPath,
  checkOption,
  checkOptions,
  type OptionRules,
} from '../foundation/index.js'
import {
  type BlobStore,
  createDirectoryStorage,
  formatTid,
  NO_TID,
  NotADirectoryError,
  NotEmptyError,
  type Oid,
  OidSet,
  type Storage,
  type StorageChanges,
  type StorageCommit,
  type Tid,
} from '../storage/index.js'
import type { CopyProgress } from './backup.js'
import {
  blobNameOf,
  contentsIn,
  putContent,
  readContent,
  type StoredContent,
} from './backup-blobs.js'
import { backupChain, type ChainLink } from './backup-chain.js'
import { someBackupsIn } from './backup-directory.js'
import {
  COMMITS_FILE,
  decodeCommitEntry,
  decodeRecordEntry,
  LIVE_FILE,
  RECORDS_FILE,
} from './backup-entries.js'
import { type BackupFile, readBackupFile } from './backup-file.js'
import type { BackupBase, BackupManifest } from './backup-manifest.js'
import { bytesOf, commitBatches } from './commit-batches.js'
import { renameDurably, syncFiles } from './durable-files.js'
import { DamagedBackupError, InvalidOperationOptionError } from './errors.js'

/** @public */
export interface RestoreOptions {
  /**
   * The database as this commit left it, or as it was at this time: the newest state not after it that
   * the backups have. @defaultValue the newest
   */
  readonly upTo?: Tid | Date | undefined
  /** Ends it with the signal's reason; nothing is left. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

const OPTION_RULES: OptionRules<RestoreOptions> = {
  upTo: anything,
  signal: anAbortSignal,
  onProgress: aFunction,
}

/** @public */
export interface RestoreReport extends CopyProgress {
  /** The newest commit of the restored database. */
  readonly tid: Tid
  readonly databaseId: string
  /** How many backups were needed. */
  readonly backups: number
  readonly durationMs: number
}

/**
 * Makes a database of backups: with the same objects, tids and id, and with the history that the backups
 * have, if the database kept any. Every byte that is used is compared with its checksum. The database is
 * there whole or not at all.
 *
 * Webhooks that were pending are pending again, and sent when the database is opened; not with `readOnly`.
 *
 * Source: ZODB's `repozo --recover`.
 * @param directory - what was given to `backup`.
 * @param target - a directory that is empty or does not exist, or an open storage without commits; a
 *   storage that an error left filled in part is of no use any more.
 * @throws STORAGE_NOT_EMPTY; STORAGE_NOT_A_DIRECTORY
 * @throws OPERATIONS_NO_BACKUP when there is none, or none as old as `upTo`.
 * @throws OPERATIONS_INVALID_OPTION
 * @throws OPERATIONS_DAMAGED_BACKUP, STORAGE_UNKNOWN_FORMAT; the signal's reason.
 * @public
 */
export async function restore(
  directory: string,
  target: string | Storage,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  checkOption('directory', directory, aPath, InvalidOperationOptionError)
  checkOptions(options, OPTION_RULES, InvalidOperationOptionError)
  const chain = await backupChain(await someBackupsIn(directory), options.upTo)
  const restoring = new Restoring(chain, options)
  return typeof target === 'string'
    ? restoring.intoDirectory(resolve(target))
    : restoring.into(target)
}

/** Behind the name of a directory: what is restored, until it is whole. */
const PARTIAL_SUFFIX = '.restoring'

class Restoring {
  readonly #chain: readonly ChainLink[]
  readonly #options: RestoreOptions
  readonly #startMs = performance.now()
  readonly #done = { objects: 0, commits: 0, blobs: 0, bytes: 0 }
  /** What the storage has while it is filled. */
  readonly #present = new OidSet()

  constructor(chain: readonly ChainLink[], options: RestoreOptions) {
    this.#chain = chain
    this.#options = options
  }

  async intoDirectory(target: string): Promise<RestoreReport> {
    await assertEmpty(target)
    const partial = `${target}${PARTIAL_SUFFIX}`
    await rm(partial, { recursive: true, force: true })
    const history = this.#newest.history ? 'all' : 'off'
    try {
      const report = await withStorage(createDirectoryStorage(partial, { history }), (storage) =>
        this.into(storage),
      )
      await syncFiles(partial)
      await removeEmpty(target)
      await renameDurably(partial, target)
      return report
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    }
  }

  async into(storage: Storage): Promise<RestoreReport> {
    this.#options.signal?.throwIfAborted()
    if (storage.lastTid === NO_TID) await this.#placeBlobs(storage.blobs)
    const { manifest } = this.#filled.at(-1) as ChainLink
    const { tid, timeMs: baseMs, classes } = manifest.base as BackupBase
    const timeMs = baseMs ?? Number.NEGATIVE_INFINITY
    const { databaseId, highestOid } = manifest
    await storage.fill({
      databaseId,
      tid,
      timeMs,
      highestOid,
      classes: manifest.classes.slice(0, classes),
      changes: this.#changes(),
    })
    for await (const batch of commitBatches(this.#commitsBehind(tid))) {
      await storage.write(batch, 'sync')
      this.#tell()
    }
    const durationMs = performance.now() - this.#startMs
    const backups = this.#chain.length
    return { tid: storage.lastTid, databaseId, backups, ...this.#done, durationMs }
  }

  /**
   * Before the commits that name them. Whoever opens the database looks which of them are named, and
   * drops the others.
   */
  async #placeBlobs(store: BlobStore): Promise<void> {
    // Between two backups, what the earlier one has may still be named.
    const links = this.#chain.slice(this.#options.upTo === undefined ? -1 : -2)
    for (const link of links) {
      for await (const content of contentsIn(link)) await this.#placeBlob(store, content)
    }
  }

  async #placeBlob(store: BlobStore, content: StoredContent): Promise<void> {
    const link = this.#chain.find(({ manifest }) => manifest.number === content.backup)
    if (link === undefined) {
      const why = `it is in backup ${content.backup}, which is missing`
      throw DamagedBackupError.of({ file: content.name, why })
    }
    const pieces = readContent(link.path, content)
    const isNew = await putContent(store, blobNameOf(content), pieces, (bytes) => {
      this.#done.bytes += bytes
      this.#tell()
    })
    if (isNew) this.#done.blobs++
  }

  get #newest(): BackupManifest {
    return (this.#chain.at(-1) as ChainLink).manifest
  }

  /** The backups up to the last one with records: the database is filled with what they have. */
  get #filled(): readonly ChainLink[] {
    return this.#chain.slice(0, this.#lastBase + 1)
  }

  get #lastBase(): number {
    return this.#chain.findLastIndex(({ manifest }) => manifest.base !== undefined)
  }

  async *#changes(): AsyncGenerator<StorageChanges, void, undefined> {
    for (const [index, link] of this.#filled.entries()) {
      if (link.manifest.base !== undefined) yield* this.#recordsOf(link)
      if (index < this.#lastBase) yield* this.#changesByCommits(link)
    }
  }

  async *#recordsOf(link: ChainLink): AsyncGenerator<StorageChanges, void, undefined> {
    for await (const entries of this.#entries(link, RECORDS_FILE)) {
      const records = entries.map(decodeRecordEntry)
      for (const { oid, state } of records) {
        this.#present.add(oid)
        this.#done.bytes += state.length
      }
      this.#done.objects += records.length
      yield { records }
      this.#tell()
    }
    if (fileOf(link, LIVE_FILE) !== undefined) yield* this.#removals(link)
  }

  /** Of what is no longer among those that are. */
  async *#removals(link: ChainLink): AsyncGenerator<StorageChanges, void, undefined> {
    let position = 0
    for await (const entries of this.#entries(link, LIVE_FILE)) {
      const removed: Oid[] = []
      for (const entry of entries as readonly (readonly number[])[]) {
        for (let index = 0; index < entry.length; index += 2) {
          const [gap = 0, run = 0] = [entry[index], entry[index + 1]]
          removed.push(...this.#takeBetween(position, position + gap))
          position += gap + run
        }
      }
      yield { records: [], removed }
    }
    yield { records: [], removed: this.#takeBetween(position, Number.POSITIVE_INFINITY) }
  }

  #takeBetween(from: number, to: number): Oid[] {
    const taken: Oid[] = []
    for (
      let oid = this.#present.next(from);
      oid !== undefined && oid < to;
      oid = this.#present.next(oid + 1)
    ) {
      taken.push(oid)
    }
    for (const oid of taken) this.#present.delete(oid)
    return taken
  }

  async *#changesByCommits(link: ChainLink): AsyncGenerator<StorageChanges, void, undefined> {
    for await (const { tid, records, removed = [] } of this.#commitsOf(link)) {
      for (const { oid } of records) this.#present.add(oid)
      for (const oid of removed) this.#present.delete(oid)
      yield { records: records.map((record) => ({ ...record, tid })), removed }
    }
  }

  /** What follows the records, up to what was asked for. */
  async *#commitsBehind(base: Tid): AsyncGenerator<StorageCommit, void, undefined> {
    let last = base
    for (const link of this.#chain.slice(this.#lastBase)) {
      for await (const commit of this.#commitsOf(link)) {
        if (this.#isLater(commit)) return
        if (commit.tid !== last + 1) throw this.#missing(link, (last + 1) as Tid)
        last = commit.tid
        yield commit
      }
    }
  }

  #isLater({ tid, metadata }: StorageCommit): boolean {
    const { upTo } = this.#options
    if (upTo === undefined) return false
    return upTo instanceof Date ? metadata.timeMs > upTo.getTime() : tid > upTo
  }

  async *#commitsOf(link: ChainLink): AsyncGenerator<StorageCommit, void, undefined> {
    if (fileOf(link, COMMITS_FILE) === undefined) return
    for await (const entries of this.#entries(link, COMMITS_FILE)) {
      for (const entry of entries) {
        const commit = decodeCommitEntry(entry)
        this.#done.commits++
        this.#done.bytes += bytesOf(commit)
        yield commit
      }
    }
  }

  #entries({ path, manifest }: ChainLink, name: string) {
    this.#options.signal?.throwIfAborted()
    const file = manifest.files.find((one) => one.name === name)
    if (file === undefined) throw DamagedBackupError.of({ file: path, why: `it has no ${name}` })
    return readBackupFile(join(path, name), file)
  }

  #tell(): void {
    this.#options.onProgress?.({ ...this.#done })
    this.#options.signal?.throwIfAborted()
  }

  #missing({ path }: ChainLink, tid: Tid): DamagedBackupError {
    return DamagedBackupError.of({ file: path, why: `transaction ${formatTid(tid)} is missing` })
  }
}

function fileOf({ manifest }: ChainLink, name: string): BackupFile | undefined {
  return manifest.files.find((file) => file.name === name)
}

async function withStorage<T>(storage: Storage, fn: (storage: Storage) => Promise<T>): Promise<T> {
  await storage.open()
  try {
    return await fn(storage)
  } finally {
    await storage.close()
  }
}

async function assertEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((cause: { code?: unknown }) => {
    if (cause.code === 'ENOENT') return []
    if (cause.code !== 'ENOTDIR') throw cause
    throw new NotADirectoryError(`${directory} is no directory. Name one that is empty, or new.`, {
      cause,
      details: { location: directory },
    })
  })
  if (names.length > 0) throw notEmpty(directory)
}

/** So that the restored one can take its place. */
async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: { code?: unknown }) => {
    if (error.code === 'ENOENT') return
    throw error.code === 'ENOTEMPTY' || error.code === 'EEXIST' ? notEmpty(directory) : error
  })
}

function notEmpty(directory: string): NotEmptyError {
  return new NotEmptyError(
    `${directory} is not empty. Restore into an empty directory, or one that does not exist yet.`,
    { details: { location: directory } },
  )
}
