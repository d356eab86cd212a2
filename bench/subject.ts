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
  /** Of each figure of the shootout. */
  readonly samples: number
  /** How long each contender of the shootout runs before samples are taken. */
  readonly warmUpMs: number
  readonly isQuick: boolean
  /** False: programs that are not ours are neither installed nor run. */
  readonly withPeers: boolean
  readonly workspace: Workspace
  /** Adds to the facts that a report names: versions, seeds. */
  note(what: string, value: string): void
}

export const FULL = {
  warmUps: 6,
  rounds: 7,
  roundMs: 300,
  deliveries: 4000,
  samples: 30,
  warmUpMs: 400,
  isQuick: false,
} as const
/** For a look, or to see that it works. */
export const QUICK = {
  warmUps: 1,
  rounds: 3,
  roundMs: 60,
  deliveries: 400,
  samples: 5,
  warmUpMs: 20,
  isQuick: true,
} as const
