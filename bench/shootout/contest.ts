import type { Figure, Rival } from '../figure.js'
import { alternate, best, median, type Round } from '../harness.js'
import { NotAvailableError } from '../peers/not-available.js'
import type { Settings } from '../subject.js'
import type { Contender, Entry, Facts, Supplies } from './contender.js'
import type { Contest } from './contests.js'
import { nowMs } from './stopwatch.js'

/** Those who can take part, and why the others cannot. */
export interface Field {
  readonly contenders: ReadonlyMap<string, Contender>
  readonly absences: ReadonlyMap<string, string>
}

/**
 * Measures one figure: all who take part take turns.
 * @throws NotAvailableError when this library cannot do the task.
 */
export async function hold(
  contest: Contest,
  { contenders, absences }: Field,
  supplies: Supplies,
  settings: Settings,
): Promise<Figure> {
  await using entered = new Entered()
  await entered.enter(contenders.get('treehook') as Contender, contest, supplies)
  const missing = new Map<string, string>()
  for (const name of contest.rivals) {
    const contender = contenders.get(name)
    const absence =
      contender === undefined
        ? (absences.get(name) ?? 'not asked for')
        : await entered.tryToEnter(contender, contest, supplies)
    if (absence !== undefined) missing.set(name, absence)
  }
  const samples = await sampled(entered.rounds, contest, settings)
  const facts = await entered.facts()
  return figureOf(contest, samples, facts, missing)
}

/** The entries of those who take part in one contest. */
class Entered implements AsyncDisposable {
  readonly #entries = new Map<string, Entry>()

  async enter(contender: Contender, { task }: Contest, supplies: Supplies): Promise<void> {
    this.#entries.set(contender.name, await contender.enter(task, supplies))
  }

  /** @returns why it does not take part; `undefined` when it does. */
  async tryToEnter(
    contender: Contender,
    contest: Contest,
    supplies: Supplies,
  ): Promise<string | undefined> {
    try {
      await this.enter(contender, contest, supplies)
      return undefined
    } catch (error) {
      if (error instanceof NotAvailableError) return error.message
      throw error
    }
  }

  get rounds(): Readonly<Record<string, Round>> {
    return Object.assign({}, ...[...this.#entries.values()].map(({ rounds }) => rounds))
  }

  async facts(): Promise<ReadonlyMap<string, Facts>> {
    const facts = new Map<string, Facts>()
    for (const [name, entry] of this.#entries) facts.set(name, (await entry.facts?.()) ?? {})
    return facts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const entry of this.#entries.values()) await entry[Symbol.asyncDispose]()
  }
}

type Samples = Readonly<Record<string, readonly number[]>>

async function sampled(
  rounds: Readonly<Record<string, Round>>,
  { task, samplesAtMost = Number.POSITIVE_INFINITY }: Contest,
  { samples, warmUpMs }: Settings,
): Promise<Samples> {
  // One small commit after another runs little code a second: it takes V8 longer to compile what is ours.
  const oursMs = task.objects <= FEW_OBJECTS ? warmUpMs * LONGER : warmUpMs
  for (const [name, round] of Object.entries(rounds)) {
    await warmUp(round, name === 'treehook' ? oursMs : warmUpMs)
  }
  return alternate(rounds, { warmUps: 0, rounds: Math.min(samples, samplesAtMost) })
}

const FEW_OBJECTS = 10
const LONGER = 10

/** Until code is compiled and caches are full. */
async function warmUp(round: Round, warmUpMs: number): Promise<void> {
  const start = nowMs()
  do await round()
  while (nowMs() - start < warmUpMs)
}

function figureOf(
  { name, unit, task, rivals, targets }: Contest,
  samples: Samples,
  facts: ReadonlyMap<string, Facts>,
  missing: ReadonlyMap<string, string>,
): Figure {
  const ours = samples.treehook as readonly number[]
  return {
    name,
    value: median(ours),
    unit,
    samples: ours,
    rivals: rivals.flatMap((rival) => {
      const absence = missing.get(rival)
      if (absence !== undefined) return [{ name: rival, what: rival, samples: [], absence }]
      return rival === 'raw' ? rawRivals(samples, unit) : [rivalOf(rival, samples, facts)]
    }),
    targets,
    facts: facts.get('treehook') ?? {},
    ...(unit === 'ms' && { objects: task.objects }),
  }
}

function rivalOf(name: string, samples: Samples, facts: ReadonlyMap<string, Facts>): Rival {
  const own = samples[name] as readonly number[]
  return { name, what: name, samples: own, facts: facts.get(name) ?? {} }
}

/** The fastest form, and the faster of the batches where there is a choice. */
function rawRivals(samples: Samples, unit: Figure['unit']): readonly Rival[] {
  const isBetter = (one: number, other: number): boolean =>
    unit.endsWith('/s') ? one > other : one < other
  const fastestOf = (name: string, forms: readonly string[]): Rival => {
    const { name: what } = best(samples, forms, { isBetter })
    return { name, what, samples: samples[what] as readonly number[] }
  }
  const forms = Object.keys(samples).filter((form) => form.startsWith('raw '))
  const batches = forms.filter((form) => form.endsWith(' batch'))
  const fastest = fastestOf('raw', forms)
  return batches.length === 0 ? [fastest] : [fastest, fastestOf('raw batch', batches)]
}
