/**
 * A database whose first opening was cut short by a power loss. LevelDB syncs the file that names the
 * first manifest of a new database, and not that manifest. It syncs and names the second one before it
 * takes a batch: while the first is named and cannot be read, no commit was acknowledged.
 */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { commitKeys } from './key-space.js'
import { batchesOf, isLog, isTable, putsOf } from './level-log.js'
import { readIfThere } from './read-if-there.js'

const FIRST_MANIFEST = 'MANIFEST-000001'
/** No log of a database is longer that holds nothing but the rows it is made with. */
const LONGEST_LOG_BYTES = 256

/**
 * Whether a directory holds nothing but the beginning of a database, which LevelDB refuses. Where there
 * is a table, or more in a log than the first rows, it was damaged later, by something else.
 */
export async function isUnborn(directory: string): Promise<boolean> {
  const current = await readIfThere(join(directory, 'CURRENT'))
  if (current?.toString('latin1') !== `${FIRST_MANIFEST}\n`) return false
  const manifest = await readIfThere(join(directory, FIRST_MANIFEST))
  // A manifest is written as logs are, and a whole one of them begins with a whole record.
  if (manifest !== undefined && !batchesOf(manifest).next().done) return false
  const names = await readdir(directory)
  if (names.some(isTable)) return false
  for (const name of names.filter(isLog)) {
    if (!isOfCreation(await readFile(join(directory, name)))) return false
  }
  return true
}

/** Lets LevelDB make the database anew. */
export async function removeUnborn(directory: string): Promise<void> {
  await rm(join(directory, 'CURRENT'))
}

function isOfCreation(log: Buffer): boolean {
  if (log.length > LONGEST_LOG_BYTES) return false
  for (const { data } of batchesOf(log)) {
    for (const [key] of putsOf(data)) if (commitKeys.decode(key) !== undefined) return false
  }
  return true
}
