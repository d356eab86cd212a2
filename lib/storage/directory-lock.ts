import { StorageLockedError } from './errors.js'
import {
  createOwnerFile,
  livenessOf,
  newOwner,
  type Owner,
  readOwner,
  removeOwnerFile,
  replaceOwnerFile,
} from './owner-file.js'

/**
 * That a directory is ours alone. LevelDB has a lock of its own, and loses it: a POSIX record lock
 * goes away when its process closes any descriptor of the file, so a second open in one process,
 * though it fails, or a mere reading of LOCK lets other processes in. (Fixed in RocksDB with
 * facebook/rocksdb #1780 and #3993, not in LevelDB.) Hence two locks more, asked first:
 *
 * | who comes second                | is refused by                                         |
 * | ------------------------------- | ----------------------------------------------------- |
 * | this process, this thread       | the registry of real paths, before any file is touched |
 * | this process, another thread    | the owner file: its process is this one and runs      |
 * | another process of this machine | the owner file, then LevelDB's lock                   |
 * | another machine or container    | LevelDB's lock, as far as the file system has locks   |
 *
 * The owner file of a process that died without closing is taken over. When a thread ends without
 * closing, its directory stays locked until its process ends: LevelDB may still run in it.
 */
export class DirectoryLock {
  readonly #directory: string
  readonly #owner: Owner
  #ownsFile: boolean

  private constructor(directory: string, owner: Owner, ownsFile: boolean) {
    this.#directory = directory
    this.#owner = owner
    this.#ownsFile = ownsFile
  }

  /**
   * Takes a directory, before LevelDB touches it.
   * @param directory - its real path: no links, absolute.
   * @throws STORAGE_LOCKED when another has it.
   */
  static async acquire(directory: string): Promise<DirectoryLock> {
    const registry = openedDirectories()
    const since = registry.get(directory)
    if (since !== undefined) throw lockedByThisProcess(directory, since)
    registry.set(directory, new Date().toISOString())
    try {
      return await DirectoryLock.#takeFile(directory, await newOwner())
    } catch (error) {
      registry.delete(directory)
      throw error
    }
  }

  static async #takeFile(directory: string, owner: Owner): Promise<DirectoryLock> {
    for (;;) {
      if (createOwnerFile(directory, owner)) return new DirectoryLock(directory, owner, true)
      const holder = await readOwner(directory)
      if (holder === undefined) continue
      const liveness = holder === 'unreadable' ? 'unknown' : await livenessOf(holder)
      if (liveness === 'unknown') return new DirectoryLock(directory, owner, false)
      if (holder !== 'unreadable') {
        if (liveness === 'alive') throw lockedBy(directory, holder)
        await removeOwnerFile(directory, holder.token)
      }
    }
  }

  /** Called once LevelDB has its own lock: an owner nobody could tell dead or alive was dead. */
  async confirm(): Promise<void> {
    if (this.#ownsFile) return
    await replaceOwnerFile(this.#directory, this.#owner)
    this.#ownsFile = true
  }

  /** The error for LevelDB's refusal, naming whoever the owner file names. */
  async refusal(cause: unknown): Promise<StorageLockedError> {
    const holder = this.#ownsFile ? undefined : await readOwner(this.#directory)
    if (holder !== undefined && holder !== 'unreadable')
      return lockedBy(this.#directory, holder, cause)
    return locked(this.#directory, 'a process that did not leave its name', { cause })
  }

  /** Lets go, once LevelDB is closed. */
  async release(): Promise<void> {
    try {
      if (this.#ownsFile) await removeOwnerFile(this.#directory, this.#owner.token)
    } finally {
      openedDirectories().delete(this.#directory)
    }
  }
}

const REGISTRY = Symbol.for('treehook.openedDirectories')

/** Real path → since when. On the global object: two copies of this module share it. */
function openedDirectories(): Map<string, string> {
  const globals = globalThis as { [REGISTRY]?: Map<string, string> }
  globals[REGISTRY] ??= new Map()
  return globals[REGISTRY]
}

function lockedByThisProcess(directory: string, since: string): StorageLockedError {
  return locked(directory, `this process (pid ${process.pid}) since ${since}`, {
    details: { pid: process.pid, since },
  })
}

function lockedBy(directory: string, holder: Owner, cause?: unknown): StorageLockedError {
  const { pid, host, since } = holder
  const which = pid === process.pid ? 'this process, in another thread' : 'process'
  return locked(directory, `${which} (pid ${pid} on ${host}) since ${since}`, {
    cause,
    details: { pid, host, since },
  })
}

function locked(
  directory: string,
  who: string,
  { cause, details }: { readonly cause?: unknown; readonly details?: Record<string, unknown> },
): StorageLockedError {
  return new StorageLockedError(
    `${directory} is in use by ${who}. Close it there: one process at a time can open a database.`,
    { cause, details: { location: directory, ...details } },
  )
}
