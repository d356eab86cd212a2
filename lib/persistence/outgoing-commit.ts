import type { Clock } from '../foundation/index.js'
import {
  nextLink,
  type Oid,
  type RevisionLink,
  type StorageCommit,
  type Tid,
} from '../storage/index.js'
import type { Transaction } from '../transaction/index.js'
import type { BlobStaging } from './blob-staging.js'
import type { TreeSummary } from './commit-log.js'
import { CommittedState } from './committed-state.js'
import type { CommittedStore } from './committed-store.js'
import type { Existence } from './existence.js'
import { largeRecords } from './large-record.js'
import type { Persistent } from './persistent.js'
import { refuseDangling, refuseRemoved } from './removal-check.js'
import {
  type EncodedRecord,
  encodeAll,
  type PendingObject,
  serialize,
  summarizeTrees,
} from './serializer.js'
import { type ValidationHost, validate } from './validation.js'

/** What must hold of records before they are written. */
export interface RecordRules {
  /** Whether what is written says where the revision before it is. */
  readonly keepsHistory: boolean
  /** Whether each commit verifies that its references lead somewhere. */
  readonly checksReferences: boolean
  /** Records above this are reported. */
  readonly largeRecordBytes: number
}

/**
 * What one transaction wants written, on its way from changed objects to the storage:
 *
 * | step       | the objects are              | may refuse |
 * | ---------- | ---------------------------- | ---------- |
 * | `gather`   | values in committed form     | what cannot be stored |
 * | `validate` | merged with what others wrote, or as they were | conflicts |
 * | `encode`   | bytes, their trees' nodes beside them | references to what is not there |
 * | `statesAs` | committed states of one tid  | — |
 */
export class OutgoingCommit {
  readonly #store: CommittedStore
  readonly #existence: Existence
  readonly #host: ValidationHost
  readonly #clock: Clock
  readonly #rules: RecordRules
  #pending: readonly PendingObject[] = []
  #encoded: readonly EncodedRecord[] = []

  constructor({
    store,
    existence,
    host,
    clock,
    rules,
  }: {
    readonly store: CommittedStore
    readonly existence: Existence
    readonly host: ValidationHost
    readonly clock: Clock
    readonly rules: RecordRules
  }) {
    this.#store = store
    this.#existence = existence
    this.#host = host
    this.#clock = clock
    this.#rules = rules
  }

  /** The objects that are to be written. */
  get pending(): readonly PendingObject[] {
    return this.#pending
  }

  /** Nothing is to be written. */
  get isEmpty(): boolean {
    return this.#pending.length === 0 && this.#existence.isEmpty
  }

  get hasBlobs(): boolean {
    return this.#pending.some(({ layout }) => layout.blobIndex !== -1)
  }

  /** The changed objects, and the new ones that are reached from them. */
  gather(changed: ReadonlySet<Persistent>): void {
    this.#pending = serialize(changed, this.#host)
  }

  async placeBlobs(staging: BlobStaging): Promise<void> {
    this.#pending = await staging.place(this.#pending)
  }

  /** @throws STORAGE_CONFLICT */
  validate(since: Tid): void {
    this.#pending = validate(this.#pending, since, this.#store, this.#host)
    this.#existence.validate(since, this.#store)
  }

  /**
   * Once, when validation has left everything as it will be.
   * @param describe - the object in words.
   * @throws PERSISTENCE_DANGLING_REFERENCE; STORAGE_CONFLICT for what a pack removed meanwhile.
   */
  encode(describe: (oid: Oid) => string): void {
    this.#encoded = encodeAll(this.#pending)
    const { largeRecordBytes, checksReferences } = this.#rules
    for (const error of largeRecords(this.#encoded, this.#pending, largeRecordBytes)) {
      this.#host.report(error, 'commit')
    }
    if (!this.#existence.isEmpty) this.#encodeExistence()
    refuseRemoved(this.#encoded, this.#store)
    if (checksReferences) refuseDangling(this.#encoded, this.#store, describe)
  }

  #encodeExistence(): void {
    this.#encoded = this.#encoded.concat(this.#existence.encode(this.#encoded))
    this.#existence.refuseReferences(this.#encoded)
  }

  /** Each object's state, followed by those of its tree's nodes; last, what comes back. */
  statesAs(tid: Tid): CommittedState[] {
    const linkOf = this.#rules.keepsHistory ? this.#links() : () => undefined
    return this.#encoded.map(
      ({ oid, layout, values, bytes }) =>
        new CommittedState(oid, tid, layout, values, bytes.length, linkOf(oid)),
    )
  }

  /** The way from each record to the one that it replaces, where that is in memory. */
  #links(): (oid: Oid) => RevisionLink | undefined {
    const added = new Set<Oid>()
    for (const { oid, slots } of this.#pending) if (slots.committed === undefined) added.add(oid)
    return (oid) => {
      if (added.has(oid)) return nextLink(undefined)
      const { serial, link } = this.#store.newestInMemory(oid) ?? {}
      return serial === undefined || link === undefined
        ? undefined
        : nextLink({ tid: serial, link })
    }
  }

  /** @param states - those of `statesAs(tid)`. */
  toStorage(
    tid: Tid,
    states: readonly CommittedState[],
    { user, description, extension }: Transaction,
  ): StorageCommit {
    const { classes } = this.#store
    return {
      tid,
      metadata: { timeMs: this.#clock.nowMs(), user, description, extension },
      records: this.#encoded.map(({ oid, layout, bytes }, index) => ({
        oid,
        classId: classes.idFor(layout),
        state: bytes,
        link: states[index]?.link,
      })),
      classes: classes.takeUnwritten(),
      removed: this.#existence.going.size === 0 ? undefined : [...this.#existence.going],
    }
  }

  /** What later commits must know of its trees. */
  treeSummaries(): TreeSummary[] {
    return summarizeTrees(this.#pending)
  }

  clear(): void {
    this.#pending = []
    this.#encoded = []
  }
}
