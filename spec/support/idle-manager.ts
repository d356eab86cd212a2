import type { DataManager } from '../../lib/transaction/index.js'

const nothing = (): void => undefined

/** A data manager with all that one has, which does nothing. */
export const idleManager: DataManager = {
  sortKey: 'idle',
  abort: nothing,
  tpcBegin: nothing,
  commit: nothing,
  tpcVote: nothing,
  tpcFinish: nothing,
  tpcAbort: nothing,
}
