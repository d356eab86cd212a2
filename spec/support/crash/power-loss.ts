import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Durability } from '../../../lib/storage/index.js'
import { Acknowledged } from './acknowledged.js'
import { type CrashOptions, CrashResult } from './crash-run.js'
import {
  type DiskContents,
  DiskModel,
  type Luck,
  readDirectory,
  writeDirectory,
} from './disk-model.js'
import { type Inspection, Inspectors, inLanes } from './inspectors.js'
import { Random } from './random.js'
import { type FileEvent, traceOf } from './trace.js'
import type { WriterOptions } from './writer.js'

const CLIENTS = 4
const SESSIONS = 3

/** A process at work on a directory, from opening to its end, and how the directory was before. */
interface Session {
  readonly directory: string
  readonly seed: number
  readonly before: DiskContents
  readonly toldBefore: Acknowledged
  readonly events: readonly FileEvent[]
}

/**
 * Turns the power off at random moments of a database's life, and opens what a disk would then hold.
 * The life is recorded once, in sessions: each ends by a kill or a close, and the next one opens what
 * it left. Every moment of it can be the last.
 */
export async function losePower({
  rounds,
  seed,
  lanes,
  programs,
  durability = 'sync',
}: CrashOptions & { readonly durability?: Durability }): Promise<CrashResult> {
  const sessions = await record({ seed, programs, durability })
  const inspectors = new Inspectors(programs)
  const result = new CrashResult(rounds)
  try {
    await inLanes(rounds, lanes, async (round) => {
      const random = new Random(seed, round)
      const session = random.pick(sessions)
      const moment = 1 + random.below(session.events.length)
      const luck = random.pick<Luck>(['synced', 'synced', 'some', 'some', 'lostPage'])
      const { disk, told } = liveUntil(session, moment)
      const directory = programs.place(`${durability}-${round}`)
      writeDirectory(disk.afterPowerLoss(luck, random), session.directory, directory)
      result.acknowledged += told.count
      result.count(luck)
      const found = await inspectors.do({
        do: 'check',
        directory,
        seed: session.seed,
        clients: CLIENTS,
      })
      const wrong = findingsIn(found, told)
      if (wrong.length > 0) {
        result.fail({
          round,
          wrong,
          what: `${directory}, event ${moment} of ${session.events.length}, ${luck}`,
        })
      } else rmSync(directory, { recursive: true })
    })
  } finally {
    inspectors.close()
  }
  return result
}

function findingsIn(found: Inspection, told: Acknowledged): string[] {
  return found.outcome === 'checked' ? told.findingsIn(found.report) : [JSON.stringify(found)]
}

/** @returns the disk, and what the world had been told, when the power goes. */
function liveUntil(
  { before, toldBefore, events }: Session,
  moment: number,
): { readonly disk: DiskModel; readonly told: Acknowledged } {
  const disk = new DiskModel(before)
  const told = toldBefore.copy()
  for (const event of events.slice(0, moment)) {
    disk.apply(event)
    if (event.kind !== 'said') continue
    const wrong = told.hear(event.text)
    if (event.text.startsWith('failed')) wrong.push(event.text)
    if (wrong.length > 0) throw new Error(`Wrong before any loss of power: ${wrong.join('; ')}`)
  }
  return { disk, told }
}

async function record({
  seed,
  programs,
  durability,
}: Pick<CrashOptions, 'seed' | 'programs'> & { readonly durability: Durability }): Promise<
  Session[]
> {
  const random = new Random(seed)
  const directory = programs.place(`${durability}-traced`)
  mkdirSync(directory, { recursive: true })
  const sessions: Session[] = []
  let told = new Acknowledged(CLIENTS)
  for (let i = 0; i < SESSIONS; i++) {
    const isKilled = i !== SESSIONS - 1
    const options: WriterOptions = {
      directory,
      seed,
      clients: CLIENTS,
      durability,
      writeBufferBytes: 64 * 1024,
      transactions: 60,
      history: i === 0 ? 'off' : 'all',
      isKeptUp: true,
      ...(isKilled && { dieAt: { nth: 40 + random.below(60), when: 'after' } }),
    }
    const before = readDirectory(directory)
    const command = programs.commandOf('writer', JSON.stringify(options))
    const events = await traceOf(command, { directory, log: join(programs.directory, 'trace') })
    const session: Session = { directory, seed, before, toldBefore: told, events }
    told = assertComplete(session)
    sessions.push(session)
  }
  return sessions
}

/**
 * That nothing escaped the tracer: without a loss of power, the model holds what the directory holds.
 * @returns what the world had been told in the end.
 */
function assertComplete(session: Session): Acknowledged {
  const { directory, events } = session
  const { disk, told } = liveUntil(session, events.length)
  const model = disk.contents()
  const real = readDirectory(directory)
  const paths = new Set([...model.keys(), ...real.keys()])
  for (const event of events) if (event.kind === 'cutOff') paths.delete(event.path)
  const different = [...paths].filter((path) => differ(model.get(path), real.get(path)))
  if (different.length === 0 && real.size > 0) return told
  throw new Error(`The trace of ${directory} does not account for ${different.join(', ') || 'it'}`)
}

function differ(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined || !one.equals(other)
}
