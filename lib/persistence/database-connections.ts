import { ExplicitTransactionManager, type TransactionManager } from '../transaction/index.js'
import { Connection } from './connection.js'
import type { ConnectionParts } from './connection-parts.js'
import type { ConnectionSiblings, SiblingTerms } from './connection-siblings.js'
import { AlreadyConnectedError } from './errors.js'
import type { HistoricalEpoch } from './historical-epoch.js'

/** What all connections of one database have in common. */
export type SharedParts = Omit<
  ConnectionParts,
  'transactionManager' | 'isScoped' | 'isReadOnly' | 'past' | 'isolation' | 'siblings'
>

/** Makes the connections of one database: no two that serve the same transaction. */
export class DatabaseConnections {
  readonly #shared: SharedParts
  readonly #manual = new Set<Connection>() // those whose manager others may use too

  constructor(shared: SharedParts) {
    this.#shared = shared
  }

  /** For functions that are called in its transactions: only those may use its objects. */
  scoped({
    isReadOnly,
    past,
  }: {
    readonly isReadOnly: boolean
    readonly past?: HistoricalEpoch | undefined
  }): Connection {
    // Each part by its name: where connections are not pooled, one is made for each transaction.
    const { database, store, writer, blobs, clock, sortKey, cacheLimits, rules } = this.#shared
    return new Connection({
      database,
      store,
      writer,
      blobs,
      clock,
      sortKey,
      cacheLimits,
      rules,
      transactionManager: new ExplicitTransactionManager({ onError: database.onError }),
      isScoped: true,
      isReadOnly,
      past,
    })
  }

  /**
   * For transactions that somebody begins and ends by hand.
   * @param mayDangle - what is stored may refer to what comes later.
   * @throws PERSISTENCE_ALREADY_CONNECTED when the manager has one.
   */
  byHand(transactionManager: TransactionManager, mayDangle: boolean): Connection {
    this.#refuseSecond(transactionManager)
    const { rules, database } = this.#shared
    const connection = new Connection({
      ...this.#shared,
      transactionManager,
      isScoped: false,
      isReadOnly: database.isReadOnly,
      rules: mayDangle ? { ...rules, checksReferences: false } : rules,
    })
    this.#manual.add(connection)
    return connection
  }

  /**
   * In the transactions of one to another database.
   * @throws PERSISTENCE_ALREADY_CONNECTED
   */
  beside(parts: SiblingTerms & { readonly siblings: ConnectionSiblings }): Connection {
    this.#refuseSecond(parts.transactionManager)
    const isReadOnly = parts.isReadOnly || this.#shared.database.isReadOnly
    const connection = new Connection({ ...this.#shared, ...parts, isReadOnly })
    if (!parts.isScoped) this.#manual.add(connection)
    return connection
  }

  /** Two of one database in one transaction would each wait for the other to validate. */
  #refuseSecond(transactionManager: TransactionManager): void {
    for (const connection of this.#manual) {
      if (connection.isClosed) this.#manual.delete(connection)
      else if (connection.transactionManager === transactionManager) {
        throw new AlreadyConnectedError(
          `This transaction manager has a connection to the database in ${this.#shared.database.location} already; use that one, or close it`,
        )
      }
    }
  }
}
