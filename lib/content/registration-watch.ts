import type { StampSource } from '../component/index.js'
import type { Connection } from '../persistence/index.js'
import { placeStamp } from './place-stamp.js'

/**
 * What the registries of all sites watch that one connection reads: it moves when the connection
 * begins another transaction, when it rolls back, when a container changes its place, and when
 * anything is registered in a site. So a lookup costs the same with one site above it and with many.
 */
export class RegistrationWatch implements StampSource {
  readonly #connection: Connection
  #generation = -1
  #rollbackStamp = -1
  #places = -1
  #changes = -1
  #stamp: object = {}

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** An object of its own for each time that something may have moved. */
  get stamp(): object {
    const { generation, rollbackStamp } = this.#connection
    const stands =
      generation === this.#generation &&
      rollbackStamp === this.#rollbackStamp &&
      placeStamp() === this.#places &&
      changes === this.#changes
    if (!stands) {
      this.#generation = generation
      this.#rollbackStamp = rollbackStamp
      this.#places = placeStamp()
      this.#changes = changes
      this.#stamp = {}
    }
    return this.#stamp
  }
}

/** The watch of a connection. */
export function watchOf(connection: Connection): RegistrationWatch {
  let watch = watches.get(connection)
  if (watch === undefined) {
    watch = new RegistrationWatch(connection)
    watches.set(connection, watch)
  }
  return watch
}

/** A row was added to, or removed from, the registrations of a site. */
export function registrationChanged(): void {
  changes++
}

const watches = new WeakMap<Connection, RegistrationWatch>()
let changes = 0
