import { formatTid, type Tid } from '../storage/index.js'
import type { StoredBackup } from './backup-directory.js'
import { type BackupManifest, readManifest, type StoredManifest } from './backup-manifest.js'
import { DamagedBackupError, NoBackupError } from './errors.js'

/** A point in time: a commit, or the newest one at a time. */
export type Until = Tid | Date

/** A backup with its manifest. */
export interface ChainLink {
  readonly path: string
  readonly manifest: BackupManifest
}

/**
 * The backups that restore a database as it was: a full one, and what continues it.
 * @param backups - oldest first.
 * @throws OPERATIONS_NO_BACKUP, OPERATIONS_DAMAGED_BACKUP, STORAGE_UNKNOWN_FORMAT
 */
export async function backupChain(
  backups: readonly StoredBackup[],
  until: Until | undefined,
): Promise<readonly ChainLink[]> {
  let at = backups.length - 1
  let stored = await manifestAt(backups, at)
  while (until !== undefined && beginsAfter(stored.manifest, until)) {
    if (--at < 0) throw tooOld(until, stored.manifest)
    stored = await manifestAt(backups, at)
  }
  const chain = [linkOf(backups, at, stored)]
  while (stored.manifest.previous !== undefined) {
    const { path } = backups[at] as StoredBackup
    const expected: NonNullable<BackupManifest['previous']> = stored.manifest.previous
    stored = await manifestAt(backups, --at)
    if (stored.sha256 !== expected.sha256) throw broken(path, expected.number)
    chain.unshift(linkOf(backups, at, stored))
  }
  return chain
}

/** Whether it has nothing as old as that: what it has begins with its base, or behind the backup before. */
function beginsAfter({ base, previous }: BackupManifest, until: Until): boolean {
  const first = base ?? (previous as NonNullable<typeof previous>)
  if (!(until instanceof Date)) return first.tid > until
  return first.timeMs !== null && first.timeMs > until.getTime()
}

async function manifestAt(backups: readonly StoredBackup[], at: number): Promise<StoredManifest> {
  const backup = backups[at]
  const next = backups[at + 1]
  if (backup === undefined)
    throw broken((next as StoredBackup).path, (next as StoredBackup).number - 1)
  return readManifest(backup.path)
}

function linkOf(
  backups: readonly StoredBackup[],
  at: number,
  { manifest }: StoredManifest,
): ChainLink {
  return { path: (backups[at] as StoredBackup).path, manifest }
}

function broken(path: string, number: number): DamagedBackupError {
  return DamagedBackupError.of({
    file: path,
    why: `it continues backup ${number}, which is missing or another one`,
  })
}

function tooOld(until: Until, { base, previous, tid }: BackupManifest): NoBackupError {
  const first = (base ?? previous)?.tid ?? tid
  const what = until instanceof Date ? until.toISOString() : `transaction ${formatTid(until)}`
  return new NoBackupError(
    `No backup is as old as ${what}: the oldest begins with transaction ${formatTid(first)}. Ask for that or ` +
      'a later one.',
    { details: { oldest: formatTid(first) } },
  )
}
