import type { CommitWriter } from './commit-writer.js'

const writers = new WeakMap<object, CommitWriter>()

/** Remembers which database's writer has the winner of a conflict in a transaction over several. */
export function noteConflictPlace(error: object, writer: CommitWriter): void {
  writers.set(error, writer)
}

/** Who publishes the winner of a conflict; `undefined` where the transaction had one database only. */
export function placeOfConflict(error: object): CommitWriter | undefined {
  return writers.get(error)
}
