import { access, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aFunction, anAbortSignal, checkOptions, type OptionRules } from '../foundation/index.js'
import { type ObjectDatabase, TimeSlice } from '../persistence/index.js'
import {
  type BlobStore,
  createDirectoryStorage,
  DirectoryBlobs,
  DirectoryLock,
  type Oid,
  OWNER_FILE,
  type RowProblem,
  type Storage,
} from '../storage/index.js'
import { BlobCheck } from './blob-check.js'
import { InvalidOperationOptionError } from './errors.js'
import { rowsIn } from './key-bounds.js'
import { checkDirectory, type DirectoryCheck, type FileDamage } from './level-directory.js'
import { ObjectWalk } from './object-walk.js'
import type { NamedObject, Problem } from './problem.js'
import { salvage } from './salvage.js'

/** @public */
export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined
  /** Told of each problem as soon as its object's path is known. */
  readonly onProblem?: ((problem: Problem) => void) | undefined
}

const OPTION_RULES: OptionRules<VerifyOptions> = {
  signal: anAbortSignal,
  onProgress: aFunction,
  onProblem: aFunction,
}

/** How far a verification has come: files of `total`, or objects of about so many. @public */
export interface VerifyProgress {
  readonly phase: 'files' | 'rows' | 'objects'
  readonly done: number
  readonly total: number
}

/** What was verified. @public */
export interface VerifyReport {
  /** Nothing is wrong. */
  readonly ok: boolean
  readonly problems: readonly Problem[]
  /** LevelDB's files that were read; 0 for a database in memory. */
  readonly files: number
  readonly fileBytes: number
  /** Parts of them whose checksums were compared. */
  readonly blocks: number
  /** Rows of the storage other than those of objects. */
  readonly rows: number
  /** Objects, nodes of trees among them. */
  readonly objects: number
  /** Those of them that nothing leads to: the next pack removes them. No problem. */
  readonly unreachable: number
  /** Contents of blobs that records name, those of earlier revisions that are kept among them. */
  readonly blobs: number
  readonly blobBytes: number
  readonly durationMs: number
}

/**
 * Verifies a database: the checksum of every block in LevelDB's files, which LevelDB itself does not
 * compare when it reads; every row of the storage; every object and tree, without the application's
 * classes; every byte of the contents of blobs; and that everything which is referred to is there. Repairs
 * nothing.
 *
 * Where files are damaged, what is sound in them is copied to the system's directory for temporary files and
 * verified there, since LevelDB would end the process over some kinds of damage.
 *
 * A database that is not open is locked meanwhile; LevelDB tidies its files up when it is opened, as at
 * every opening, after they were read. An open one is verified beside commits, as it is when this begins.
 *
 * Source: ZODB's `fstest`, `fsrefs` and `checkbtrees` in one.
 * @param target - a directory, or an open database.
 * @throws OPERATIONS_INVALID_OPTION
 * @throws STORAGE_LOCKED when the directory is open elsewhere; STORAGE_NOT_A_DIRECTORY;
 *   STORAGE_CLOSED when the database closes meanwhile; the signal's reason when aborted.
 * @public
 */
export async function verify(
  target: string | ObjectDatabase,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  checkOptions(options, OPTION_RULES, InvalidOperationOptionError)
  const verification = new Verification(options)
  return typeof target === 'string' ? verification.directory(target) : verification.database(target)
}

/** Objects that a problem of a file names, at most. */
const MOST_OBJECTS = 100
const IN_MEMORY = 'memory'

