import { access, constants, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { DatabaseOptions } from 'classic-level'
import { Level } from 'level'
import {
  aBoolean,
  aPath,
  aWholeNumber,
  checkOption,
  checkOptions,
  type OptionRules,
  TreehookError,
} from '../foundation/index.js'
import { createDirectory } from './create-directory.js'
import type { DatabasePlace } from './database-place.js'
import { DirectoryBlobs } from './directory-blobs.js'
import { DirectoryLock } from './directory-lock.js'
import {
  CorruptStorageError,
  diskFailed,
  InvalidStorageOptionError,
  NotADirectoryError,
  NotWritableError,
  StorageFullError,
  UnknownFormatError,
} from './errors.js'
import { aHistory } from './history-option.js'
import type { History } from './interfaces.js'
import type { LevelDatabase } from './level-database.js'
import { hasCode, isDiskFailure, isDiskFull, isNotWritable, says } from './level-error.js'
import { sessionOf } from './level-manifest.js'
import { BUFFER_BYTES, DEFAULT_WRITE_BUFFER_BYTES, LevelStorage } from './level-storage.js'
import { checkLogs, type LogsCheck } from './log-check.js'
import { syncLogs } from './log-sync.js'
import type { Tid } from './tid.js'
import { isUnborn, removeUnborn } from './unborn.js'

/** Options of {@link createDirectoryStorage}. @public */
export interface DirectoryStorageOptions {
  /** Size of the cache of uncompressed blocks. @defaultValue 64 MiB */
  readonly cacheBytes?: number
  /**
   * Compress with Snappy: some 0.8 us more for a cold read, for about a quarter of the space.
   * @defaultValue true
   */
  readonly compression?: boolean
  /** What LevelDB holds in memory and log before it makes a table. @defaultValue 4 MiB */
  readonly writeBufferBytes?: number
  /**
   * Refuse commits, and create nothing. LevelDB tidies up when it opens, so the directory must be
   * writable all the same, and one process at a time can open it. @defaultValue false
   */
  readonly readOnly?: boolean
  /**
   * Which earlier revisions are kept. Where nothing is said the database goes on as it was; a new one
   * keeps none. History begins when it is first asked for.
   */
  readonly history?: History | undefined
  /**
   * How many bytes of commits bring a checkpoint on. More makes fewer checkpoints, a longer open after
   * a crash, and takes memory. @defaultValue 4 MiB
   */
  readonly checkpointBytes?: number | undefined
}

const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024
/** LevelDB takes no less, whatever it is told. */
const LEAST_WRITE_BUFFER_BYTES = 64 * 1024

const OPTION_RULES: OptionRules<DirectoryStorageOptions> = {
  cacheBytes: aWholeNumber(1, Number.MAX_SAFE_INTEGER, 'a whole number of bytes'),
  compression: aBoolean,
  writeBufferBytes: BUFFER_BYTES,
  readOnly: aBoolean,
  history: aHistory,
  checkpointBytes: BUFFER_BYTES,
}

/** classic-level's options, none left to its defaults where ours differ. */
type LevelOptions = {
  readonly [Name in
    | 'keyEncoding'
    | 'valueEncoding'
    | 'createIfMissing'
    | 'cacheSize'
    | 'writeBufferSize'
    | 'compression']: NonNullable<DatabaseOptions<Buffer, Buffer>[Name]>
}

/**
 * A storage in a directory, kept by LevelDB. Not yet open: `open` creates the directory and those
 * above it, unless `readOnly`.
 * @throws STORAGE_INVALID_OPTION
 * @public
 */
export function createDirectoryStorage(
  location: string,
  options: DirectoryStorageOptions = {},
): LevelStorage {
  checkOption('location', location, aPath, InvalidStorageOptionError)
  checkOptions(options, OPTION_RULES, InvalidStorageOptionError)
  const {
    cacheBytes = DEFAULT_CACHE_BYTES,
    compression = true,
    writeBufferBytes = DEFAULT_WRITE_BUFFER_BYTES,
    readOnly = false,
    history,
    checkpointBytes,
  } = options
  const place = new LevelDirectory(location, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: !readOnly,
    cacheSize: cacheBytes,
    writeBufferSize: writeBufferBytes,
    compression,
  })
  return new LevelStorage(place, {
    readOnly,
    writeBufferBytes: Math.max(writeBufferBytes, LEAST_WRITE_BUFFER_BYTES),
    history,
    checkpointBytes,
  })
}

/** A directory with LevelDB's files in it. */
class LevelDirectory implements DatabasePlace {
  readonly location: string
  readonly #options: LevelOptions
  #lock: DirectoryLock | undefined
  #database: LevelDatabase | undefined
  #blobs: DirectoryBlobs | undefined
  #logs: LogsCheck | undefined
  #session: number | undefined

