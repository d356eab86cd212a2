/**
 * Damages the files of a database, one bit or one cut at a time, and opens each of the results. Of a
 * log, what is after the damage may be gone; all else is there, or refused.
 */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { basename } from 'node:path'
import { type CrashOptions, CrashResult } from './crash-run.js'
import { type DiskContents, readDirectory, writeDirectory } from './disk-model.js'
import { type Inspection, Inspectors, inLanes } from './inspectors.js'
import type { ObjectBook } from './object-book.js'
import { type Programs, start } from './programs.js'
import { Random } from './random.js'
import type { WriterOptions } from './writer.js'

const CLIENTS = 2
/** The end of a log: where an interrupted write may have stopped. */
const LOG_END_BYTES = 4096

type Damage = (
  contents: DiskContents,
  round: number,
) => { readonly file: string; readonly bytes: Buffer }

/**
 * Cuts the newest log short, by `1 + round × step` bytes, so that the rounds go over its last 4,096.
 */
export function truncateLog(options: CrashOptions): Promise<CrashResult> {
  const step = Math.max(1, Math.floor(LOG_END_BYTES / options.rounds))
  return damageLog(options, (contents, round) => {
    const [file, bytes] = newestLog(contents)
    return { file, bytes: bytes.subarray(0, bytes.length - 1 - round * step) }
  })
}

/** Flips one bit of the newest log; half of them in its end. */
export function flipLog(options: CrashOptions): Promise<CrashResult> {
  return damageLog(options, (contents, round) => {
    const random = new Random(options.seed, round)
    const [file, bytes] = newestLog(contents)
    const range = random.oneIn(2) ? Math.min(LOG_END_BYTES, bytes.length) : bytes.length
    return { file, bytes: flipped(bytes, bytes.length - range + random.below(range), random) }
  })
}

async function damageLog(options: CrashOptions, damage: Damage): Promise<CrashResult> {
  const { seed, programs } = options
  const directory = programs.place('log')
  await leaveALog(programs, directory, seed)
  return await damageFiles(options, directory, damage, async (copy, inspectors) => {
    const found = await inspectors.do({ do: 'check', directory: copy, seed, clients: CLIENTS })
    return found.outcome === 'checked'
      ? { outcome: 'opened at a commit', wrong: found.report.findings }
      : refusalIn(found)
  })
}

/**
 * Flips one bit of a table, and reads every object by itself: each shows what was committed for it
 * last, or says that it cannot be read, or shows what was committed before and `verify` tells.
 */
export async function flipTables(options: CrashOptions): Promise<CrashResult> {
  const { seed, programs } = options
  const directory = programs.place('tables')
  const book = await leaveTables(programs, directory, seed)
  const damage: Damage = (contents, round) => {
    const random = new Random(seed, round)
    const [file, bytes, offset] = anyByteOf(tablesIn(contents), random)
    return { file, bytes: flipped(bytes, offset, random) }
  }
  return await damageFiles(options, directory, damage, async (copy, inspectors, again) => {
    const found = await inspectors.do({ do: 'compare', directory: copy, book })
    if (found.outcome !== 'compared') return refusalIn(found)
    const { refused, stale, wrong } = found.comparison
    if (wrong.length > 0) return { outcome: 'wrong', wrong }
    if (stale.length > 0) return await toldByVerify(stale, again(), inspectors)
    return { outcome: Object.keys(refused).length === 0 ? 'harmless' : 'objects refused', wrong }
  })
}

/**
 * LevelDB compares no checksums when it reads: a flip that hides a newer record from it shows the older
 * one below, of which nothing in the record tells. `verify` does, on the files as they were: opening
 * may write them anew.
 */
async function toldByVerify(
  stale: readonly string[],
  directory: string,
  inspectors: Inspectors,
): Promise<Outcome> {
  const found = await inspectors.do({ do: 'verify', directory })
  rmSync(directory, { recursive: true })
  const isTold =
    found.outcome === 'verified' && found.problems.some(({ file }) => file !== undefined)
  const wrong = isTold ? [] : stale.map((oid) => `${oid}: an older revision, and verify is silent`)
  return { outcome: 'outdated, and verify tells', wrong }
}

interface Outcome {
  readonly outcome: string
  readonly wrong: readonly string[]
}

