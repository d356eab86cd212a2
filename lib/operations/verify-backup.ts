import { join } from 'node:path'
import {
  aFunction,
  anAbortSignal,
  aPath,
  checkOption,
  checkOptions,
  codeOf,
  type OptionRules,
} from '../foundation/index.js'
import type { Tid } from '../storage/index.js'
import { contentsIn, readContent } from './backup-blobs.js'
import type { ChainLink } from './backup-chain.js'
import { type StoredBackup, someBackupsIn } from './backup-directory.js'
import {
  COMMITS_FILE,
  decodeCommitEntry,
  decodeRecordEntry,
  RECORDS_FILE,
} from './backup-entries.js'
import { type BackupFile, readBackupFile } from './backup-file.js'
import { type BackupManifest, readManifest, type StoredManifest } from './backup-manifest.js'
import { DamagedBackupError, InvalidOperationOptionError } from './errors.js'

/** @public */
export interface VerifyBackupOptions {
  readonly signal?: AbortSignal | undefined
  /** Called after each file, with bytes of all files so far. */
  readonly onProgress?:
    | ((progress: { readonly backups: number; readonly bytes: number }) => void)
    | undefined
}

const OPTION_RULES: OptionRules<VerifyBackupOptions> = {
  signal: anAbortSignal,
  onProgress: aFunction,
}

/** @public */
export interface BackupProblem {
  /** The backup's number. */
  readonly backup: number
  readonly message: string
}

/** @public */
export interface VerifyBackupReport {
  /** Nothing is wrong: each of the backups can be restored. */
  readonly ok: boolean
  readonly problems: readonly BackupProblem[]
  readonly backups: number
  readonly bytes: number
  /** The newest commit of the newest backup whose manifest can be read. */
  readonly tid: Tid | undefined
}

/**
 * Reads every byte of the backups in a directory: compares checksums, and that each backup continues the
 * one before.
 * @throws OPERATIONS_INVALID_OPTION
 * @throws OPERATIONS_NO_BACKUP; the signal's reason.
 * @public
 */
export async function verifyBackup(
  directory: string,
  options: VerifyBackupOptions = {},
): Promise<VerifyBackupReport> {
  checkOption('directory', directory, aPath, InvalidOperationOptionError)
  checkOptions(options, OPTION_RULES, InvalidOperationOptionError)
  const verification = new BackupVerification(options)
  for (const backup of await someBackupsIn(directory)) await verification.check(backup)
  return verification.report()
}

class BackupVerification {
  readonly #options: VerifyBackupOptions
  readonly #problems: BackupProblem[] = []
  #backups = 0
  #bytes = 0
  #before: StoredManifest | undefined
  #tid: Tid | undefined

  constructor(options: VerifyBackupOptions) {
    this.#options = options
  }

  async check(backup: StoredBackup): Promise<void> {
    this.#backups++
    const stored = await this.#told(backup, () => readManifest(backup.path))
    if (stored !== undefined) {
      await this.#told(backup, async () => assertContinues(backup, stored, this.#before))
      await this.#checkFiles(backup, stored.manifest)
      await this.#checkContents({ path: backup.path, manifest: stored.manifest }, backup)
      this.#tid = stored.manifest.tid
    }
    this.#before = stored
  }

  report(): VerifyBackupReport {
    return {
      ok: this.#problems.length === 0,
      problems: this.#problems,
      backups: this.#backups,
      bytes: this.#bytes,
      tid: this.#tid,
    }
  }

  async #checkFiles(backup: StoredBackup, manifest: BackupManifest): Promise<void> {
    for (const file of manifest.files) {
      this.#options.signal?.throwIfAborted()
      await this.#told(backup, () => checkFile(join(backup.path, file.name), file, manifest))
      this.#bytes += file.bytes
      this.#options.onProgress?.({ backups: this.#backups, bytes: this.#bytes })
    }
  }

  /** The contents that this backup has itself. Those of others are checked with them. */
  async #checkContents(link: ChainLink, backup: StoredBackup): Promise<void> {
    await this.#told(backup, async () => {
      for await (const content of contentsIn(link)) {
        this.#options.signal?.throwIfAborted()
        if (content.backup !== backup.number) continue
        await this.#told(backup, async () => {
          for await (const _ of readContent(link.path, content))
            this.#options.signal?.throwIfAborted()
        })
        this.#bytes += content.bytes
        this.#options.onProgress?.({ backups: this.#backups, bytes: this.#bytes })
      }
    })
  }

  /** What `fn` gives; a problem when it finds one. */
  async #told<T>(backup: StoredBackup, fn: () => Promise<T>): Promise<T | undefined> {
    try {
      return await fn()
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      this.#problems.push({ backup: backup.number, message: (error as Error).message })
      return undefined
    }
  }
}

function assertContinues(
  { path }: StoredBackup,
  { manifest }: StoredManifest,
  before: StoredManifest | undefined,
): void {
  const { previous } = manifest
  if (previous === undefined || previous.sha256 === before?.sha256) return
  const why = `it continues backup ${previous.number}, which is missing or another one`
  throw DamagedBackupError.of({ file: path, why })
}

async function checkFile(path: string, file: BackupFile, manifest: BackupManifest): Promise<void> {
  let last = file.name === COMMITS_FILE ? (manifest.base ?? manifest.previous)?.tid : -1
  for await (const entries of readBackupFile(path, file)) {
    for (const entry of entries) last = orderOf(path, file.name, entry, last as number)
  }
  if (file.name === COMMITS_FILE && last !== manifest.tid) throw outOfOrder(path)
}

/** The oid or tid of an entry, which follows the one before. */
function orderOf(path: string, name: string, entry: unknown, last: number): number {
  if (name === RECORDS_FILE) {
    const { oid } = decodeRecordEntry(entry)
    if (oid > last) return oid
    throw outOfOrder(path)
  }
  if (name === COMMITS_FILE) {
    const { tid } = decodeCommitEntry(entry)
    if (tid === last + 1) return tid
    throw outOfOrder(path)
  }
  return last
}

function outOfOrder(file: string): DamagedBackupError {
  return DamagedBackupError.of({ file, why: 'its entries are not those that the manifest names' })
}
