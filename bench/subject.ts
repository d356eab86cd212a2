import type { Figure } from './figure.js'
import type { Workspace } from './workspace.js'

/** Figures that are measured with the same means. */
export interface Subject {
  readonly name: string
  /** The names of its figures, in the order in which they are given. */
  readonly figures: readonly string[]
  /**
   * Measures those of its figures that are wanted.
   * @throws Error when the measured work did not happen as it should.
   */
  measure(wanted: ReadonlySet<string>, settings: Settings): AsyncIterable<Figure>
}

/** How long and where to measure. */
export interface Settings {
  readonly warmUps: number
  readonly rounds: number
  /** How long one round takes, about. */
  readonly roundMs: number
  /** Deliveries made in one round. */
  readonly deliveries: number
  readonly workspace: Workspace
}

export const FULL = { warmUps: 2, rounds: 7, roundMs: 300, deliveries: 4000 } as const
/** For a look, or to see that it works. */
export const QUICK = { warmUps: 1, rounds: 3, roundMs: 60, deliveries: 400 } as const
