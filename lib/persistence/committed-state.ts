import type { Oid, Tid } from '../storage/index.js'
import type { StateLayout } from './class-table.js'

/**
 * One revision of one object, decoded once, frozen, and shared by every connection of the database.
 * Values hold {@link Reference}s, never objects.
 */
export class CommittedState {
  readonly oid: Oid
  readonly serial: Tid
  readonly layout: StateLayout
  /** By field index; longer than the class's layout when the record has fields it lacks. */
  readonly values: readonly unknown[]
  /** What the cache's budget is charged. */
  readonly bytes: number
  /** Set by the cache on use, cleared by its sweep. */
  used = true

  constructor(
    oid: Oid,
    serial: Tid,
    layout: StateLayout,
    values: readonly unknown[],
    encodedBytes: number,
  ) {
    this.oid = oid
    this.serial = serial
    this.layout = layout
    this.values = values
    this.bytes = OVERHEAD_BYTES + encodedBytes * DECODED_FACTOR
  }
}

/** A state, its array, and its row in the cache's map. */
const OVERHEAD_BYTES = 180
/** How much larger decoded values are than their encoded form (measured on ten-field records). */
const DECODED_FACTOR = 2.5
