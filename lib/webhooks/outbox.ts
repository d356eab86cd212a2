import {
  BTree,
  type Connection,
  KEPT_BY_UNDO,
  type Oid,
  type Persistent,
  stored,
} from '../persistence/index.js'

/** Where the outbox stands in the root mapping. On disk. */
export const OUTBOX_KEY = 'treehook.webhooks.outbox'

/**
 * Every pending attempt, by oid, with the time at which it is due. Written in the same commit as the
 * attempt itself, so that a restart finds what is to be sent without looking through the tree.
 */
@stored('treehook.Outbox')
export class Outbox extends BTree<number, number> {
  static readonly [KEPT_BY_UNDO] = true
}

/** Makes the outbox of a database that has none. */
export function installOutbox(rootMapping: BTree<string, Persistent>): void {
  if (!rootMapping.has(OUTBOX_KEY)) rootMapping.set(OUTBOX_KEY, new Outbox())
}

/** The outbox as this connection's transaction sees it. */
export function outboxOf(connection: Connection): Outbox {
  return connection.rootMapping.get(OUTBOX_KEY) as unknown as Outbox
}

/** The attempt is to be sent at `dueAtMs`. */
export function schedule(connection: Connection, attempt: Oid, dueAtMs: number): void {
  outboxOf(connection).set(attempt, dueAtMs)
}

/** The attempt is resolved, or gone. */
export function unschedule(connection: Connection, attempt: Oid): void {
  outboxOf(connection).delete(attempt)
}
