import type { Transaction } from '../transaction/index.js'
import type { BTree } from './btree/b-tree.js'
import type { Connection } from './connection.js'
import type { Persistent } from './persistent.js'

/** What the function given to `transaction` or `view` works with. @public */
export interface TransactionContext {
  readonly connection: Connection
  readonly rootMapping: BTree<string, Persistent>
  readonly transaction: Transaction
}

/** A class, for its getters: an object literal makes new ones each time, which takes longer. */
export class ConnectionContext implements TransactionContext {
  readonly connection: Connection
  readonly transaction: Transaction

  constructor(connection: Connection, transaction: Transaction) {
    this.connection = connection
    this.transaction = transaction
  }

  get rootMapping(): BTree<string, Persistent> {
    return this.connection.rootMapping
  }
}
