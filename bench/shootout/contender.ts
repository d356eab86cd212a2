import type { Round } from '../harness.js'
import type { Workspace } from '../workspace.js'
import type { Task } from './task.js'

/** Who takes part. */
export type ContenderName = 'treehook' | 'zodb' | 'raw' | 'lmdb' | 'sqlite'

/** One who does tasks. */
export interface Contender extends AsyncDisposable {
  readonly name: ContenderName
  /**
   * Makes what the task needs; nothing of it is timed.
   * @throws NotAvailableError when this contender cannot do the task.
   */
  enter(task: Task, supplies: Supplies): Promise<Entry>
}

/** A contender at work on one task. Disposing it closes what it opened. */
export interface Entry extends AsyncDisposable {
  /**
   * Give one sample each: ms for one time, or how many in a second. Most contenders have one round
   * under their own name; the floor has one for each form in which bytes can be written.
   */
  readonly rounds: Readonly<Record<string, Round>>
  /** Numbers beside the samples, known when all are taken: conflicts, retries, loads. */
  facts?(): Promise<Facts> | Facts
}

export type Facts = Readonly<Record<string, number>>

/** What all contenders share. */
export interface Supplies {
  readonly workspace: Workspace
  /** What objects hold: 300 letters each, the same for every contender. */
  readonly texts: readonly string[]
  readonly seed: number
}
