import type { StorageCommit } from '../storage/index.js'

/** Bytes of states that are written at once, give or take a commit. */
const BATCH_BYTES = 4 * 1024 * 1024
/** And at most so many commits. */
const BATCH_COMMITS = 1000

/** Commits, some at a time, as a storage writes them fastest. */
export async function* commitBatches(
  commits: AsyncIterable<StorageCommit> | Iterable<StorageCommit>,
): AsyncGenerator<readonly StorageCommit[], void, undefined> {
  let batch: StorageCommit[] = []
  let bytes = 0
  for await (const commit of commits) {
    batch.push(commit)
    bytes += bytesOf(commit)
    if (bytes < BATCH_BYTES && batch.length < BATCH_COMMITS) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** Bytes of a commit's states. */
export function bytesOf({ records }: StorageCommit): number {
  let bytes = 0
  for (const { state } of records) bytes += state.length
  return bytes
}
