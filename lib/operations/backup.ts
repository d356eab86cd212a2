import { join } from 'node:path'
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  aPath,
  checkOption,
  checkOptions,
  type OptionRules,
} from '../foundation/index.js'
import type { ObjectDatabase } from '../persistence/index.js'
import {
  formatTid,
  HistoryUnavailableError,
  NO_TID,
  type Storage,
  type StorageCommit,
  StorageFullError,
  type StorageRecord,
  type StorageSnapshot,
  type Tid,
} from '../storage/index.js'
import { backUpBlobs, contentsIn, type StoredContent } from './backup-blobs.js'
import type { ChainLink } from './backup-chain.js'
import { BackupDirectory } from './backup-directory.js'
import {
  COMMITS_FILE,
  encodeCommitEntry,
  encodeRecordEntry,
  LIVE_FILE,
  LiveRuns,
  RECORDS_FILE,
} from './backup-entries.js'
import { type BackupFile, BackupFileWriter } from './backup-file.js'
import {
  BACKUP_FORMAT,
  BACKUP_VERSION,
  type BackupBase,
  type BackupManifest,
  type StoredManifest,
} from './backup-manifest.js'
import { bytesOf } from './commit-batches.js'
import { InvalidOperationOptionError, NoBackupError, OtherDatabaseError } from './errors.js'
import { storageOf } from './storage-of.js'

/** @public */
export interface BackupOptions {
  /** Everything, even where a backup could be continued. @defaultValue false */
  readonly full?: boolean | undefined
  /** Ends it with the signal's reason; nothing is left. */
  readonly signal?: AbortSignal | undefined
  /** Called about once for each 256 KiB. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

const OPTION_RULES: OptionRules<BackupOptions> = {
  full: aBoolean,
  signal: anAbortSignal,
  onProgress: aFunction,
}

/** How far a backup, restore or copy has come. @public */
export interface CopyProgress {
  /** Records of objects as they were at one commit. */
  readonly objects: number
  readonly commits: number
  /** Contents of blobs. */
  readonly blobs: number
  /** Of states and contents. */
  readonly bytes: number
}

/** @public */
export interface BackupReport extends CopyProgress {
  /** `unchanged`: nothing was committed since the newest backup, and none was made. */
  readonly kind: 'full' | 'incremental' | 'unchanged'
  /** Of the backup, or of the newest that there was. */
  readonly number: number
  /** The commit that it restores. */
  readonly tid: Tid
  readonly durationMs: number
}

/**
 * Backs a database up while it is used: all of it as one commit left it. The first backup in a directory
 * is full, the others have what changed since the one before. Where the database keeps the commits in
 * between, always with history and else for a while, the backup has each of them, and `restore` can stop
 * at any; where it does not, the backup has the newest state of what changed. A full backup of a
 * database with history has the history.
 *
 * A backup is there whole, with checksums, or not at all. To begin a new line of backups, ask for a full
 * one; earlier directories may go once nothing before it needs to be restored.
 *
 * Source: ZODB's `repozo`, which knows no blobs and no other storages.
 * @param directory - where the backups of this database are; created when it is missing.
 * @throws OPERATIONS_OTHER_DATABASE when the directory has backups of another database, or of commits
 *   that this one has not.
 * @throws OPERATIONS_DAMAGED_BACKUP when the manifest of the newest backup is, and `full` is not asked for.
 * @throws OPERATIONS_NO_BACKUP when the database has no commit yet.
 * @throws STORAGE_CORRUPT_RECORD when an object cannot be read: `verify` says which can.
 * @throws OPERATIONS_INVALID_OPTION
 * @throws STORAGE_LOCKED when another backup is being made there; STORAGE_NOT_A_DIRECTORY,
 *   STORAGE_NOT_WRITABLE; STORAGE_FULL; STORAGE_CLOSED; the
 *   signal's reason.
 * @public
 */
export async function backup(
  database: ObjectDatabase | Storage,
  directory: string,
  options: BackupOptions = {},
): Promise<BackupReport> {
  checkOption('directory', directory, aPath, InvalidOperationOptionError)
  checkOptions(options, OPTION_RULES, InvalidOperationOptionError)
  const target = await BackupDirectory.acquire(directory)
  try {
    return await new Backup(storageOf(database), options).into(target)
  } catch (error) {
    throw (error as { code?: unknown }).code === 'ENOSPC' ? diskFull(target.path, error) : error
  } finally {
    await target.release()
  }
}

/** What of a storage a backup has; all of it decided in one step. */
interface Plan {
  readonly kind: 'full' | 'incremental'
  readonly tid: Tid
  readonly timeMs: number
  readonly highestOid: number
  readonly classes: Storage['classes']
  readonly history: boolean
  readonly base: Omit<BackupBase, 'classes'> | undefined
  /** As of the base, if there is one; else it keeps the commits readable. */
  readonly snapshot: StorageSnapshot
  /** Those after the base, or after the backup before. */
  readonly commits: AsyncIterable<StorageCommit> | undefined
}

class Backup {
  readonly #storage: Storage
  readonly #options: BackupOptions
  readonly #startMs = performance.now()
  readonly #done = { objects: 0, commits: 0, blobs: 0, bytes: 0 }

