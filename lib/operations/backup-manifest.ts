/**
 * The manifest of a backup, written last: `manifest.json` has two lines, a JSON object and the SHA-256 of
 * its line in hex.
 */
import { createHash } from 'node:crypto'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ClassRow, type Tid, UnknownFormatError } from '../storage/index.js'
import type { BackupFile } from './backup-file.js'
import { DamagedBackupError } from './errors.js'

/** On disk. */
export const BACKUP_FORMAT = 'treehook-backup'
/** On disk. */
export const BACKUP_VERSION = 1
/** On disk. */
export const MANIFEST_FILE = 'manifest.json'

/** A backup, as its manifest describes it. @public */
export interface BackupManifest {
  readonly format: typeof BACKUP_FORMAT
  readonly version: number
  readonly databaseId: string
  /** Rising by one in a directory. */
  readonly number: number
  readonly kind: 'full' | 'incremental'
  /** Its newest commit. */
  readonly tid: Tid
  /** When that was, by the database's clock. */
  readonly timeMs: number
  /** As of `tid`. */
  readonly highestOid: number
  /** As of `tid`, by rising id. */
  readonly classes: readonly ClassRow[]
  /** Whether the database kept history. */
  readonly history: boolean
  /** The commit whose records the backup has; those after it, up to `tid`, it has as commits. */
  readonly base?: BackupBase
  /** What an incremental backup continues. */
  readonly previous?: {
    readonly number: number
    readonly tid: Tid
    readonly timeMs: number
    /** Of its manifest's first line, in hex. */
    readonly sha256: string
  }
  readonly files: readonly BackupFile[]
}

/** @public */
export interface BackupBase {
  readonly tid: Tid
  /** When that was; null before the first commit. */
  readonly timeMs: number | null
  /** How many classes there were. */
  readonly classes: number
}

/** A manifest that was read, and the checksum that later ones name it by. */
export interface StoredManifest {
  readonly manifest: BackupManifest
  readonly sha256: string
}

/** Writes the manifest of the backup in a directory, and waits until it is on the disk. */
export async function writeManifest(directory: string, manifest: BackupManifest): Promise<void> {
  const line = JSON.stringify(manifest)
  const file = await open(join(directory, MANIFEST_FILE), 'wx')
  try {
    await file.writeFile(`${line}\n${sha256Of(line)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** @throws OPERATIONS_DAMAGED_BACKUP, STORAGE_UNKNOWN_FORMAT */
export async function readManifest(directory: string): Promise<StoredManifest> {
  const path = join(directory, MANIFEST_FILE)
  const text = await readFile(path, 'utf8').catch((cause: { code?: unknown }) => {
    if (cause.code !== 'ENOENT') throw cause
    throw DamagedBackupError.of({ file: path, why: 'it is not there', cause })
  })
  const [line = '', sha256] = text.split('\n')
  if (sha256Of(line) !== sha256) {
    throw DamagedBackupError.of({ file: path, why: 'its checksum does not match its content' })
  }
  const manifest = JSON.parse(line) as BackupManifest
  assertFormat(path, manifest)
  return { manifest, sha256 }
}

function assertFormat(path: string, { format, version }: BackupManifest): void {
  if (format === BACKUP_FORMAT && version === BACKUP_VERSION) return
  throw new UnknownFormatError(
    `${path} is of format ${format}, version ${version}; this treehook reads ${BACKUP_FORMAT}, version ` +
      `${BACKUP_VERSION}. Use the treehook that wrote it, or a newer one.`,
    { details: { file: path, format, version } },
  )
}

function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
