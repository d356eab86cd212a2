/**
 * The entries of a backup's files, as MessagePack arrays:
 *
 * | file      | entry                                                                       | order       |
 * | --------- | --------------------------------------------------------------------------- | ----------- |
 * | `records` | `[oid, tid, class id, state]`                                               | rising oid  |
 * | `live`    | `[gap, run, gap, run, …]`: so many oids that are not, then so many that are | rising oid, from 0 |
 * | `commits` | `[tid, time in ms, user, description, extension, classes, removed oids, records]` | rising tid |
 *
 * In a commit a class is `[class id, stored name, fields]`, a record `[oid, class id, state]`, with history
 * `[oid, class id, state, tid of the revision before, how many came before, tid of the far one]`.
 */
import type {
  ClassRow,
  Oid,
  RevisionLink,
  StorageCommit,
  StorageRecord,
  Tid,
} from '../storage/index.js'

/** On disk. */
export const RECORDS_FILE = 'records'
/** On disk. */
export const LIVE_FILE = 'live'
/** On disk. */
export const COMMITS_FILE = 'commits'

type RecordEntry = readonly [Oid, Tid, number, Uint8Array]

export function encodeRecordEntry({ oid, tid, classId, state }: StorageRecord): RecordEntry {
  return [oid, tid, classId, state]
}

export function decodeRecordEntry(entry: unknown): StorageRecord {
  const [oid, tid, classId, state] = entry as RecordEntry
  return { oid, tid, classId, state }
}

type ClassEntry = readonly [number, string, readonly string[]]

type CommitRecordEntry =
  | readonly [Oid, number, Uint8Array]
  | readonly [Oid, number, Uint8Array, Tid, number, Tid]

type CommitEntry = readonly [
  tid: Tid,
  timeMs: number,
  user: string,
  description: string,
  extension: Readonly<Record<string, unknown>>,
  classes: readonly ClassEntry[],
  removed: readonly Oid[],
  records: readonly CommitRecordEntry[],
]

export function encodeCommitEntry(commit: StorageCommit): CommitEntry {
  const { tid, metadata, classes, removed = [], records } = commit
  const { timeMs, user, description, extension } = metadata
  return [
    tid,
    timeMs,
    user,
    description,
    extension,
    classes.map(encodeClass),
    removed,
    records.map(encodeCommitRecord),
  ]
}

export function decodeCommitEntry(entry: unknown): StorageCommit {
  const [tid, timeMs, user, description, extension, classes, removed, records] =
    entry as CommitEntry
  return {
    tid,
    metadata: { timeMs, user, description, extension },
    classes: classes.map(decodeClass),
    removed,
    records: records.map(decodeCommitRecord),
  }
}

export function encodeClass({ classId, name, fields }: ClassRow): ClassEntry {
  return [classId, name, fields]
}

export function decodeClass([classId, name, fields]: ClassEntry): ClassRow {
  return { classId, name, fields }
}

function encodeCommitRecord({
  oid,
  classId,
  state,
  link,
}: Omit<StorageRecord, 'tid'>): CommitRecordEntry {
  if (link === undefined) return [oid, classId, state]
  return [oid, classId, state, link.previousTid, link.number, link.farTid]
}

function decodeCommitRecord(entry: CommitRecordEntry): Omit<StorageRecord, 'tid'> {
  const [oid, classId, state, previousTid, number, farTid] = entry
  if (previousTid === undefined) return { oid, classId, state }
  const link = { previousTid, number, farTid } as RevisionLink
  return { oid, classId, state, link }
}

/** Gathers the oids that are, as runs. */
export class LiveRuns {
  readonly #entries: number[][] = []
  #open: number[] = []
  #gapFrom = 0
  #from = 0
  #to = 0 // behind the last

  /** @param oid - above those before. */
  add(oid: number): void {
    if (oid !== this.#to || this.#from === this.#to) {
      this.#endRun()
      this.#from = oid
    }
    this.#to = oid + 1
  }

  /** Entries that are complete; all of them once `end` was called. */
  take(): readonly (readonly number[])[] {
    return this.#entries.splice(0)
  }

  end(): void {
    this.#endRun()
    if (this.#open.length > 0) this.#entries.push(this.#open)
    this.#open = []
  }

  #endRun(): void {
    if (this.#from === this.#to) return
    this.#open.push(this.#from - this.#gapFrom, this.#to - this.#from)
    this.#gapFrom = this.#to
    this.#from = this.#to
    if (this.#open.length >= RUNS_AN_ENTRY * 2) {
      this.#entries.push(this.#open)
      this.#open = []
    }
  }
}

const RUNS_AN_ENTRY = 4096