  constructor(storage: Storage, options: BackupOptions) {
    this.#storage = storage
    this.#options = options
  }

  async into(target: BackupDirectory): Promise<BackupReport> {
    const { full = false, signal } = this.#options
    signal?.throwIfAborted()
    const newest = await target.newest().catch((error) => {
      if (full) return undefined
      throw error
    })
    if (newest !== undefined) this.#assertSameDatabase(newest, target.path)
    const previous = full ? undefined : newest
    if (previous !== undefined) {
      this.#assertContinues(previous, target.path)
      const { number, tid } = previous.manifest
      if (tid === this.#storage.lastTid) return this.#report('unchanged', number, tid)
    }
    const letGo = this.#storage.blobs.hold()
    let plan: Plan | undefined
    try {
      plan = this.#plan(previous?.manifest)
      const before = previous && { path: await target.newestPath(), ...previous }
      const { kind, tid } = plan
      const write = this.#write.bind(this, plan, before)
      const { number } = await target.add(write)
      return this.#report(kind, number, tid)
    } finally {
      plan?.snapshot.close()
      await letGo()
    }
  }

  #report(kind: BackupReport['kind'], number: number, tid: Tid): BackupReport {
    return { kind, number, tid, ...this.#done, durationMs: performance.now() - this.#startMs }
  }

  #assertSameDatabase({ manifest }: StoredManifest, directory: string): void {
    const { databaseId } = this.#storage
    if (manifest.databaseId === databaseId) return
    throw new OtherDatabaseError(
      `${directory} has backups of the database ${manifest.databaseId}, and ${this.#storage.location} is ` +
        `${databaseId}. Give each database a directory of its own.`,
      { details: { directory, databaseId, other: manifest.databaseId } },
    )
  }

  #assertContinues({ manifest }: StoredManifest, directory: string): void {
    const { tid, timeMs } = manifest
    const known = tid <= this.#storage.lastTid ? this.#storage.timeOf(tid) : Number.NaN
    if (known === undefined || known === timeMs) return
    throw new OtherDatabaseError(
      `The newest backup in ${directory} ends with transaction ${formatTid(tid)}, which ${this.#storage.location} ` +
        'does not have, or not as it is there: an earlier state was restored, or commits were lost. Make a ' +
        'full backup.',
      { details: { directory, tid: formatTid(tid) } },
    )
  }

