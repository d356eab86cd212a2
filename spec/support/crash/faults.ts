/** System calls that really fail while a database is written, and a disk that is really full. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { Acknowledged } from './acknowledged.js'
import { type CrashOptions, CrashResult } from './crash-run.js'
import type { FullDiskReport } from './full-disk.js'
import { Inspectors, inLanes } from './inspectors.js'
import { type Programs, start } from './programs.js'
import { Random } from './random.js'
import type { WriterOptions } from './writer.js'

const CLIENTS = 4

/** Makes a command that will not get all it asks for. */
type Fault = (command: readonly string[], random: Random) => string[]

/**
 * The nth sync fails, or that one and all after it, once a database is open and commits. Needs a
 * tracer, see `whyNoTracer`.
 */
export function failSyncs(options: CrashOptions): Promise<CrashResult> {
  return fail(options, 'sync', (command, random) => {
    const nth = SYNCS_OF_AN_OPENING + 1 + random.below(30)
    return failing({ call: 'fdatasync', nth, command, random })
  })
}

/** The same while a new database is opened. */
export function failSyncsOfOpening(options: CrashOptions): Promise<CrashResult> {
  return fail(options, 'opening', (command, random) => {
    const call = random.pick(['fsync', 'fdatasync'] as const)
    return failing({ call, nth: call === 'fsync' ? 1 : 1 + random.below(3), command, random })
  })
}

/** At least as many as LevelDB and the storage make. */
const SYNCS_OF_AN_OPENING = 6

function failing({
  call,
  nth,
  command,
  random,
}: {
  readonly call: 'fsync' | 'fdatasync'
  readonly nth: number
  readonly command: readonly string[]
  readonly random: Random
}): string[] {
  const error = random.pick(['EIO', 'ENOSPC'])
  const inject = `inject=${call}:error=${error}:when=${nth}${random.oneIn(2) ? '+' : ''}`
  const options = ['-f', '--seccomp-bpf', '-qq', '-o', '/dev/null']
  return ['strace', ...options, '-e', `trace=${call}`, '-e', inject, ...command]
}

/** Files may not grow beyond a limit, and `write` fails there, in the middle of what was to be written. */
export function failWrites(options: CrashOptions): Promise<CrashResult> {
  return fail(options, 'write', (command, random) => {
    const blocks = 8 + random.below(150)
    return ['sh', '-c', `ulimit -f ${blocks} && exec "$@"`, 'sh', ...command]
  })
}

async function fail(
  { rounds, seed, lanes, programs }: CrashOptions,
  name: string,
  fault: Fault,
): Promise<CrashResult> {
  const result = new CrashResult(rounds)
  const inspectors = new Inspectors(programs)
  try {
    await inLanes(rounds, lanes, async (round) => {
      const random = new Random(seed, round)
      const directory = programs.place(`${name}-${round}`)
      const options: WriterOptions = {
        directory,
        seed,
        clients: CLIENTS,
        durability: 'sync',
        writeBufferBytes: 1024 * 1024,
        transactions: 80,
        isKeptUp: random.oneIn(2),
      }
      const told = new Acknowledged(CLIENTS)
      const command = fault(programs.commandOf('writer', JSON.stringify(options)), random)
      const { refusals, wrong } = await listen(command, told)
      result.count([...new Set(refusals)].sort().join(' ') || 'not hit')
      result.acknowledged += told.count
      const found = await inspectors.do({ do: 'check', directory, seed, clients: CLIENTS })
      if (found.outcome === 'checked') wrong.push(...told.findingsIn(found.report))
      else wrong.push(JSON.stringify(found))
      if (wrong.length > 0)
        result.fail({ round, what: `${directory}: ${command.join(' ')}`, wrong })
    })
  } finally {
    inspectors.close()
  }
  return result
}

/** Listens to a writer until it ends; all that it is refused must have a code, and end its commits. */
async function listen(
  command: readonly string[],
  told: Acknowledged,
): Promise<{ readonly refusals: readonly string[]; readonly wrong: string[] }> {
  const child = start(command)
  const ended = once(child, 'exit')
  const refusals: string[] = []
  const wrong: string[] = []
  for await (const line of createInterface({ input: child.stdout! })) {
    wrong.push(...told.hear(line))
    const [, code] = /^failed \S+ (\S+)/.exec(line) ?? []
    if (code !== undefined) refusals.push(code)
    if (code === 'uncoded') wrong.push(line)
    if (line.startsWith('ack') && refusals.includes('STORAGE_OUTCOME_UNKNOWN')) {
      wrong.push(`${line}, after a failed write`)
    }
  }
  const [, signal] = await ended
  if (signal !== null) wrong.push(`it ended by ${String(signal)}`)
  return { refusals, wrong }
}

/** Why no disk can be filled, or `undefined` when one can. */
export function whyNoFullDisk(): string | undefined {
  const { error, status, stderr } = spawnSync('unshare', [
    '-rm',
    'mount',
    '-t',
    'tmpfs',
    'tmpfs',
    '/mnt',
  ])
  if (error !== undefined) return 'unshare is not installed (Debian: util-linux)'
  return status === 0 ? undefined : `nothing can be mounted here: ${String(stderr).trim()}`
}

/** Fills a small disk of its own with a database; see `full-disk.ts`. */
export async function fillDisk(programs: Programs, seed: number): Promise<FullDiskReport> {
  const directory = programs.place(`disk-${seed}`)
  mkdirSync(directory, { recursive: true })
  const script = 'mount -t tmpfs -o size=2m tmpfs "$1" && shift && exec "$@"'
  const command = programs.commandOf('full-disk', directory, String(seed))
  const child = start(['unshare', '-rm', 'sh', '-c', script, 'sh', directory, ...command])
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout! })) lines.push(line)
  return JSON.parse(lines.join('')) as FullDiskReport
}
