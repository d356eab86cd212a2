import { median } from './harness.js'
import { type Spread, spreadOf } from './statistics.js'

/**
 * One measured number.
 *
 * `value` is the median of `samples`, one sample for each round. A peer is what was measured in the
 * same rounds for comparison: the bare library below, or the same work under easier conditions.
 */
export interface Figure {
  /** Stable: results of two versions are compared by it. */
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly samples: readonly number[]
  /** In the same unit. */
  readonly peer?: Peer
  readonly goal?: Goal
  /** Of a figure of the shootout: all that took turns with it. */
  readonly rivals?: readonly Rival[]
  readonly targets?: readonly Target[]
  /** Numbers that were counted beside the samples: conflicts, retries, loads. */
  readonly facts?: Readonly<Record<string, number>>
  /** Objects in one transaction, where the figure is the time of one. */
  readonly objects?: number
}

export type Unit =
  | 'µs'
  | 'ms'
  | 'commits/s'
  | 'deliveries/s'
  | 'inserts/s'
  | 'transactions/s'
  | 'MB'

/** What a figure is compared with. */
export interface Peer {
  readonly what: string
  readonly value: number
}

/** What a figure has to reach; where several bounds are given, all of them. Bounds are included. */
export interface Goal {
  readonly atMost?: number
  readonly atLeast?: number
  /** Of the value over its peer's. */
  readonly ratioAtMost?: number
  readonly ratioAtLeast?: number
  /** So many times as fast as the peer: half its time, or twice as many in a second, is 2. */
  readonly speedAtLeast?: number
}

/** One that took turns with a figure, or was to and could not. In the same unit. */
export interface Rival {
  /** Short and stable: `zodb`, `raw`. */
  readonly name: string
  /** Which form of it: `raw one value`. */
  readonly what: string
  /** Empty when it did not run. */
  readonly samples: readonly number[]
  /** Why it did not run. */
  readonly absence?: string
  readonly facts?: Readonly<Record<string, number>>
}

/** What a figure of the shootout has to reach. Bounds are included. */
export type Target =
  /** So many times as fast as a rival: half its time, or twice as many in a second, is 2. */
  | { readonly rival: string; readonly speedAtLeast: number }
  /** At most so many times as long as a rival takes. */
  | { readonly rival: string; readonly timeAtMost: number }
  /** The value itself. */
  | { readonly atMost: number }
  | { readonly fact: string; readonly atMost: number }

/** A figure as it stands in the file of `--json`. */
export interface FigureRow {
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly samples: readonly number[]
  readonly peer?: number
  readonly ratio?: number
  readonly facts?: Readonly<Record<string, number>>
  /** In figures of the shootout only, all that follows. */
  readonly spread?: Spread
  readonly objects?: number
  readonly objectsPerSecond?: number
  readonly rivals?: readonly RivalRow[]
  readonly targets?: readonly (Target & { readonly isMet: boolean | null })[]
}

/** A rival as it stands there; without a value when it did not run. */
export interface RivalRow extends Rival {
  readonly value?: number
  /** How many times as fast as the rival the figure is. */
  readonly speed?: number
  readonly spread?: Spread
}

/** The figure over its peer; `undefined` when it has none. */
export function ratioOf({ value, peer }: Figure): number | undefined {
  return peer && value / peer.value
}

/** Whether the figure reaches its goal; `undefined` when it has none. */
export function isGoalMet(figure: Figure): boolean | undefined {
  const { value, goal } = figure
  if (goal === undefined) return undefined
  const ratio = ratioOf(figure) ?? Number.NaN
  return (
    (goal.atMost === undefined || value <= goal.atMost) &&
    (goal.atLeast === undefined || value >= goal.atLeast) &&
    (goal.ratioAtMost === undefined || ratio <= goal.ratioAtMost) &&
    (goal.ratioAtLeast === undefined || ratio >= goal.ratioAtLeast) &&
    (goal.speedAtLeast === undefined || speedOfRatio(ratio, figure) >= goal.speedAtLeast)
  )
}

/** How many times as fast as a rival the figure is; `undefined` when the rival did not run. */
export function speedOver(figure: Figure, rival: Rival | undefined): number | undefined {
  if (rival === undefined || rival.samples.length === 0) return undefined
  return speedOfRatio(figure.value / median(rival.samples), figure)
}

/** Of times, less is faster. */
function speedOfRatio(ratio: number, { unit }: Figure): number {
  return unit.endsWith('/s') ? ratio : 1 / ratio
}

/** Whether a figure reaches one of its targets; `undefined` when what it asks for did not run. */
export function isTargetMet(figure: Figure, target: Target): boolean | undefined {
  if ('fact' in target) {
    const found = figure.facts?.[target.fact]
    return found === undefined ? undefined : found <= target.atMost
  }
  if ('atMost' in target) return figure.value <= target.atMost
  const rival = figure.rivals?.find(({ name }) => name === target.rival)
  const speed = speedOver(figure, rival)
  if (speed === undefined) return undefined
  return 'speedAtLeast' in target ? speed >= target.speedAtLeast : 1 / speed <= target.timeAtMost
}

/** Objects in a second, where the figure is the time of a transaction with some. */
export function objectsPerSecond({ value, unit, objects }: Figure): number | undefined {
  if (objects === undefined || unit !== 'ms') return undefined
  return (objects * 1000) / value
}

/** The text of the file of `--json`: an array, a figure on each line. */
export function toJson(figures: readonly Figure[]): string {
  const lines = figures.map((figure) => `  ${JSON.stringify(rowOf(figure))}`)
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`
}

function rowOf(figure: Figure): FigureRow {
  const { name, value, unit, samples, peer } = figure
  const ratio = ratioOf(figure)
  return {
    name,
    value,
    unit,
    samples,
    ...(peer && { peer: peer.value }),
    ...(ratio !== undefined && { ratio }),
    ...(figure.facts && { facts: figure.facts }),
    ...(figure.rivals && contestOf(figure, figure.rivals)),
  }
}

function contestOf(figure: Figure, rivals: readonly Rival[]): Partial<FigureRow> {
  const perSecond = objectsPerSecond(figure)
  return {
    spread: spreadOf(figure.samples),
    facts: figure.facts ?? {},
    ...(figure.objects !== undefined && { objects: figure.objects }),
    ...(perSecond !== undefined && { objectsPerSecond: perSecond }),
    rivals: rivals.map((rival) => rivalRowOf(figure, rival)),
    targets: (figure.targets ?? []).map((target) => ({
      ...target,
      isMet: isTargetMet(figure, target) ?? null,
    })),
  }
}

function rivalRowOf(figure: Figure, rival: Rival): RivalRow {
  const speed = speedOver(figure, rival)
  if (speed === undefined) return rival
  return { ...rival, value: median(rival.samples), speed, spread: spreadOf(rival.samples) }
}
