import type { Clock } from '../foundation/index.js'
import type { TransactionManager } from '../transaction/index.js'
import type { BlobKeeper } from './blob-keeper.js'
import type { CommitWriter } from './commit-writer.js'
import type { CommittedStore } from './committed-store.js'
import type { Isolation } from './connection.js'
import type { ConnectionSiblings } from './connection-siblings.js'
import type { HistoricalEpoch } from './historical-epoch.js'
import type { ObjectCacheLimits } from './object-cache.js'
import type { ObjectDatabase } from './object-database.js'
import type { RecordRules } from './outgoing-commit.js'

/** What a connection works with. @internal */
export interface ConnectionParts {
  readonly database: ObjectDatabase
  readonly store: CommittedStore
  readonly writer: CommitWriter
  readonly blobs: BlobKeeper
  readonly clock: Clock
  readonly transactionManager: TransactionManager
  readonly sortKey: string
  readonly cacheLimits: ObjectCacheLimits
  readonly rules: RecordRules
  /** True when only the calls that run inside a transaction's scope may use its objects. */
  readonly isScoped: boolean
  readonly isReadOnly: boolean
  /** Where it reads, when not what is newest. */
  readonly past?: HistoricalEpoch | undefined
  readonly isolation?: Isolation | undefined
  /** Those of the group in the same transactions, when it is made beside them. */
  readonly siblings?: ConnectionSiblings | undefined
}
