/**
 * Reads LevelDB's logs before LevelDB does. LevelDB drops what is damaged in a log, up to the end of
 * its block, without an error, and removes the log: afterwards nobody can say what was in it. Here
 * nothing has been changed yet when the damage is found.
 *
 * | found                                                        | then                           |
 * | ------------------------------------------------------------ | ------------------------------ |
 * | nothing good after the damage                                | a write was interrupted: opens |
 * | a commit is lost of which later rows say that it was synced  | refused                        |
 * | else, a page of zeros                                        | lost with the power before it was synced: opens, and what is there after LevelDB has opened must reach as far as any row says that was synced |
 * | else                                                         | refused, since it may have been synced |
 *
 * Rows that say so: a commit row names the newest commit that was synced when it was written. What a
 * checkpoint writes is of commits that are.
 *
 * The same pass tells whether logs are *whole*: the first one that LevelDB needs is there, none is
 * damaged, and its entries are numbered without a gap from each log to the next. Then nothing is
 * missing of what LevelDB wrote since it opened but what it wrote last: who finds a row there finds
 * all that was written before it.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readUint64 } from '../foundation/index.js'
import { syncedBefore } from './commit-row.js'
import { CorruptStorageError } from './errors.js'
import { CHECKPOINT_KEY, commitKeys, objectKeys } from './key-space.js'
import {
  batchesOf,
  examineLog,
  isLog,
  isTable,
  type LogDamage,
  type LogFindings,
  putsOf,
} from './level-log.js'
import { logsInUse } from './level-manifest.js'
import { formatTid, NO_TID, type Tid } from './tid.js'

/** What the disk reads and loses as one, or a part of it. */
const PAGE_BYTES = 4096

interface Log extends LogFindings {
  readonly name: string
  readonly bytes: Buffer
}

/** What the logs say of the session that wrote them. */
export interface LogsCheck {
  /**
   * The newest commit that must be there once LevelDB has opened, as far as damaged logs know;
   * `NO_TID` when none is damaged.
   */
  readonly syncedTid: Tid
  /** The session of LevelDB, when its logs are whole. */
  readonly wholeSession: number | undefined
}

/**
 * Changes nothing.
 * @throws STORAGE_CORRUPT when a log is damaged where it had been synced, or may have been.
 */
export async function checkLogs(directory: string): Promise<LogsCheck> {
  const logs = await readLogs(directory)
  if (logs.some(({ damage }) => damage !== undefined)) {
    return { syncedTid: await checkDamage(directory, logs), wholeSession: undefined }
  }
  const inUse = await logsInUse(directory)
  const isWhole = inUse !== undefined && areWhole(logs, inUse.firstLog)
  return { syncedTid: NO_TID, wholeSession: isWhole ? inUse.session : undefined }
}

function areWhole(logs: readonly Log[], firstLog: number): boolean {
  const needed = logs
    .map((log) => ({ ...log, number: Number.parseInt(log.name, 10) }))
    .filter(({ number }) => number >= firstLog)
    .sort((one, other) => one.number - other.number)
  if (needed[0]?.number !== firstLog) return false
  return needed.every(({ numbers, isGapless }, index) => {
    const before = needed[index - 1]
    if (!isGapless || (before !== undefined && before.numbers === undefined)) return false
    return before === undefined || numbers === undefined || numbers.first === before.numbers?.next
  })
}

async function checkDamage(directory: string, logs: readonly Log[]): Promise<Tid> {
  const damaged = logs.filter(({ damage }) => damage !== undefined)
  const said = new Said(logs)
  const isAll = logs.length === 1 && !(await hasTables(directory))
  for (const { name, bytes, damage } of damaged as Required<Log>[]) {
    const before = said.newestBefore(bytes, damage!.at) ?? (isAll ? NO_TID : undefined)
    const lost = said.lostAfter(before)
    const where = `The log ${join(directory, name)} is damaged at byte ${damage!.at}, and good entries follow: `
    const details = { location: directory, log: name, offset: damage!.at }
    if (lost !== undefined) {
      throw corrupt(`${where}commits would be lost, transaction ${formatTid(lost)} first.`, details)
    }
    if (!isLostPage(bytes, damage!)) {
      throw corrupt(
        `${where}commits may be lost. Nothing tells whether a commit there was acknowledged; it does not ` +
          'look like pages that were lost with the power before they were synced.',
        details,
      )
    }
  }
  return said.syncedTid
}

