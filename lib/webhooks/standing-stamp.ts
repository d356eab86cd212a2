import { placeStamp } from '../content/index.js'

/** Rises when a pending attempt is removed or resolved without a try, or a receiver is gone. */
let ended = 0

/** A pending attempt was removed or resolved without a try, or its subscription ended. */
export function raiseStandingStamp(): void {
  ended++
}

/**
 * Rises whenever a pending attempt may have lost its standing in this process, which is the only one
 * that writes: a container above it was removed or moved, it was removed or resolved itself, or its
 * receiver is gone. Under the same number there is no reason to look again before sending.
 */
export function standingStamp(): number {
  return placeStamp() + ended
}
