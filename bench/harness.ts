/**
 * How a figure is measured: warm-up rounds, then rounds that count, and the median of those. A
 * figure and its peers take turns within each round, so what slows the machine down for a while
 * slows down all of them.
 */
export async function alternate<Name extends string>(
  candidates: Readonly<Record<Name, Round>>,
  { warmUps, rounds }: { readonly warmUps: number; readonly rounds: number },
): Promise<Record<Name, readonly number[]>> {
  const names = Object.keys(candidates) as Name[]
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    number[]
  >
  for (let round = -warmUps; round < rounds; round++) {
    for (const name of turned(names, round)) {
      const sample = await candidates[name]()
      if (!Number.isFinite(sample) || sample <= 0) {
        throw new Error(`A round of ${name} gave ${sample}: nothing was measured`)
      }
      if (round >= 0) samples[name].push(sample)
    }
  }
  return samples
}

/** Measures once, for some time, and gives one sample. */
export type Round = () => number | Promise<number>

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  if (samples.length === 0) throw new RangeError('Nothing has no median')
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}

/** Of the candidates named, the one with the best median. */
export function best<Name extends string>(
  samples: Readonly<Record<Name, readonly number[]>>,
  names: readonly Name[],
  { isBetter }: { readonly isBetter: (one: number, other: number) => boolean },
): { readonly name: Name; readonly value: number } {
  const [first, ...others] = names.map((name) => ({ name, value: median(samples[name]) }))
  if (first === undefined) throw new RangeError('Of none, none is the best')
  return others.reduce((found, one) => (isBetter(one.value, found.value) ? one : found), first)
}

/** µs for each call of a function that takes less than the clock can tell: many calls, timed once. */
export function timePerCall(call: () => unknown, roundMs: number): number {
  let calls = 0
  let last: unknown
  const startMs = performance.now()
  let elapsedMs = 0
  while (elapsedMs < roundMs) {
    for (let i = 0; i < CALLS_BETWEEN_LOOKS; i++) last = call()
    calls += CALLS_BETWEEN_LOOKS
    elapsedMs = performance.now() - startMs
  }
  kept = last
  return (elapsedMs * 1000) / calls
}

const CALLS_BETWEEN_LOOKS = 500

/** Keeps the compiler from leaving out a call whose result nobody reads. */
export let kept: unknown

/** The median of single spans, for what must be prepared anew, untimed, before each call. */
export async function medianSpan(
  span: () => number | Promise<number>,
  roundMs: number,
): Promise<number> {
  const spans: number[] = []
  const startMs = performance.now()
  while (performance.now() - startMs < roundMs) spans.push(await span())
  return median(spans)
}

/** µs that one call takes. */
export function spanOf(call: () => unknown): number {
  const startMs = performance.now()
  kept = call()
  return (performance.now() - startMs) * 1000
}

/**
 * How often a second `work` is done by clients that each begin again when they are done, until the
 * round's time is over. The time until the last one has ended counts.
 */
export async function ratePerSecond(
  work: (client: number) => Promise<unknown>,
  { clients, roundMs }: { readonly clients: number; readonly roundMs: number },
): Promise<number> {
  let done = 0
  const startMs = performance.now()
  await inParallel(clients, async (client) => {
    do {
      await work(client)
      done++
    } while (performance.now() - startMs < roundMs)
  })
  return (done * 1000) / (performance.now() - startMs)
}

/** Calls `work` for each of so many clients at once; resolves when all have ended. */
export async function inParallel(
  clients: number,
  work: (client: number) => Promise<void>,
): Promise<void> {
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
}

/** Fails the run when the work that was timed did not happen. */
export function verify(what: string, found: unknown, expected: unknown): void {
  if (found === expected) return
  throw new Error(`The measured work went wrong: ${what} is ${found}, expected ${expected}`)
}

/** Another one begins in each round. */
function turned<T>(items: readonly T[], round: number): readonly T[] {
  const first = ((round % items.length) + items.length) % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
