import { MemoryLevel } from 'memory-level'
import type { History } from './interfaces.js'
import { LevelStorage } from './level-storage.js'
import { MemoryBlobs } from './memory-blobs.js'

/** Options of {@link createMemoryStorage}. */
export interface MemoryStorageOptions {
  /**
   * Where to keep the rows; lets a second storage open what a first one wrote and closed. Must be
   * made with Buffer encodings, see {@link createMemoryDatabase}.
   */
  readonly database?: MemoryLevel<Buffer, Buffer>
  readonly readOnly?: boolean
  /** As of a storage in a directory. */
  readonly history?: History | undefined
  /** As of a storage in a directory. */
  readonly checkpointBytes?: number | undefined
}

/** A storage that ends with its process: the same rows and checks as on disk. Not yet open. @public */
export function createMemoryStorage({
  database = createMemoryDatabase(),
  readOnly = false,
  history,
  checkpointBytes,
}: MemoryStorageOptions = {}): LevelStorage {
  return new LevelStorage(
    {
      location: 'memory',
      blobs: blobsBeside(database),
      open: async () => {
        await database.open()
        return database
      },
      close: () => database.close(),
    },
    { readOnly, history, checkpointBytes },
  )
}

const blobsOfDatabases = new WeakMap<object, MemoryBlobs>()

/** Whoever opens the rows again finds the blobs, too. */
function blobsBeside(database: object): MemoryBlobs {
  const known = blobsOfDatabases.get(database)
  if (known !== undefined) return known
  const blobs = new MemoryBlobs()
  blobsOfDatabases.set(database, blobs)
  return blobs
}

/** What a memory storage keeps its rows in. */
export function createMemoryDatabase(): MemoryLevel<Buffer, Buffer> {
  return new MemoryLevel<Buffer, Buffer>({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
}
