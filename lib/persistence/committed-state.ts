import type { Oid, RevisionLink, Tid } from '../storage/index.js'
import type { TreeNode } from './btree/tree-node.js'
import { NODE_LAYOUT, type StateLayout } from './class-table.js'
import type { Reference } from './reference.js'

/**
 * One revision of one object, decoded once, frozen, and shared by every connection of the database.
 * Values hold {@link Reference}s, never objects.
 */
export class CommittedState {
  // What making an object of it touches stands first.

  readonly oid: Oid
  readonly serial: Tid
  readonly layout: StateLayout
  /** By field index; longer than the class's layout when the record has fields it lacks. */
  readonly values: readonly unknown[]
  /** Set by the cache on use, cleared by its sweep. */
  used = true
  /** What the cache's budget is charged. */
  readonly bytes: number
  /** The way to earlier revisions, where history is kept. */
  readonly link: RevisionLink | undefined
  /** It is in the cache of all connections: the newest published revision. */
  isShared = false
  #keeper: Reference | undefined = undefined // has it at hand while it is shared

  constructor(
    oid: Oid,
    serial: Tid,
    layout: StateLayout,
    values: readonly unknown[],
    encodedBytes: number,
    link?: RevisionLink | undefined,
  ) {
    this.oid = oid
    this.serial = serial
    this.layout = layout
    this.values = values
    const overhead = layout === NODE_LAYOUT ? OVERHEAD_BYTES + NODE_BYTES : OVERHEAD_BYTES
    // A whole number: V8 keeps any other in an object of its own.
    this.bytes = overhead + Math.round(encodedBytes * DECODED_FACTOR)
    this.link = link
  }

  /** Called by the cache that takes it in. */
  enterCache(): void {
    this.isShared = true
    this.#node?.share(this.serial)
  }

  /** Called by the cache that lets it go, for a newer revision or for want of room. */
  leaveCache(): void {
    this.isShared = false
    this.#node?.unshare()
    this.#keeper?.forget()
    this.#keeper = undefined
  }

  /** From now on that reference, and no other, has it at hand. */
  keptBy(reference: Reference): this {
    this.#keeper?.forget()
    this.#keeper = reference
    return this
  }

  /** Whether it was used since this was asked last: nodes of trees are found without the cache. */
  takeUsed(): boolean {
    const node = this.#node
    const isUsed = this.used || node?.isUsed === true
    this.used = false
    if (node !== undefined) node.isUsed = false
    return isUsed
  }

  get #node(): TreeNode | undefined {
    return this.layout === NODE_LAYOUT ? (this.values[0] as TreeNode) : undefined
  }
}

/** A state, its array, and its row in the cache's map. */
const OVERHEAD_BYTES = 180
/** Of a tree: the node with its two arrays, and the reference to it (measured on full leaves). */
const NODE_BYTES = 370
/** How much larger decoded values are than their encoded form (measured on ten-field records). */
const DECODED_FACTOR = 2.5
