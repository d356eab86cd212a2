import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createDirectory, DirectoryLock } from '../storage/index.js'
import {
  type BackupManifest,
  readManifest,
  type StoredManifest,
  writeManifest,
} from './backup-manifest.js'
import { renameDurably } from './durable-files.js'
import { NoBackupError, unusableDirectory } from './errors.js'

/** On disk: a backup that is being made. */
const PARTIAL_NAME = 'partial'
const DIGITS = 6

/** One backup in a directory. */
export interface StoredBackup {
  readonly number: number
  readonly kind: BackupManifest['kind']
  /** `000001-full`. */
  readonly name: string
  readonly path: string
}

/** The backups in a directory, oldest first. None when it does not exist. */
export async function backupsIn(directory: string): Promise<readonly StoredBackup[]> {
  const names = await readdir(directory).catch((error: { code?: unknown }) => {
    if (error.code === 'ENOENT') return []
    throw unusableDirectory(directory, error)
  })
  return names.flatMap((name) => stored(directory, name)).sort((a, b) => a.number - b.number)
}

/** The same. @throws OPERATIONS_NO_BACKUP when there is none. */
export async function someBackupsIn(directory: string): Promise<readonly StoredBackup[]> {
  const backups = await backupsIn(directory)
  if (backups.length > 0) return backups
  throw new NoBackupError(
    `There is no backup in ${resolve(directory)}. Name the directory that was given to backup.`,
    { details: { directory: resolve(directory) } },
  )
}

function stored(directory: string, name: string): StoredBackup[] {
  const match = /^(\d{6,})-(full|incremental)$/.exec(name)
  if (match === null) return []
  const kind = match[2] as BackupManifest['kind']
  return [{ number: Number(match[1]), kind, name, path: join(directory, name) }]
}

/** A directory that backups are written to, ours alone. */
export class BackupDirectory {
  readonly path: string
  readonly #lock: DirectoryLock

  private constructor(path: string, lock: DirectoryLock) {
    this.path = path
    this.#lock = lock
  }

  /**
   * Creates it when it is missing.
   * @throws STORAGE_LOCKED when another backup is written to it; STORAGE_NOT_A_DIRECTORY, STORAGE_NOT_WRITABLE.
   */
  static async acquire(directory: string): Promise<BackupDirectory> {
    try {
      await createDirectory(directory)
      const path = await realpath(directory)
      return new BackupDirectory(path, await DirectoryLock.acquire(path))
    } catch (error) {
      throw unusableDirectory(directory, error)
    }
  }

  release(): Promise<void> {
    return this.#lock.release()
  }

  /** The newest backup's manifest. @throws OPERATIONS_DAMAGED_BACKUP, STORAGE_UNKNOWN_FORMAT */
  async newest(): Promise<StoredManifest | undefined> {
    const last = (await backupsIn(this.path)).at(-1)
    return last && (await readManifest(last.path))
  }

  /** Where the newest backup is, which there is. */
  async newestPath(): Promise<string> {
    return (await someBackupsIn(this.path)).at(-1)?.path as string
  }

  /**
   * Makes one more backup: all of it is there afterwards, or nothing.
   * @param write - writes the files, synced, into the directory it is given.
   */
  async add(
    write: (path: string, number: number) => Promise<BackupManifest>,
  ): Promise<StoredBackup> {
    const number = ((await backupsIn(this.path)).at(-1)?.number ?? 0) + 1
    const partial = join(this.path, PARTIAL_NAME)
    await rm(partial, { recursive: true, force: true })
    await mkdir(partial)
    try {
      const manifest = await write(partial, number)
      await writeManifest(partial, manifest)
      const { kind } = manifest
      const name = `${String(number).padStart(DIGITS, '0')}-${kind}`
      const path = join(this.path, name)
      await renameDurably(partial, path)
      return { number, kind, name, path }
    } catch (error) {
      await rm(partial, { recursive: true, force: true })
      throw error
    }
  }
}
