/**
 * The file that says which process has a directory open: JSON, beside LevelDB's own files, which
 * leaves it alone.
 */
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { link, readFile, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from './level-error.js'

/** On disk. */
export const OWNER_FILE = 'treehook-owner.json'

/** A process that has a directory open, or had when it died. */
export interface Owner {
  readonly pid: number
  /** Tells two processes apart that had the same pid; empty where the system does not say. */
  readonly processStart: string
  readonly host: string
  /** When the directory was opened, ISO 8601. */
  readonly since: string
  /** Random: tells two opens by one process apart. */
  readonly token: string
}

/** What is known of an owner. `unknown`: only LevelDB's own lock can tell. */
export type Liveness = 'alive' | 'dead' | 'unknown'

/** This process, about to open a directory. */
export async function newOwner(): Promise<Owner> {
  return {
    pid: process.pid,
    processStart: (await processStart(process.pid)) ?? '',
    host: hostname(),
    since: new Date().toISOString(),
    token: randomUUID(),
  }
}

/**
 * Makes `owner` the owner of a directory that has none.
 * @returns whether it had none.
 */
export function createOwnerFile(directory: string, owner: Owner): boolean {
  try {
    // Synchronous, so that another thread hardly ever reads half an owner.
    writeFileSync(join(directory, OWNER_FILE), JSON.stringify(owner), { flag: 'wx' })
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** Makes `owner` the owner, whoever was. */
export async function replaceOwnerFile(directory: string, owner: Owner): Promise<void> {
  const draft = asideOf(directory)
  writeFileSync(draft, JSON.stringify(owner), { flag: 'wx' })
  await rename(draft, join(directory, OWNER_FILE))
}

/** The owner, `undefined` when there is none, `unreadable` when the file holds something else. */
export async function readOwner(directory: string): Promise<Owner | 'unreadable' | undefined> {
  for (let tries = 0; tries < 5; tries++) {
    try {
      const owner = parseOwner(await readFile(join(directory, OWNER_FILE), 'utf8'))
      if (owner !== undefined) return owner
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined
      throw error
    }
    // Perhaps it is being written.
    await sleep(20)
  }
  return 'unreadable'
}

/** Removes the owner file, if it is the one with this token. */
export async function removeOwnerFile(directory: string, token: string): Promise<void> {
  const path = join(directory, OWNER_FILE)
  const aside = asideOf(directory)
  try {
    // Renamed before it is looked at: what is looked at is then what is removed.
    await rename(path, aside)
    const owner = parseOwner(await readFile(aside, 'utf8'))
    if (owner?.token !== token) await putBack(aside, path)
    await rm(aside)
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
}

/** Unless yet another owner has come meanwhile. */
async function putBack(aside: string, path: string): Promise<void> {
  try {
    await link(aside, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** Whether the owner still runs, as far as this machine knows. */
export async function livenessOf({ pid, host, processStart: start }: Owner): Promise<Liveness> {
  if (host !== hostname()) return 'unknown'
  if (!isRunning(pid)) return 'dead'
  const startNow = await processStart(pid)
  // Only Linux says when a process began. Elsewhere our own pid means another thread of ours, since
  // LevelDB's lock does not tell threads apart; another pid may be a later process's.
  if (start === '' || process.platform !== 'linux') return pid === process.pid ? 'alive' : 'unknown'
  return startNow === start ? 'alive' : 'dead'
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as another user.
    return !hasCode(error, 'ESRCH')
  }
}

/**
 * The boot and the tick in which a process began; `undefined` when it has ended, is a zombie, or the
 * system does not say.
 * @see proc(5), `/proc/pid/stat`: field 3 is the state, field 22 the start time.
 */
async function processStart(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1')
    // Field 2 is the command in brackets and may hold anything, brackets and spaces included.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, start] = [fields[0], fields[19]]
    return state === 'Z' || state === 'X' ? undefined : `${boot.trim()}/${start}`
  } catch {
    return undefined
  }
}

function parseOwner(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner> | null
    return Number.isInteger(owner?.pid) && typeof owner?.token === 'string'
      ? (owner as Owner)
      : undefined
  } catch {
    return undefined
  }
}

function asideOf(directory: string): string {
  return join(directory, `${OWNER_FILE}.${randomUUID()}`)
}
