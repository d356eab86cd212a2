import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Acknowledged } from './acknowledged.js'
import { type CrashOptions, CrashResult } from './crash-run.js'
import { inLanes } from './inspectors.js'
import { type Programs, start } from './programs.js'
import { Random } from './random.js'
import type { WriterOptions } from './writer.js'

const CLIENTS = 4
/** A life: so many processes are killed over one directory, one after another. */
const KILLS_A_LIFE = 20

/** How a process ends. Milliseconds are from the line of that name on. */
type End =
  | { readonly by: 'kill'; readonly after: 'opening' | 'ready' | 'closing'; readonly ms: number }
  /** By its own hand, at the nth write that it gives to LevelDB. */
  | { readonly by: 'itself'; readonly when: 'before' | 'after'; readonly nth: number }

/**
 * Kills processes that commit, open or close, each at a moment of its own, and lets the next one
 * check what it finds, and go on from there.
 */
export async function killProcesses({
  rounds,
  seed,
  lanes,
  programs,
}: CrashOptions): Promise<CrashResult> {
  const result = new CrashResult(rounds)
  await inLanes(Math.ceil(rounds / KILLS_A_LIFE), lanes, async (life) => {
    const first = life * KILLS_A_LIFE
    const kills = Math.min(KILLS_A_LIFE, rounds - first)
    const directory = programs.place(`life-${life}`)
    const told = new Acknowledged(CLIENTS)
    for (let i = 0; i <= kills; i++) {
      const random = new Random(seed, life, i)
      // The last one is there to check what the last kill left, and closes.
      const end = i === kills ? undefined : anEnd(random)
      const options = optionsOf({ directory, seed: seed + life, end, random })
      const wrong = await runUntil(end, { options, programs, told })
      if (end !== undefined) result.count(end.by === 'kill' ? `after ${end.after}` : 'by itself')
      if (wrong.length === 0) continue
      const what = `${directory}, process ${i}, ended by ${JSON.stringify(end)}`
      result.fail({ round: first + i, what, wrong })
      break
    }
    result.acknowledged += told.count
  })
  return result
}

function anEnd(random: Random): End {
  if (random.oneIn(3)) {
    // A small number falls into the opening, or into the making of the ledger.
    const nth = 1 + random.below(random.oneIn(3) ? 4 : 60)
    return { by: 'itself', when: random.pick(['before', 'after']), nth }
  }
  const after = random.pick(['opening', 'ready', 'ready', 'ready', 'closing'] as const)
  return { by: 'kill', after, ms: random.next() * (after === 'ready' ? 80 : 25) }
}

function optionsOf({
  directory,
  seed,
  end,
  random,
}: {
  readonly directory: string
  readonly seed: number
  readonly end: End | undefined
  readonly random: Random
}): WriterOptions {
  const closes =
    end === undefined || (end.by === 'kill' ? end.after === 'closing' : random.oneIn(2))
  return {
    directory,
    seed,
    clients: CLIENTS,
    // What was acknowledged survives a kill in either way.
    durability: random.pick(['sync', 'relaxed']),
    writeBufferBytes: random.pick([64, 256, 4096]) * 1024,
    history: random.pick([undefined, undefined, 'off', 'all', { maxTransactions: 30 }]),
    isKeptUp: random.oneIn(2),
    ...(closes && { transactions: 1 + random.below(10) }),
    ...(end?.by === 'itself' && { dieAt: { nth: end.nth, when: end.when } }),
  }
}

/** @returns what is wrong with what it found, or with how it ended. */
async function runUntil(
  end: End | undefined,
  {
    options,
    programs,
    told,
  }: {
    readonly options: WriterOptions
    readonly programs: Programs
    readonly told: Acknowledged
  },
): Promise<string[]> {
  const child = start(programs.commandOf('writer', JSON.stringify(options)))
  const ended = once(child, 'exit')
  const wrong: string[] = []
  for await (const line of createInterface({ input: child.stdout! })) {
    wrong.push(...told.hear(line))
    if (line.startsWith('failed')) wrong.push(line)
    if (wrong.length > 0) child.kill('SIGKILL')
    if (end?.by === 'kill' && line.startsWith(end.after)) {
      void sleep(end.ms).then(() => child.kill('SIGKILL'))
    }
  }
  const [code, signal] = await ended
  if (signal !== 'SIGKILL' && code !== 0) wrong.push(`it ended by ${String(signal ?? code)}`)
  return wrong
}
