import { anAbortSignal, anything, checkOptions, type OptionRules } from '../foundation/index.js'
import {
  type CommitMetadata,
  formatTid,
  type Oid,
  type Storage,
  type StorageCommit,
  type Tid,
} from '../storage/index.js'
import { NODE_LAYOUT } from './class-table.js'
import type { CommittedStore } from './committed-store.js'
import { FutureInstantError, InvalidDatabaseOptionError } from './errors.js'
import { assertTid } from './instant.js'
import type { Past } from './past.js'
import { differingFields, fieldsIn, type StateSource, treeIn } from './state-source.js'
import { treeDifference } from './tree-difference.js'

/** Which commits a change feed gives. @public */
export interface ChangeFeedOptions {
  /** Those after this one, beginning with what has happened already. Default: after the newest. */
  readonly after?: Tid | undefined
  /** Ends the feed. */
  readonly signal?: AbortSignal | undefined
}

const OPTION_RULES: OptionRules<ChangeFeedOptions> = { after: anything, signal: anAbortSignal }

/** One committed transaction, as a change feed tells of it. @public */
export interface CommittedChange extends CommitMetadata {
  readonly tid: Tid
  /** The objects that it wrote, ascending, each with the stored name of its class. Nodes of trees left out. */
  readonly written: ReadonlyMap<Oid, string>
  /** The objects that it removed, ascending, nodes of trees among them. */
  readonly removed: readonly Oid[]
  /**
   * The fields whose values it changed, by the stored name of the class; all fields of new objects.
   * A changed tree is the field `__tree__`. Reads both revisions of each object.
   * @throws STORAGE_HISTORY_UNAVAILABLE when no history is kept, or not that far back.
   * @throws PERSISTENCE_UNKNOWN_CLASS
   */
  changedFields(): ReadonlyMap<string, ReadonlySet<string>>
}

/** Where a feed reads. */
export interface FeedSource {
  readonly storage: Storage
  readonly store: CommittedStore
  readonly past: Past
}

/**
 * Commits in order, each once: first those since `after`, then each as it is published, until the
 * database is closed. Everything is read from the storage in small portions, so a consumer that is
 * slow costs no memory; one that falls behind what the storage keeps gets an error.
 *
 * @throws STORAGE_HISTORY_UNAVAILABLE when a commit that is next is no longer kept.
 * @throws PERSISTENCE_INVALID_OPTION, PERSISTENCE_FUTURE_INSTANT, PERSISTENCE_INVALID_INSTANT; the signal's reason.
 */
export function changeFeed(
  source: FeedSource,
  options: ChangeFeedOptions,
): AsyncGenerator<CommittedChange, void, undefined> {
  checkOptions(options, OPTION_RULES, InvalidDatabaseOptionError)
  const { after, signal } = options
  const newest = source.store.epochs.current.tid
  const start = after ?? newest
  assertTid(start)
  if (start > newest) {
    throw new FutureInstantError(
      `There can be no feed after transaction ${formatTid(start)}: the newest is ${formatTid(newest)}. Give the ` +
        'tid of the last change that you have handled, or none.',
      { details: { after: formatTid(start), newest: formatTid(newest) } },
    )
  }
  return follow(source, start, signal)
}

/** Rows that are read at once. */
const PORTION = 100

async function* follow(
  source: FeedSource,
  after: Tid,
  signal: AbortSignal | undefined,
): AsyncGenerator<CommittedChange, void, undefined> {
  const { epochs } = source.store
  let seen = after
  while (source.storage.isOpen) {
    signal?.throwIfAborted()
    const newest = epochs.current.tid
    if (newest === seen) {
      await aborted(epochs.next(), signal)
      if (epochs.current.tid === newest) return
      continue
    }
    const portion = await readPortion(source, seen, Math.min(newest, seen + PORTION) as Tid)
    for (const change of portion) {
      signal?.throwIfAborted()
      yield change
      seen = change.tid
    }
  }
}

/** Makes no use of the storage after its return: a walk that waits for its consumer holds memory. */
async function readPortion(
  source: FeedSource,
  after: Tid,
  upTo: Tid,
): Promise<readonly CommittedChange[]> {
  const changes: CommittedChange[] = []
  try {
    for await (const commit of source.storage.commits({ after, upTo })) {
      changes.push(new Change(commit, source))
    }
  } catch (error) {
    // The database was closed meanwhile, which ends the feed.
    if (source.storage.isOpen) throw error
  }
  return changes
}

/** As `promise`, and rejects when the signal is given. */
async function aborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise
  let stop = (): void => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

class Change implements CommittedChange {
  readonly tid: Tid
  readonly timeMs: number
  readonly user: string
  readonly description: string
  readonly extension: Readonly<Record<string, unknown>>
  readonly written: ReadonlyMap<Oid, string>
  readonly removed: readonly Oid[]
  readonly #nodes: ReadonlySet<Oid>
  readonly #past: Past

  constructor({ tid, metadata, records, removed = [] }: StorageCommit, source: FeedSource) {
    const { classes } = source.store
    this.tid = tid
    this.timeMs = metadata.timeMs
    this.user = metadata.user
    this.description = metadata.description
    this.extension = metadata.extension
    const written = new Map<Oid, string>()
    const nodes = new Set<Oid>()
    for (const { oid, classId } of [...records].sort((one, other) => one.oid - other.oid)) {
      const { name = '' } = classes.rowOf(classId) ?? {}
      if (name === NODE_LAYOUT.storedName) nodes.add(oid)
      else written.set(oid, name)
    }
    this.written = written
    this.removed = removed.toSorted((one, other) => one - other)
    this.#nodes = nodes
    this.#past = source.past
  }

  changedFields(): ReadonlyMap<string, ReadonlySet<string>> {
    const changed = new Map<string, Set<string>>()
    this.#past.read((this.tid - 1) as Tid, (before) =>
      this.#past.read(this.tid, (after) => {
        for (const [oid, className] of this.written) {
          const names = changed.get(className) ?? new Set()
          for (const name of this.#changedFieldsOf(oid, before, after)) names.add(name)
          if (names.size > 0) changed.set(className, names)
        }
      }),
    )
    return changed
  }

  #changedFieldsOf(oid: Oid, before: StateSource, after: StateSource): readonly string[] {
    const now = after(oid)
    if (now === undefined) return []
    const then = before(oid)
    if (then === undefined) return now.layout.names
    const names = differingFields(fieldsIn(then), fieldsIn(now))
    const [oldTree, tree] = [treeIn(then, before), treeIn(now, after)]
    if (tree === undefined || oldTree === undefined) return names
    const isTreeChanged = treeDifference(oldTree, tree, this.#nodes).length > 0
    return isTreeChanged ? [...names, now.layout.names[now.layout.treeIndex] as string] : names
  }
}
