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

/**
 * An object of another database of the group, as committed states name it. What collects garbage
 * does not follow it.
 * @internal
 */
export class CrossReference {
  /** Its name in the group. */
  readonly database: string
  readonly oid: Oid

  constructor(database: string, oid: Oid) {
    this.database = database
    this.oid = oid
  }
}

/**
 * A stored object as committed states name it weakly: the name alone does not keep it.
 * @internal
 */
export class WeakOid {
  readonly oid: Oid

  constructor(oid: Oid) {
    this.oid = oid
  }
}
