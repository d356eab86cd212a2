import type { Programs } from './programs.js'

/** How a run is made; the same for all of them. */
export interface CrashOptions {
  /** Kills, losses of power, flips: one each. */
  readonly rounds: number
  readonly seed: number
  /** Processes beside each other. */
  readonly lanes: number
  readonly programs: Programs
}

export interface Failure {
  readonly round: number
  /** How the round went, for who wants to repeat it. */
  readonly what: string
  readonly wrong: readonly string[]
}

/** What came of a run. */
export class CrashResult {
  readonly rounds: number
  /** Transactions that had been acknowledged when they were looked for, over all rounds. */
  acknowledged = 0
  /** What happened → in how many rounds. */
  readonly outcomes: Record<string, number> = {}
  failed = 0
  /** The first of them: a thousand times the same helps nobody. */
  readonly failures: Failure[] = []

  constructor(rounds: number) {
    this.rounds = rounds
  }

  count(outcome: string): void {
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
  }

  fail(failure: Failure): void {
    this.failed++
    if (this.failures.length < REPORTED) this.failures.push(failure)
  }
}

const REPORTED = 20