  constructor(location: string, options: LevelOptions) {
    this.location = resolve(location)
    this.#options = options
  }

  get blobs(): DirectoryBlobs | undefined {
    return this.#blobs
  }

  get syncedTid(): Tid | undefined {
    return this.#logs?.syncedTid
  }

  get wholeSession(): number | undefined {
    return this.#logs?.wholeSession
  }

  get session(): number | undefined {
    return this.#session
  }

  async open(): Promise<LevelDatabase> {
    try {
      const directory = await this.#directory()
      this.#lock = await DirectoryLock.acquire(directory)
      if (await isUnborn(directory)) await this.#removeUnborn(directory)
      this.#logs = await checkLogs(directory)
      this.#database = await this.#openLevel(directory, this.#lock)
      this.#session = await sessionOf(directory)
      await this.#lock.confirm()
      this.#blobs = new DirectoryBlobs(directory)
      if (this.#options.createIfMissing) await this.#blobs.clean()
      return this.#database
    } catch (error) {
      await this.close()
      throw this.#explain(error)
    }
  }

  sync(): Promise<void> {
    return syncLogs(this.location)
  }

  async close(): Promise<void> {
    const [database, lock] = [this.#database, this.#lock]
    this.#database = undefined
    this.#lock = undefined
    try {
      await database?.close()
    } finally {
      await lock?.release()
    }
  }

  /** The real path of the directory, which exists and can be written. */
  async #directory(): Promise<string> {
    const mayCreate = this.#options.createIfMissing
    if (mayCreate) await createDirectory(this.location)
    const directory = await this.#realPath()
    if (!(await stat(directory)).isDirectory()) throw this.#notADirectory()
    await access(directory, constants.W_OK)
    if (!mayCreate) await this.#assertDatabaseIn(directory)
    return directory
  }

  async #realPath(): Promise<string> {
    try {
      return await realpath(this.location)
    } catch (cause) {
      if (!hasCode(cause, 'ENOENT')) throw cause
      throw new NotADirectoryError(
        `${this.location} does not exist. Look at the path: only an opening without readOnly creates a directory.`,
        { cause, details: { location: this.location } },
      )
    }
  }

  async #removeUnborn(directory: string): Promise<void> {
    if (!this.#options.createIfMissing) throw this.#holdsNothing(directory)
    await removeUnborn(directory)
  }

  /** LevelDB leaves a lock and a log behind even where it refuses to create a database. */
  async #assertDatabaseIn(directory: string): Promise<void> {
    try {
      await access(join(directory, 'CURRENT'))
    } catch (cause) {
      throw this.#holdsNothing(directory, cause)
    }
  }

  #holdsNothing(directory: string, cause?: unknown): UnknownFormatError {
    return new UnknownFormatError(
      `${directory} holds no database, and was opened for reading. Open it without readOnly to create one.`,
      { cause, details: { location: directory } },
    )
  }

  async #openLevel(directory: string, lock: DirectoryLock): Promise<LevelDatabase> {
    const database = new Level<Buffer, Buffer>(directory, this.#options)
    try {
      await database.open()
      return database
    } catch (error) {
      throw hasCode(error, 'LEVEL_LOCKED') ? await lock.refusal(error) : error
    }
  }

  /** What the file system or LevelDB said, in our words; anything else as it is. */
  #explain(error: unknown): unknown {
    if (error instanceof TreehookError) return error
    const options = { cause: error, details: { location: this.location } }
    if (hasCode(error, 'ENOTDIR', 'EEXIST')) return this.#notADirectory(error)
    if (hasCode(error, 'LEVEL_CORRUPTION') || says(error, /No such file/)) {
      return new CorruptStorageError(
        `LevelDB cannot read its files in ${this.location}. Restore a backup. As a last resort classic-level's ` +
          'ClassicLevel.repair makes them readable again, and loses what it cannot read.',
        options,
      )
    }
    if (isDiskFull(error)) {
      return new StorageFullError(
        `The disk that holds ${this.location} is full. Make room on it and open the database again.`,
        options,
      )
    }
    // ENOENT: a directory that is there and takes no new file, as `/proc`.
    if (isNotWritable(error) || hasCode(error, 'ENOENT')) {
      return new NotWritableError(
        `${this.location} cannot be written by this process. Change its permissions, or choose another ` +
          'directory; LevelDB must write even where a database is opened for reading.',
        options,
      )
    }
    return isDiskFailure(error) ? diskFailed(this.location, error) : error
  }

  #notADirectory(cause?: unknown): NotADirectoryError {
    return new NotADirectoryError(
      `${this.location} is no directory, or lies below something that is none. A database is a directory: ` +
        'name one, or a path where one can be created.',
      { cause, details: { location: this.location } },
    )
  }
}
