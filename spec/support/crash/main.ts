/**
 * `npm run crash`: kills, power losses, damaged files and failing calls, as many as one has time for.
 * Run it with `--help` for what it can do.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { CrashOptions, CrashResult } from './crash-run.js'
import { flipLog, flipTables, truncateLog } from './damage.js'
import { failSyncs, failSyncsOfOpening, failWrites, fillDisk, whyNoFullDisk } from './faults.js'
import { killProcesses } from './kills.js'
import { losePower } from './power-loss.js'
import { Programs } from './programs.js'
import { whyNoTracer } from './trace.js'

const HELP = `npm run crash -- [what …] [--seed n] [--lanes n] [--durability sync|relaxed]

  --kills n          kills n processes that commit, open or close
  --power-loss [n]   cuts the power at n moments of a traced life (1000); needs strace
  --truncations n    cuts the newest log short, over its last 4,096 bytes
  --log-flips n      flips one bit of the newest log, n times
  --table-flips n    flips one bit of a table, n times
  --faults n         n runs in which syncs fail (needs strace), n in which writes do, and a full disk

Without any, a little of each. --seed repeats a run: the plan is the same, the machine is not, so a
kill may fall a moment earlier or later. --durability is for --power-loss: with relaxed it must fail.`

type Run = (options: CrashOptions) => Promise<CrashResult>

interface Plan {
  readonly runs: readonly (readonly [name: string, rounds: number, run: Run])[]
  readonly seed: number
  readonly lanes: number
  /** Whether the runs were asked for by name: then one that cannot be made is a failure. */
  readonly isChosen: boolean
}

/**
 * What the command line asks for; `undefined` for help.
 * @throws TypeError, RangeError when it makes no sense.
 */
function planOf(args: string[]): Plan | undefined {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      kills: { type: 'string' },
      'power-loss': { type: 'boolean', default: false },
      truncations: { type: 'string' },
      'log-flips': { type: 'string' },
      'table-flips': { type: 'string' },
      faults: { type: 'string' },
      seed: { type: 'string', default: String(1 + (Date.now() % 1_000_000)) },
      lanes: { type: 'string', default: String(availableParallelism()) },
      durability: { type: 'string', default: 'sync' },
    },
  })
  if (values.help) return undefined
  const { durability } = values
  if (durability !== 'sync' && durability !== 'relaxed') {
    throw new RangeError(`--durability is ${durability}: give sync or relaxed`)
  }
  if (positionals.length > (values['power-loss'] ? 1 : 0)) {
    throw new RangeError(`${positionals.join(' ')}: nothing takes that`)
  }
  const losses = values['power-loss'] ? (positionals[0] ?? '1000') : undefined
  const all = [
    ['kills', values.kills, killProcesses],
    ['power-loss', losses, (options: CrashOptions) => losePower({ ...options, durability })],
    ['truncations', values.truncations, truncateLog],
    ['log-flips', values['log-flips'], flipLog],
    ['table-flips', values['table-flips'], flipTables],
    ['failing syncs', values.faults, failSyncs],
    ['failing openings', values.faults, failSyncsOfOpening],
    ['failing writes', values.faults, failWrites],
  ] as const
  const isChosen = all.some(([, rounds]) => rounds !== undefined)
  const runs = all.flatMap(([name, rounds, run]) =>
    isChosen && rounds === undefined
      ? []
      : [[name, wholeNumber(name, rounds ?? '100'), run] as const],
  )
  const [seed, lanes] = [wholeNumber('seed', values.seed), wholeNumber('lanes', values.lanes)]
  return { runs, seed, lanes, isChosen }
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new RangeError(`${name} is ${text}: give a whole number above 0`)
}

/** @returns whether all was well. */
async function report(name: string, run: Run, options: CrashOptions): Promise<boolean> {
  const began = performance.now()
  const result = await run(options)
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const outcomes = Object.entries(result.outcomes).map(([what, count]) => `${count} ${what}`)
  console.log(`${name}: ${result.rounds} in ${seconds} s: ${outcomes.join(', ')}`)
  if (result.acknowledged > 0) {
    console.log(`  ${result.acknowledged} acknowledged transactions looked for`)
  }
  for (const { round, what, wrong } of result.failures) {
    console.log(`  FAILED round ${round}: ${what}`)
    for (const one of wrong) console.log(`    ${one}`)
  }
  console.log(`  ${result.failed} failed`)
  return result.failed === 0
}

async function reportFullDisk(programs: Programs, seed: number): Promise<boolean> {
  const missing = whyNoFullDisk()
  if (missing !== undefined) {
    console.log(`full disk: left out: ${missing}`)
    return true
  }
  const found = await fillDisk(programs, seed)
  console.log('full disk:', found)
  return found.findings.length === 0 && found.found >= found.acknowledged
}

const TRACED = ['power-loss', 'failing syncs', 'failing openings']

async function carryOut({ runs, seed, lanes, isChosen }: Plan): Promise<boolean> {
  const programs = new Programs()
  console.log(`seed ${seed}, ${lanes} at a time, in ${programs.directory}`)
  let isWell = true
  for (const [name, rounds, run] of runs) {
    const missing = TRACED.includes(name) ? whyNoTracer() : undefined
    if (missing === undefined) {
      isWell = (await report(name, run, { rounds, seed, lanes, programs })) && isWell
    } else {
      console.log(`${name}: left out: ${missing}`)
      // Whoever asked for it must not take silence for success.
      if (isChosen) isWell = false
    }
    if (run === failWrites) isWell = (await reportFullDisk(programs, seed)) && isWell
  }
  if (isWell) programs.remove()
  return isWell
}

/** @returns the plan; `undefined` when there is nothing to carry out, which was said. */
function readPlan(): Plan | undefined {
  try {
    const plan = planOf(process.argv.slice(2))
    if (plan === undefined) console.log(HELP)
    return plan
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 2
    return undefined
  }
}

const plan = readPlan()
if (plan !== undefined && !(await carryOut(plan))) process.exitCode = 1
