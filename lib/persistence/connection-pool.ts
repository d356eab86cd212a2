import type { Connection } from './connection.js'

/**
 * Connections between two uses, with their objects: the next transaction finds its objects made.
 * There is no upper limit of connections in use; at most `limit` are kept.
 */
export class ConnectionPool {
  readonly #make: () => Connection
  readonly #limit: number
  readonly #idle: Connection[] = [] // the most recently used last
  readonly #busy = new Set<Connection>()

  constructor(make: () => Connection, limit: number) {
    this.#make = make
    this.#limit = limit
  }

  acquire(): Connection {
    const connection = this.#idle.pop() ?? this.#make()
    this.#busy.add(connection)
    return connection
  }

  release(connection: Connection): void {
    this.#busy.delete(connection)
    if (connection.isClosed) return
    connection.endUse()
    if (this.#idle.length < this.#limit) this.#idle.push(connection)
    else connection.close()
  }

  /** The connections that transactions use now. */
  get busy(): Iterable<Connection> {
    return this.#busy
  }

  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.close()
  }
}
