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
