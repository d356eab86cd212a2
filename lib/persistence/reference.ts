import type { Oid } from '../storage/index.js'

/**
 * A stored object as committed states name it: by oid and nothing else, so that one state can be
 * shared by all connections. A connection turns it into its own object when somebody reads it.
 * @internal
 */
export class Reference {
  readonly oid: Oid

  constructor(oid: Oid) {
    this.oid = oid
  }
}
