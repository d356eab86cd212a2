import {
  aBoolean,
  aClock,
  aFunction,
  anObjectWith,
  anything,
  aWholeNumber,
  type Clock,
  type OptionRules,
  oneOf,
} from '../foundation/index.js'
import {
  createDirectoryStorage,
  type DirectoryStorageOptions,
  type Durability,
  type History,
  type Storage,
} from '../storage/index.js'
import type { ErrorReporter } from '../transaction/index.js'
import type { ClassFactory, OnMissingClass } from './class-table.js'
import { InvalidDatabaseOptionError } from './errors.js'
import type { ObjectCacheLimits } from './object-cache.js'
import type { RecordRules } from './outgoing-commit.js'

/** @public */
export interface ObjectDatabaseOptions {
  /** Where records are kept instead of in a directory: a `MemoryStorage`, or one of your own. */
  readonly storage?: Storage
  /** For the directory's LevelDB. */
  readonly level?: DirectoryStorageOptions
  /**
   * Which earlier states of the database can be read, and undone. May be another at each opening:
   * what was kept so far and is not asked for any more goes, all of it with `off`. For the directory's
   * storage: one of your own has its own. Default: as it was, and `off` for a new database.
   */
  readonly history?: History
  /** Nothing can be changed: transactions are refused. Default false. */
  readonly readOnly?: boolean
  /** `sync` (default): a commit survives power loss. `relaxed`: it survives a killed process. */
  readonly durability?: Durability
  /**
   * For committed states, shared by all connections. Default 64 MiB. No connection holds objects with
   * more state than that, whether the cache still has it or not; changed objects stay.
   */
  readonly cacheBytes?: number
  /** Objects that each connection holds strongly, about, also during a transaction. Default 20,000. */
  readonly cacheObjects?: number
  /** Connections kept for the next transactions. Default 64. */
  readonly poolSize?: number
  /**
   * Tells when commits were, what is old, and when deliveries fall due. Pauses and deadlines of a transaction's
   * tries are the machine's. Default the machine's clock.
   */
  readonly clock?: Clock
  /**
   * Each commit verifies that all its references lead to objects, which may cost a read for each.
   * Default false.
   */
  readonly checkReferences?: boolean
  /** What reading an object of a class that the program lacks does. Default `throw`. */
  readonly onMissingClass?: OnMissingClass
  /** Gives the class of a stored name that no class of the program has. */
  readonly classFactory?: ClassFactory
  /**
   * A record above this is reported to `onError` when it is written: often a collection that should
   * be a tree, or a blob. Default 16 MiB.
   */
  readonly largeRecordBytes?: number
  /** Told of errors without a caller. Default: a process warning. */
  readonly onError?: ErrorReporter
}

/** What they may be; `level` and `history` as the storage says. */
export const objectDatabaseOptionRules: OptionRules<ObjectDatabaseOptions> = {
  storage: anObjectWith('a storage', ['open', 'write', 'snapshot', 'close']),
  level: anything,
  history: anything,
  readOnly: aBoolean,
  durability: oneOf('sync', 'relaxed'),
  cacheBytes: aWholeNumber(0),
  cacheObjects: aWholeNumber(0),
  poolSize: aWholeNumber(0),
  clock: aClock,
  checkReferences: aBoolean,
  onMissingClass: oneOf('throw', 'broken'),
  classFactory: aFunction,
  largeRecordBytes: aWholeNumber(1),
  onError: aFunction,
}

/**
 * Where the records are kept: in a directory, if not in a storage that was given. Not opened yet.
 * @throws PERSISTENCE_INVALID_OPTION when a history is asked of a storage that was given.
 */
export function storageFor(
  location: string,
  { storage, level, history, readOnly }: ObjectDatabaseOptions,
): Storage {
  if (storage === undefined) {
    return createDirectoryStorage(location, {
      ...level,
      ...(history !== undefined && { history }),
      ...(readOnly !== undefined && { readOnly }),
    })
  }
  if (history === undefined) return storage
  throw new InvalidDatabaseOptionError(
    'history is kept by the storage, and one was given: say there what to keep, or leave `storage` out',
  )
}

/** How much a connection holds; the bytes are those of the shared cache, too. */
export function cacheLimitsIn({
  cacheObjects: objects = 20_000,
  cacheBytes: bytes = 64 * 1024 * 1024,
}: ObjectDatabaseOptions): ObjectCacheLimits {
  return { objects, bytes }
}

/** @param storage - open. */
export function recordRulesIn(
  { checkReferences = false, largeRecordBytes = DEFAULT_LARGE_RECORD_BYTES }: ObjectDatabaseOptions,
  storage: Storage,
): RecordRules {
  return {
    checksReferences: checkReferences,
    largeRecordBytes,
    keepsHistory: storage.historyFrom !== undefined,
  }
}

/** As ZODB's `large_record_size`. */
const DEFAULT_LARGE_RECORD_BYTES = 16 * 1024 * 1024