  /** Nothing is awaited here: no commit comes in between. */
  #plan(previous: BackupManifest | undefined): Plan {
    const storage = this.#storage
    const { lastTid: tid, highestOid, classes, historyFrom } = storage
    if (tid === NO_TID) throw nothingToBackUp(storage)
    const timeMs = storage.timeOf(tid) as number
    const history = historyFrom !== undefined
    const seen = { tid, timeMs, highestOid, classes, history }
    if (previous !== undefined) {
      const commits = commitsAfter(storage, previous.tid)
      const base = commits === undefined ? { tid, timeMs } : undefined
      return { ...seen, kind: 'incremental', base, snapshot: storage.snapshot(), commits }
    }
    if (historyFrom === undefined || historyFrom === tid) {
      const base = { tid, timeMs }
      return { ...seen, kind: 'full', base, snapshot: storage.snapshot(), commits: undefined }
    }
    return {
      ...seen,
      kind: 'full',
      base: { tid: historyFrom, timeMs: timeOfBase(storage, historyFrom) },
      snapshot: storage.snapshotAt(historyFrom),
      commits: storage.commits({ after: historyFrom, upTo: tid }),
    }
  }

  async #write(
    plan: Plan,
    previous: (StoredManifest & ChainLink) | undefined,
    path: string,
    number: number,
  ): Promise<BackupManifest> {
    const { kind, tid, timeMs, highestOid, classes, history, base } = plan
    const files: BackupFile[] = []
    if (base !== undefined) {
      files.push(...(await this.#writeRecords(path, plan.snapshot, previous?.manifest.tid)))
    }
    let classesBefore = classes.length
    if (plan.commits !== undefined) {
      const written = await this.#writeCommits(path, plan.commits)
      files.push(written.file)
      classesBefore = (written.firstClassId ?? classes.length + 1) - 1
    }
    const blobs = await this.#writeBlobs(path, number, previous)
    if (blobs !== undefined) files.push(blobs)
    return {
      format: BACKUP_FORMAT,
      version: BACKUP_VERSION,
      databaseId: this.#storage.databaseId,
      number,
      kind,
      tid,
      timeMs,
      highestOid,
      classes,
      history,
      ...(base !== undefined && { base: { ...base, classes: classesBefore } }),
      ...(previous !== undefined && { previous: nameOf(previous) }),
      files,
    }
  }

  /** @param newerThan - what an earlier backup has; the oids of all then stand in a file of their own. */
  async #writeRecords(
    path: string,
    snapshot: StorageSnapshot,
    newerThan: Tid | undefined,
  ): Promise<readonly BackupFile[]> {
    const { signal } = this.#options
    return this.#withFile(join(path, RECORDS_FILE), async (records) => {
      if (newerThan === undefined) {
        for await (const page of snapshot.recordPages({ signal })) {
          for (const record of page) {
            this.#addRecord(records, record)
            if (records.isFull) await this.#flush(records)
          }
        }
        return [await records.finish()]
      }
      return this.#withFile(join(path, LIVE_FILE), async (live) => {
        const runs = new LiveRuns()
        for await (const page of snapshot.recordPages({ signal })) {
          for (const record of page) {
            runs.add(record.oid)
            if (record.tid > newerThan) this.#addRecord(records, record)
            if (records.isFull) await this.#flush(records)
          }
          for (const entry of runs.take()) live.add(entry)
          if (live.isFull) await this.#flush(live)
        }
        runs.end()
        for (const entry of runs.take()) live.add(entry)
        return [await records.finish(), await live.finish()]
      })
    })
  }

  #addRecord(file: BackupFileWriter, record: StorageRecord): void {
    file.add(encodeRecordEntry(record))
    this.#done.objects++
    this.#done.bytes += record.state.length
  }

  async #writeCommits(
    path: string,
    commits: AsyncIterable<StorageCommit>,
  ): Promise<{ readonly file: BackupFile; readonly firstClassId: number | undefined }> {
    return this.#withFile(join(path, COMMITS_FILE), async (file) => {
      let firstClassId: number | undefined
      for await (const commit of commits) {
        firstClassId ??= commit.classes[0]?.classId
        file.add(encodeCommitEntry(commit))
        this.#done.commits++
        this.#done.bytes += bytesOf(commit)
        if (file.isFull) await this.#flush(file)
      }
      return { file: await file.finish(), firstClassId }
    })
  }

  async #writeBlobs(
    path: string,
    number: number,
    previous: ChainLink | undefined,
  ): Promise<BackupFile | undefined> {
    const earlier = new Map<string, StoredContent>()
    if (previous !== undefined) {
      for await (const content of contentsIn(previous)) earlier.set(content.name, content)
    }
    const { signal, onProgress } = this.#options
    const done = this.#done
    const onBytes = (bytes: number): void => {
      done.bytes += bytes
      onProgress?.({ ...done })
      signal?.throwIfAborted()
    }
    const onContent = (): void => void done.blobs++
    const { blobs } = this.#storage
    return backUpBlobs(blobs, { path, number, earlier, onBytes, onContent })
  }

  async #flush(file: BackupFileWriter): Promise<void> {
    const { signal, onProgress } = this.#options
    await file.flush()
    onProgress?.({ ...this.#done })
    signal?.throwIfAborted()
  }

  async #withFile<T>(path: string, write: (file: BackupFileWriter) => Promise<T>): Promise<T> {
    const file = await BackupFileWriter.create(path)
    try {
      return await write(file)
    } finally {
      await file.close()
    }
  }
}

function timeOfBase(storage: Storage, tid: Tid): number | null {
  return tid === NO_TID ? null : (storage.timeOf(tid) as number)
}

/** `undefined` when one of them is gone. */
function commitsAfter(storage: Storage, after: Tid): AsyncIterable<StorageCommit> | undefined {
  try {
    return storage.commits({ after, upTo: storage.lastTid })
  } catch (error) {
    if (error instanceof HistoryUnavailableError) return undefined
    throw error
  }
}

function nameOf({ manifest, sha256 }: StoredManifest): NonNullable<BackupManifest['previous']> {
  const { number, tid, timeMs } = manifest
  return { number, tid, timeMs, sha256 }
}

function nothingToBackUp({ location }: Storage): NoBackupError {
  return new NoBackupError(`${location} has no commit yet: there is nothing to back up.`, {
    details: { location },
  })
}

function diskFull(directory: string, cause: unknown): StorageFullError {
  return new StorageFullError(
    `The disk that holds ${directory} is full. Make room on it and begin again; the backups that were ` +
      'there are sound.',
    { cause, details: { directory } },
  )
}