class Verification {
  readonly #options: VerifyOptions
  readonly #startMs = performance.now()
  readonly #problems: Problem[] = []
  readonly #damages: FileDamage[] = []
  #files: DirectoryCheck = { manifest: undefined, files: 0, bytes: 0, blocks: 0 }
  #rows = 0
  #walk: ObjectWalk | undefined
  #blobs: BlobCheck | undefined

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async database(database: ObjectDatabase): Promise<VerifyReport> {
    const { storage } = database
    if (storage.location !== IN_MEMORY) {
      await this.#checkFiles(storage.location, { isInUse: true, wasInterrupted: false })
    }
    if (this.#damages.length > 0) await this.#checkSalvaged(storage.location)
    else await this.#checkContents(storage)
    return this.#report()
  }

  async directory(location: string): Promise<VerifyReport> {
    await this.#checkClosedFiles(location)
    if (this.#damages.length > 0) await this.#checkSalvaged(await realpath(location))
    else await this.#checkStorageIn(location)
    return this.#report()
  }

  /** @param blobs - where they are, if not there. */
  async #checkStorageIn(directory: string, blobs?: BlobStore): Promise<void> {
    const storage = createDirectoryStorage(directory, { readOnly: true })
    try {
      await storage.open()
    } catch (error) {
      if (!isOfFiles(error)) throw error
      this.#tell({ kind: 'unopenable', message: (error as Error).message })
      this.#tellDamages()
      return
    }
    try {
      await this.#checkContents(storage, blobs)
    } finally {
      await storage.close()
    }
  }

  /** LevelDB itself must not read what is damaged: what is sound is read from a copy. */
  async #checkSalvaged(directory: string): Promise<void> {
    const { manifest } = this.#files
    if (manifest === undefined) {
      const message = 'The manifest cannot be read, so nobody can tell which tables count'
      this.#tell({ kind: 'unopenable', message })
      this.#tellDamages()
      return
    }
    const target = await mkdtemp(join(tmpdir(), 'treehook-verify-'))
    try {
      const slice = new TimeSlice({ signal: this.#options.signal })
      await salvage(directory, manifest, { target, slice })
      await this.#checkStorageIn(target, new DirectoryBlobs(directory))
    } finally {
      await rm(target, { recursive: true, force: true })
    }
  }

  /** Before LevelDB opens them, and perhaps writes them anew. */
  async #checkClosedFiles(location: string): Promise<void> {
    const directory = await realpath(location).catch(() => undefined)
    if (directory === undefined || !(await exists(join(directory, 'CURRENT')))) return // the open says what it is
    const wasInterrupted = await exists(join(directory, OWNER_FILE))
    const lock = await DirectoryLock.acquire(directory)
    try {
      await this.#checkFiles(directory, { isInUse: false, wasInterrupted })
    } finally {
      await lock.release()
    }
  }

  async #checkFiles(
    directory: string,
    state: { readonly isInUse: boolean; readonly wasInterrupted: boolean },
  ): Promise<void> {
    this.#files = await checkDirectory(directory, {
      ...state,
      signal: this.#options.signal,
      onDamage: (damage) => void this.#damages.push(damage),
      onProgress: (done, total) => this.#options.onProgress?.({ phase: 'files', done, total }),
    })
  }

  async #checkContents(storage: Storage, store?: BlobStore): Promise<void> {
    const { signal, onProgress } = this.#options
    const rowProblems: RowProblem[] = []
    const found: Problem[] = []
    const letGo = storage.blobs.hold()
    const snapshot = storage.snapshot()
    const onProblem = (problem: Problem): void => void found.push(problem)
    this.#blobs = new BlobCheck({ storage, store, signal, onProblem })
    try {
      const { rows } = await storage.checkRows({
        onProblem: (problem) => void rowProblems.push(problem),
        signal,
      })
      this.#rows = rows
      onProgress?.({ phase: 'rows', done: rows, total: rows })
      this.#walk = new ObjectWalk({
        storage,
        snapshot,
        slice: new TimeSlice({ signal }),
        signal,
        onObject: (record, row) => this.#blobs?.note(record, row),
        onProblem,
        onProgress: (done, total) => onProgress?.({ phase: 'objects', done, total }),
      })
      await this.#walk.run()
      await this.#blobs.run()
      for (const problem of [...rowProblems, ...found]) this.#tell(problem)
      this.#tellDamages()
    } finally {
      snapshot.close()
      await letGo()
    }
  }

  #tell(problem: Problem): void {
    const { oid } = problem
    const path = oid === undefined ? undefined : this.#walk?.paths.pathOf(oid)
    const message = path === undefined ? problem.message : `${path}: ${problem.message}`
    const told = { ...problem, ...(path !== undefined && { path }), message }
    this.#problems.push(told)
    this.#options.onProblem?.(told)
  }

  #tellDamages(): void {
    for (const { file, offset, what, keys } of this.#damages) {
      const { oids, text } = rowsIn(keys)
      const objects = oids === undefined ? undefined : this.#objectsIn(oids.from, oids.to)
      this.#tell({
        kind: 'damagedFile',
        file,
        ...(offset !== undefined && { offset }),
        ...(oids !== undefined && { oids }),
        ...(objects !== undefined && { objects }),
        message: `${file}${offset === undefined ? '' : `, byte ${offset}`}: ${what}. It holds ${text}`,
      })
    }
  }

  /** Those that are there, and those that something leads to. */
  #objectsIn(from: number, to: number): NamedObject[] {
    const objects: NamedObject[] = []
    for (let oid = this.#walk?.nextKnown(from); oid !== undefined && oid <= to; ) {
      if (objects.length === MOST_OBJECTS) break
      const path = this.#walk?.paths.pathOf(oid)
      objects.push(path === undefined ? { oid } : { oid, path })
      oid = this.#walk?.nextKnown((oid + 1) as Oid)
    }
    return objects
  }

  #report(): VerifyReport {
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      files: this.#files.files,
      fileBytes: this.#files.bytes,
      blocks: this.#files.blocks,
      rows: this.#rows,
      objects: this.#walk?.existing.size ?? 0,
      unreachable: this.#walk?.unreachable ?? 0,
      blobs: this.#blobs?.blobs ?? 0,
      blobBytes: this.#blobs?.bytes ?? 0,
      durationMs: performance.now() - this.#startMs,
    }
  }
}

/** Whether an open failed for what is in the files: by our own checks, or by LevelDB's. */
function isOfFiles(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && (OF_FILES.has(code) || code.startsWith('LEVEL_'))
}

const OF_FILES = new Set(['STORAGE_CORRUPT', 'STORAGE_UNKNOWN_FORMAT', 'STORAGE_CORRUPT_RECORD'])

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}
