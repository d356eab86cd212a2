/** What is measured, by the names of zodbshootout. */
export type Operation =
  | 'add'
  | 'store'
  | 'update'
  | 'conflicting-updates'
  | 'read-after-write'
  | 'cold-read'
  | 'hot-read'
  | 'steamin-read'
  | 'empty-transaction-commit'
  | 'read-current'
  | 'new-oid'
  | 'commits'
  | 'container-insert'
  | 'container-iterate'
  | 'mixed'
  | 'conflict-retry'
  | 'savepoint'
  | 'open'

/** One operation with its sizes; every contender is given the same. */
export interface Task {
  readonly operation: Operation
  /** In one transaction, or in the database that is opened or walked. */
  readonly objects: number
  /** `sync`: every commit is on the disk before it is done. */
  readonly durability: 'sync' | 'relaxed'
  /** Transactions at once: async tasks of ours, threads of ZODB. */
  readonly clients: number
  /** How often it is done in one sample, one after another; the sample is the mean. */
  readonly loops: number
  /** How long one sample lasts, where operations in a time are counted. */
  readonly roundMs: number
  /** Old revisions are kept, as FileStorage always does. */
  readonly isHistoryKept: boolean
  /** Of container-insert: every key is higher than those before; else random. */
  readonly isRising: boolean
  /** Of open: filled, closed, and opened again for the same commits at any size; else killed as it was filled. */
  readonly isReopened: boolean
  /** Of conflict-retry: how many of 100 transactions write the object that all share. */
  readonly overlapPercent: number
}
