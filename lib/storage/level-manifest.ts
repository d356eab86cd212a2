/**
 * LevelDB's manifest: its list of files, written as logs are, see `level-log.ts`. Each batch of it is
 * an edit: numbered parts one behind the other, that of the log before all others but the name of
 * the order of keys.
 *
 * LevelDB begins a new one each time it opens, with a number that no file had before, names it in
 * CURRENT, and only then removes the logs that it has made tables of. So the number of the manifest
 * names a session of LevelDB.
 *
 * @see LevelDB 1.20 `db/version_edit.cc`, `DBImpl::Recover`, `VersionSet::LogAndApply`.
 */
import { join } from 'node:path'
import { batchesOf, examineLog } from './level-log.js'
import { readIfThere } from './read-if-there.js'

const ORDER_OF_KEYS = 1
const FIRST_LOG = 2

/** What a manifest says of logs. */
export interface LogsInUse {
  /** Of LevelDB; another one at each opening. */
  readonly session: number
  /** All before it is in tables, and nothing in or after it needs to be. */
  readonly firstLog: number
}

/** The session that has, or had last, a directory open; undefined when its files do not say. */
export async function sessionOf(directory: string): Promise<number | undefined> {
  const current = await readIfThere(join(directory, 'CURRENT'))
  const digits = /^MANIFEST-(\d+)\n$/.exec(current?.toString('latin1') ?? '')?.[1]
  return digits === undefined ? undefined : Number.parseInt(digits, 10)
}

/** The logs of a directory that nobody has open; undefined when its files do not say. */
export async function logsInUse(directory: string): Promise<LogsInUse | undefined> {
  const session = await sessionOf(directory)
  if (session === undefined) return undefined
  const name = `MANIFEST-${String(session).padStart(6, '0')}`
  const manifest = await readIfThere(join(directory, name))
  const firstLog = manifest === undefined ? undefined : firstLogIn(manifest)
  return firstLog === undefined ? undefined : { session, firstLog }
}

/** As its last whole edit says: each but the first one, which lists all tables, names the log. */
function firstLogIn(manifest: Buffer): number | undefined {
  if (examineLog(manifest).damage !== undefined) return undefined
  let last: Buffer | undefined
  for (const { data, isRead } of batchesOf(manifest)) if (isRead) last = data
  return last === undefined ? undefined : firstLogOf(last)
}

function firstLogOf(edit: Buffer): number | undefined {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; at < edit.length; scale *= 128) {
      const byte = edit[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  let part = varint()
  if (part === ORDER_OF_KEYS) {
    at += varint()
    part = varint()
  }
  const log = part === FIRST_LOG ? varint() : Number.NaN
  return Number.isSafeInteger(log) ? log : undefined
}
