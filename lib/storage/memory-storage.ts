import { MemoryLevel } from 'memory-level'
import { LevelStorage } from './level-storage.js'

/** Options of {@link createMemoryStorage}. */
export interface MemoryStorageOptions {
  /**
   * Where to keep the rows; lets a second storage open what a first one wrote and closed. Must be
   * made with Buffer encodings, see {@link createMemoryDatabase}.
   */
  readonly database?: MemoryLevel<Buffer, Buffer>
  readonly readOnly?: boolean
}

/** A storage that ends with its process: the same rows and checks as on disk. Not yet open. @public */
export function createMemoryStorage({
  database = createMemoryDatabase(),
  readOnly = false,
}: MemoryStorageOptions = {}): LevelStorage {
  return new LevelStorage(
    {
      location: 'memory',
      open: async () => {
        await database.open()
        return database
      },
      close: () => database.close(),
    },
    { readOnly },
  )
}

/** What a memory storage keeps its rows in. */
export function createMemoryDatabase(): MemoryLevel<Buffer, Buffer> {
  return new MemoryLevel<Buffer, Buffer>({ keyEncoding: 'buffer', valueEncoding: 'buffer' })
}