async function damageFiles(
  { rounds, lanes, programs }: CrashOptions,
  directory: string,
  damage: Damage,
  /** `again` makes one more copy. */
  inspect: (copy: string, inspectors: Inspectors, again: () => string) => Promise<Outcome>,
): Promise<CrashResult> {
  const contents = readDirectory(directory)
  const inspectors = new Inspectors(programs)
  const result = new CrashResult(rounds)
  try {
    await inLanes(rounds, lanes, async (round) => {
      const { file, bytes } = damage(contents, round)
      const copyAs = (name: string): string => {
        const copy = programs.place(`${basename(directory)}-${round}${name}`)
        writeDirectory(new Map(contents).set(file, bytes), directory, copy)
        return copy
      }
      const copy = copyAs('')
      const { outcome, wrong } = await inspect(copy, inspectors, () => copyAs('-again'))
      result.count(outcome)
      if (wrong.length > 0) result.fail({ round, what: `${copy}, ${basename(file)}`, wrong })
      else rmSync(copy, { recursive: true })
    })
  } finally {
    inspectors.close()
  }
  return result
}

/**
 * Only a refusal that has a code and says more than that is one. LevelDB checks no checksums when it
 * reads, and classic-level cannot make it: now and then it stumbles over its own assertions and ends
 * the process. That is no refusal to be proud of, but no wrong data.
 */
function refusalIn(found: Inspection): Outcome {
  if (found.outcome === 'died' && /^SIGABRT: .*leveldb/s.test(found.message)) {
    return { outcome: 'ended by LevelDB', wrong: [] }
  }
  if (found.outcome === 'refused' && found.message.length > 40) {
    return { outcome: found.code, wrong: [] }
  }
  return { outcome: found.outcome, wrong: [JSON.stringify(found)] }
}

/** A database whose process was killed: its commits are in one log. */
async function leaveALog(programs: Programs, directory: string, seed: number): Promise<void> {
  const options: WriterOptions = {
    directory,
    seed,
    clients: CLIENTS,
    durability: 'sync',
    writeBufferBytes: 4 * 1024 * 1024,
    dieAt: { nth: 60, when: 'after' },
  }
  const child = start(programs.commandOf('writer', JSON.stringify(options)))
  child.stdout!.resume()
  await once(child, 'close')
}

/** A database that was closed, opened and closed: its commits are in tables. */
async function leaveTables(
  programs: Programs,
  directory: string,
  seed: number,
): Promise<ObjectBook> {
  const inspectors = new Inspectors(programs)
  try {
    const job = { do: 'grow', directory, seed, clients: CLIENTS } as const
    const grown = await inspectors.do({ ...job, commits: 300 })
    if (grown.outcome !== 'grown') throw new Error(JSON.stringify(grown))
    for (let i = 0; i < 2; i++) {
      await inspectors.do({ do: 'check', directory, seed, clients: CLIENTS })
    }
    return grown.book
  } finally {
    inspectors.close()
  }
}

function newestLog(contents: DiskContents): [path: string, bytes: Buffer] {
  const logs = [...contents].filter(([path]) => path.endsWith('.log')).sort()
  const log = logs.at(-1)
  if (log === undefined || log[1].length < LOG_END_BYTES)
    throw new Error('There is no log to damage')
  return log
}

function tablesIn(contents: DiskContents): [path: string, bytes: Buffer][] {
  const tables = [...contents].filter(([path]) => path.endsWith('.ldb'))
  if (tables.length === 0) throw new Error('There is no table to damage')
  return tables
}

/** All bytes of all files alike. */
function anyByteOf(
  files: readonly [path: string, bytes: Buffer][],
  random: Random,
): [path: string, bytes: Buffer, offset: number] {
  let offset = random.below(files.reduce((sum, [, bytes]) => sum + bytes.length, 0))
  for (const [path, bytes] of files) {
    if (offset < bytes.length) return [path, bytes, offset]
    offset -= bytes.length
  }
  throw new Error('There is no byte to damage')
}

function flipped(bytes: Buffer, offset: number, random: Random): Buffer {
  const copy = Buffer.from(bytes)
  copy[offset]! ^= 1 << random.below(8)
  return copy
}
