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

/** The places of a connection's containers as they stood when something was concluded from them. */
export interface PlaceView {
  readonly connection: Connection
  readonly generation: number
  readonly placeStamp: number
  readonly writeStamp: number
}

/** For what is to be remembered; `undefined` outside an active transaction. */
export function viewOfPlaces(connection: Connection): PlaceView | undefined {
  if (connection.transaction?.status !== 'active') return undefined
  const { generation, writeStamp } = connection
  return { connection, generation, placeStamp: stamp, writeStamp }
}

/**
 * Whether no container of the connection can stand elsewhere since: the transaction is the same, no
 * place was changed by hand of this process, and none was put back where it was before.
 */
export function isViewStill(view: PlaceView): boolean {
  const { connection } = view
  return (
    view.placeStamp === stamp &&
    view.generation === connection.generation &&
    view.writeStamp === connection.writeStamp
  )
}
