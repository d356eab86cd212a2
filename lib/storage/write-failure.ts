import { CheckpointFailedError, OutcomeUnknownError } from './errors.js'
import type { StorageCommit } from './interfaces.js'
import { isDiskFull } from './level-error.js'
import { formatTid } from './tid.js'

/** What a write to LevelDB that failed means for a storage, and what to do about it. */
export const writeFailure = {
  /** Of commits: they may be on disk all the same. */
  ofCommits: (
    location: string,
    commits: readonly StorageCommit[],
    cause: unknown,
  ): OutcomeUnknownError => {
    const first = formatTid((commits[0] as StorageCommit).tid)
    const last = formatTid((commits[commits.length - 1] as StorageCommit).tid)
    const which = first === last ? `transaction ${last}` : `transactions ${first} to ${last}`
    return new OutcomeUnknownError(
      `Writing ${which} to ${location} failed, and may be on disk all the same. ${whatToDo(cause)}, then ` +
        'open the storage again: the open says which commits survived.',
      { cause, details: { location, first, last, diskFull: isDiskFull(cause) } },
    )
  },

  ofCheckpoint: (location: string, cause: unknown): CheckpointFailedError =>
    new CheckpointFailedError(
      `A checkpoint of ${location} failed. Every acknowledged commit is on disk. ${whatToDo(cause)}, then ` +
        'open the storage again.',
      { cause, details: { location, diskFull: isDiskFull(cause) } },
    ),

  /** While an empty storage was made what another one was. */
  ofFilling: (location: string, cause: unknown): OutcomeUnknownError =>
    new OutcomeUnknownError(
      `${location} was filled in part only, and can no longer be opened. Remove what is there, and ` +
        'begin again.',
      { cause, details: { location } },
    ),
}

function whatToDo(cause: unknown): string {
  return isDiskFull(cause)
    ? 'The disk is full: make room on it'
    : 'LevelDB reported a failure: see the cause'
}
