import type { Connection } from '../persistence/index.js'

/** Rises whenever a container gets, changes or loses its place in this process. */
let stamp = 0

/** What was concluded from the places of containers under another stamp is void. */
export function placeStamp(): number {
  return stamp
}

/** A container's place has changed. */
export function raisePlaceStamp(): void {
  stamp++
}

/**
 * The places of a connection's containers as they stood when something was concluded from them. One
 * object that looks again and again: it is asked in each transaction, of each container.
 */
export class PlaceView {
  #connection: Connection | undefined
  #generation = 0
  #placeStamp = 0
  #rollbackStamp = 0

  /** What is concluded from now on is from the places as they stand. Holds for an active transaction only. */
  look(connection: Connection | undefined): void {
    this.#connection = connection?.transaction?.status === 'active' ? connection : undefined
    if (this.#connection === undefined) return
    this.#generation = this.#connection.generation
    this.#placeStamp = stamp
    this.#rollbackStamp = this.#connection.rollbackStamp
  }

  /**
   * Whether no container of the connection can stand elsewhere since: the transaction is the same, no
   * place was changed by hand of this process, and none was put back where it was before.
   */
  get isStill(): boolean {
    const connection = this.#connection
    return (
      connection !== undefined &&
      this.#placeStamp === stamp &&
      this.#generation === connection.generation &&
      this.#rollbackStamp === connection.rollbackStamp
    )
  }

  /** Whose places they are; undefined when nothing holds. */
  get connection(): Connection | undefined {
    return this.#connection
  }
}
