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
}

export type Unit = 'µs' | 'ms' | 'commits/s' | 'deliveries/s'

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
}

/** A figure as it stands in the file of `--json`. */
export interface FigureRow {
  readonly name: string
  readonly value: number
  readonly unit: Unit
  readonly samples: readonly number[]
  readonly peer?: number
  readonly ratio?: number
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
    (goal.ratioAtLeast === undefined || ratio >= goal.ratioAtLeast)
  )
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
  }
}