async function readLogs(directory: string): Promise<Log[]> {
  const logs: Log[] = []
  for (const name of await readdir(directory)) {
    // LevelDB's LOG is prose, and LOCK must not be read: reading it loses the lock.
    if (!isLog(name)) continue
    const bytes = await readFile(join(directory, name))
    logs.push({ name, bytes, ...examineLog(bytes) })
  }
  return logs
}

async function hasTables(directory: string): Promise<boolean> {
  return (await readdir(directory)).some(isTable)
}

/** Pages that have their place but not their bytes: zeros from where records end, up to the end of a page. */
function isLostPage(log: Buffer, { at, end }: LogDamage): boolean {
  for (let from = at; from < end; from = from - (from % PAGE_BYTES) + PAGE_BYTES) {
    const pageEnd = Math.min(log.length, from - (from % PAGE_BYTES) + PAGE_BYTES)
    if (log.subarray(from, pageEnd).every((byte) => byte === 0)) return true
  }
  return false
}

/** What the rows in logs say, those included that LevelDB will drop. */
class Said {
  /** Commits that will be there. */
  readonly #kept = new Set<Tid>()
  #syncedTid: Tid = NO_TID

  constructor(logs: readonly Log[]) {
    for (const { bytes } of logs) {
      for (const { data, isRead } of batchesOf(bytes)) {
        for (const [key, value] of putsOf(data)) {
          this.#syncedTid = Math.max(this.#syncedTid, syncedTidIn(key, value)) as Tid
          const tid = commitKeys.decode(key)
          if (isRead && tid !== undefined) this.#kept.add(tid)
        }
      }
    }
  }

  /** The newest commit that was synced. */
  get syncedTid(): Tid {
    return this.#syncedTid
  }

  /** The newest commit in a log before a byte of it. */
  newestBefore(log: Buffer, end: number): Tid | undefined {
    let newest: Tid | undefined
    for (const { at, data } of batchesOf(log.subarray(0, end))) {
      if (at >= end) break
      for (const [key] of putsOf(data)) newest = commitKeys.decode(key) ?? newest
    }
    return newest
  }

  /** The first synced commit after `tid` that will not be there; unknown without `tid`. */
  lostAfter(tid: Tid | undefined): Tid | undefined {
    if (tid === undefined) return undefined
    for (let next = (tid + 1) as Tid; next <= this.#syncedTid; next++) {
      if (!this.#kept.has(next)) return next
    }
    return undefined
  }
}

/** The newest commit that a row says was synced before it was written. */
function syncedTidIn(key: Buffer, value: Buffer): Tid {
  const tid = commitKeys.decode(key)
  if (tid !== undefined) return syncedBefore(tid, value) ?? NO_TID
  if (key.equals(CHECKPOINT_KEY)) return tidAt(value, 4)
  return objectKeys.decode(key) === undefined ? NO_TID : tidAt(value, 10)
}

function tidAt(row: Buffer, offset: number): Tid {
  if (row.length < offset + 8) return NO_TID
  const tid = readUint64(row, offset)
  return Number.isSafeInteger(tid) ? (tid as Tid) : NO_TID
}

function corrupt(why: string, details: Record<string, unknown>): CorruptStorageError {
  return new CorruptStorageError(
    `${why} Nothing was changed. Restore a backup; or, knowing that the commits there are gone, open the ` +
      "directory with classic-level's ClassicLevel.repair.",
    { details },
  )
}
