import type { CommitRow } from './commit-row.js'
import { decodeCommitRow, type Generation, unreadableCommit } from './generation.js'
import { commitKeys } from './key-space.js'
import { entriesOf } from './level-entries.js'
import type { Tid } from './tid.js'

/** Commit rows in memory that are given between two turns of the event loop. */
const ROWS_A_STEP = 1000

/**
 * The commit rows after one commit and up to another, as far as they are there, in order or from the
 * newest back. Holds the generation from the first row to the last.
 * @throws STORAGE_CORRUPT_RECORD
 */
export async function* walkCommits(
  generation: Generation,
  {
    after,
    upTo,
    reverse = false,
  }: { readonly after: Tid; readonly upTo: Tid; readonly reverse?: boolean | undefined },
): AsyncGenerator<CommitRow, void, undefined> {
  generation.hold()
  try {
    const border = generation.overlay.after
    const inBase = { after, upTo: Math.min(upTo, border) as Tid, reverse }
    const inOverlay = { after: Math.max(after, border) as Tid, upTo, reverse }
    if (reverse) yield* rowsOfOverlay(generation, inOverlay)
    yield* rowsOfBase(generation, inBase)
    if (!reverse) yield* rowsOfOverlay(generation, inOverlay)
  } finally {
    generation.letGo()
  }
}

interface Part {
  readonly after: Tid
  readonly upTo: Tid
  readonly reverse: boolean
}

async function* rowsOfBase(
  { database, base }: Generation,
  { after, upTo, reverse }: Part,
): AsyncGenerator<CommitRow, void, undefined> {
  if (after >= upTo) return
  const range = { gt: commitKeys.encode(after), lte: commitKeys.encode(upTo), reverse }
  for await (const [key, bytes] of entriesOf(database, range, base)) {
    const tid = commitKeys.decode(key)
    if (tid === undefined) continue
    let row: CommitRow
    try {
      row = decodeCommitRow(tid, bytes)
    } catch (error) {
      throw unreadableCommit(tid, error)
    }
    yield row
  }
}

async function* rowsOfOverlay(
  { overlay }: Generation,
  { after, upTo, reverse }: Part,
): AsyncGenerator<CommitRow, void, undefined> {
  for (let given = 0; given < upTo - after; given++) {
    if (given % ROWS_A_STEP === ROWS_A_STEP - 1) await new Promise(setImmediate)
    const row = overlay.commit((reverse ? upTo - given : after + 1 + given) as Tid)
    if (row !== undefined) yield row
  }
}
