import type { BlobStore } from './blob-store.js'
import type { LevelDatabase } from './level-database.js'
import type { Tid } from './tid.js'

/** Where a database is kept, and how to get hold of it. */
export interface DatabasePlace {
  /** For messages. */
  readonly location: string
  /** Takes the place for us alone and opens the database in it. May be called again after `close`. */
  open(): Promise<LevelDatabase>
  /** Where the contents of blobs are, once it is open; absent where they are kept in memory. */
  readonly blobs?: BlobStore | undefined
  /** Makes what was written survive a power loss; absent where nothing does. */
  sync?(): Promise<void>
  /**
   * The newest commit that must be there, as the files knew before LevelDB opened them. Known once it
   * is open.
   */
  readonly syncedTid?: Tid | undefined
  /** The session of LevelDB, another one at each opening. Known once it is open; absent where there are none. */
  readonly session?: number | undefined
  /** The session before, when its files had lost nothing of it but what it wrote last. Likewise. */
  readonly wholeSession?: number | undefined
  /** Closes the database, then lets go of the place. */
  close(): Promise<void>
}
