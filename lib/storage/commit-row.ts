/**
 * One commit as one value: the redo log is a row of these, and history is read from them. All numbers
 * are big endian.
 *
 * | offset | bytes | meaning                                                     | since |
 * | ------ | ----- | ----------------------------------------------------------- | ----- |
 * | 0      | 1     | row version, 1                                              | 1     |
 * | 1      | 1     | flags: 1 where entries have links                           | 1     |
 * | 2      | 2     | how many commits before it were not known to be synced; 65535: that is not known | 1 |
 * | 4      | 8     | tid                                                         | 1     |
 * | 12     | 8     | time in ms since the epoch, IEEE 754 double                 | 1     |
 * | 20     | 8     | highest oid + 1, after this commit                          | 1     |
 * | 28     | 4     | class rows, after this commit                               | 1     |
 * | 32     | 4     | n entries                                                   | 1     |
 * | 36     | 4     | m bytes of metadata                                         | 1     |
 * | 40     | 4     | c bytes of class rows                                       | 1     |
 * | 44     | n × e | entries, one for each object written or removed             | 1     |
 * |        | m     | msgpack of `[user, description, extension]`; nothing when all are empty | 1 |
 * |        | c     | msgpack of `[[class id, name, fields], …]`, the new ones; nothing when there is none | 1 |
 * |        |       | states, in the order of their entries                       | 1     |
 * |        | 4     | CRC-32 (zlib) over everything before it                     | 1     |
 *
 * An entry has 16 bytes, with a link 40:
 *
 * | offset | bytes | meaning                                                     | since |
 * | ------ | ----- | ----------------------------------------------------------- | ----- |
 * | 0      | 8     | oid                                                         | 1     |
 * | 8      | 4     | class id; 0 where the object was removed                    | 1     |
 * | 12     | 4     | where its state ends, counted from the first state          | 1     |
 * | 16     | 24    | link, see `record.ts`                                       | 1     |
 */
import { Packr } from 'msgpackr'
import { invariant, readUint64, writeUint32, writeUint64 } from '../foundation/index.js'
import type {
  ClassRow,
  CommitMetadata,
  RevisionLink,
  StorageCommit,
  StorageRecord,
  TransactionRow,
} from './interfaces.js'
import type { Oid } from './oid.js'
import { LINK_BYTES, readLink, writeLink } from './record.js'
import type { Position } from './rows.js'
import { assertRow, CRC_BYTES, DamagedRow, ROW_VERSION, seal } from './sealed-row.js'
import { NO_TID, type Tid, toTid } from './tid.js'

const LINKED = 1
const HEAD_BYTES = 44
const ENTRY_BYTES = 16
/** Rows with more entries than this get an index when they are searched. */
const FEW_ENTRIES = 16
/** On disk: stands for that many unsynced commits, and for more. */
const MANY_UNSYNCED = 0xffff

/** One commit, encoded: its parts are taken out of the bytes when they are asked for. */
export class CommitRow {
  readonly bytes: Buffer
  readonly tid: Tid
  /** How many objects it wrote or removed. */
  readonly entries: number
  /** Whether its entries say where earlier revisions are. */
  readonly isLinked: boolean
  #index: Map<Oid, number> | undefined

  private constructor(bytes: Buffer, tid: Tid) {
    this.bytes = bytes
    this.tid = tid
    this.entries = bytes.readUInt32BE(32)
    this.isLinked = bytes[1] === LINKED
  }

  /**
   * Encodes the commit that follows `before`.
   * @param linkOf - gives the link of a record that comes without one; undefined without history.
   * @param syncedTid - the newest commit that survives a power loss by now.
   */
  static encode(
    commit: StorageCommit,
    before: Position,
    linkOf: LinkOf | undefined,
    syncedTid = before.tid,
  ): CommitRow {
    const bytes = encode(commit, before, linkOf)
    bytes.writeUInt16BE(Math.min(before.tid - syncedTid, MANY_UNSYNCED), 2)
    return new CommitRow(seal(bytes), commit.tid)
  }

  /**
   * Reads what `encode` made. Nothing is copied.
   * @throws DamagedRow, ForeignRow
   */
  static decode(bytes: Buffer): CommitRow {
    assertRow(bytes)
    if (bytes.length < HEAD_BYTES + CRC_BYTES) throw new DamagedRow('it has the wrong size')
    const row = new CommitRow(bytes, toTid(readUint64(bytes, 4)))
    if (row.#stateEnd(row.entries - 1) !== bytes.length - CRC_BYTES) {
      throw new DamagedRow('it has the wrong size')
    }
    return row
  }

  get byteLength(): number {
    return this.bytes.length
  }

  get timeMs(): number {
    return this.bytes.readDoubleBE(12)
  }

  /** The newest commit that was synced when it was written; undefined when that is not known. */
  get syncedTid(): Tid | undefined {
    return syncedBefore(this.tid, this.bytes)
  }

  /** Where the database is after it. */
  get position(): Position {
    return {
      tid: this.tid,
      timeMs: this.timeMs,
      highestOid: readUint64(this.bytes, 20) - 1,
      classes: this.bytes.readUInt32BE(28),
    }
  }

  get metadata(): CommitMetadata {
    const start = HEAD_BYTES + this.entries * this.#entryBytes
    const end = start + this.bytes.readUInt32BE(36)
    const [user, description, extension] =
      start === end ? NO_TEXTS : (packr.unpack(this.bytes.subarray(start, end)) as Texts)
    return { timeMs: this.timeMs, user, description, extension }
  }

  /** The class rows that it is the first to need. */
  get classes(): readonly ClassRow[] {
    const end = this.#statesStart
    const start = end - this.bytes.readUInt32BE(40)
    if (start === end) return []
    const rows = packr.unpack(this.bytes.subarray(start, end)) as [number, string, string[]][]
    return rows.map(([classId, name, fields]) => ({ classId, name, fields }))
  }

  oidAt(index: number): Oid {
    return readUint64(this.bytes, this.#entry(index)) as Oid
  }

  linkAt(index: number): RevisionLink | undefined {
    return this.isLinked ? readLink(this.bytes, this.#entry(index) + ENTRY_BYTES) : undefined
  }

  /** The revision of an entry: a view. Of class 0, and without a state, where the object was removed. */
  recordAt(index: number): StorageRecord {
    const entry = this.#entry(index)
    const record = {
      oid: readUint64(this.bytes, entry) as Oid,
      tid: this.tid,
      classId: this.bytes.readUInt32BE(entry + 8),
      state: this.bytes.subarray(this.#stateEnd(index - 1), this.#stateEnd(index)),
    }
    return this.isLinked ? { ...record, link: this.linkAt(index) } : record
  }

  /** The revision of an object, if this commit wrote or removed it. */
  find(oid: Oid): StorageRecord | undefined {
    const index = this.entries > FEW_ENTRIES ? this.#indexed(oid) : this.#searched(oid)
    return index === undefined ? undefined : this.recordAt(index)
  }

  toTransactionRow(): TransactionRow {
    const oids: Oid[] = []
    const removed: Oid[] = []
    for (let index = 0; index < this.entries; index++) {
      const list = this.#isRemoval(index) ? removed : oids
      list.push(this.oidAt(index))
    }
    return {
      tid: this.tid,
      ...this.metadata,
      oids: oids.sort(byNumber),
      removed: removed.sort(byNumber),
    }
  }

  toCommit(): StorageCommit {
    const records: StorageCommit['records'][number][] = []
    const removed: Oid[] = []
    for (let index = 0; index < this.entries; index++) {
      if (this.#isRemoval(index)) removed.push(this.oidAt(index))
      else {
        const { tid: _, ...record } = this.recordAt(index)
        records.push(record)
      }
    }
    const { tid, metadata, classes } = this
    return { tid, metadata, records, classes, removed }
  }

  get #entryBytes(): number {
    return entryBytesOf(this.isLinked)
  }

  get #statesStart(): number {
    const { bytes } = this
    const entries = this.entries * this.#entryBytes
    return HEAD_BYTES + entries + bytes.readUInt32BE(36) + bytes.readUInt32BE(40)
  }

  #entry(index: number): number {
    return HEAD_BYTES + index * this.#entryBytes
  }

  #stateEnd(index: number): number {
    const start = this.#statesStart
    return index < 0 ? start : start + this.bytes.readUInt32BE(this.#entry(index) + 12)
  }

  #isRemoval(index: number): boolean {
    return this.bytes.readUInt32BE(this.#entry(index) + 8) === 0
  }

  #searched(oid: Oid): number | undefined {
    for (let index = 0; index < this.entries; index++) if (this.oidAt(index) === oid) return index
    return undefined
  }

  #indexed(oid: Oid): number | undefined {
    if (this.#index === undefined) {
      this.#index = new Map()
      for (let index = 0; index < this.entries; index++) this.#index.set(this.oidAt(index), index)
    }
    return this.#index.get(oid)
  }
}

/** The same from the beginning of a commit's row, whatever became of the rest. */
export function syncedBefore(tid: Tid, row: Buffer): Tid | undefined {
  if (row.length < 4 || row[0] !== ROW_VERSION) return undefined
  const unsynced = row.readUInt16BE(2)
  return unsynced === MANY_UNSYNCED ? undefined : (Math.max(NO_TID, tid - 1 - unsynced) as Tid)
}

type Texts = readonly [user: string, description: string, extension: Record<string, unknown>]

const NO_TEXTS: Texts = ['', '', {}]
const NO_BYTES = Buffer.alloc(0)
const NOTHING_REMOVED: readonly Oid[] = []

// Plain maps instead of msgpackr's record extension: any msgpack reader can read these rows.
// Buffers are copied out, since a row's bytes may be a view of LevelDB's or memory-level's.
const packr = new Packr({ useRecords: false, copyBuffers: true })

type LinkOf = (oid: Oid) => RevisionLink

/** All but what it says of syncs, and the checksum. */
function encode(commit: StorageCommit, before: Position, linkOf: LinkOf | undefined): Buffer {
  assertFollows(commit, before)
  const { tid, metadata, records, removed = NOTHING_REMOVED } = commit
  const texts = packTexts(metadata)
  const classes = packClasses(commit.classes)
  const entries = records.length + removed.length
  const entriesEnd = HEAD_BYTES + entries * entryBytesOf(linkOf !== undefined)
  const statesStart = entriesEnd + texts.length + classes.length
  const row = Buffer.allocUnsafe(statesStart + bytesOfStates(records) + CRC_BYTES)
  row.writeUInt32BE((ROW_VERSION << 24) | (linkOf === undefined ? 0 : LINKED << 16), 0)
  writeUint64(row, tid, 4)
  row.writeDoubleBE(Math.max(metadata.timeMs, before.timeMs), 12)
  writeUint64(row, highestOidAfter(records, before) + 1, 20)
  row.writeUInt32BE(before.classes + commit.classes.length, 28)
  row.writeUInt32BE(entries, 32)
  row.writeUInt32BE(texts.length, 36)
  row.writeUInt32BE(classes.length, 40)
  row.set(texts, entriesEnd)
  row.set(classes, entriesEnd + texts.length)
  writeEntries(row, statesStart, commit, before, linkOf)
  return row
}

/** Entries and states. */
function writeEntries(
  row: Buffer,
  statesStart: number,
  { records, removed = NOTHING_REMOVED }: StorageCommit,
  before: Position,
  linkOf: LinkOf | undefined,
): void {
  const entryBytes = entryBytesOf(linkOf !== undefined)
  let entry = HEAD_BYTES
  let stateEnd = 0
  for (const record of records) {
    row.set(record.state, statesStart + stateEnd)
    stateEnd += record.state.length
    writeEntry(row, entry, record.oid, record.classId, stateEnd)
    if (linkOf !== undefined) {
      writeLink(row, knownLink(record, before) ?? linkOf(record.oid), entry + ENTRY_BYTES)
    }
    entry += entryBytes
  }
  for (const oid of removed) {
    writeEntry(row, entry, oid, 0, stateEnd)
    if (linkOf !== undefined) writeLink(row, linkOf(oid), entry + ENTRY_BYTES)
    entry += entryBytes
  }
}

function writeEntry(row: Buffer, at: number, oid: Oid, classId: number, stateEnd: number): void {
  writeUint64(row, oid, at)
  writeUint32(row, classId, at + 8)
  writeUint32(row, stateEnd, at + 12)
}

/** The link that came with a record, unless it looks new, as one does that was removed before. */
function knownLink(
  { oid, link }: StorageCommit['records'][number],
  before: Position,
): RevisionLink | undefined {
  return link?.previousTid === NO_TID && oid <= before.highestOid ? undefined : link
}

function highestOidAfter(records: StorageCommit['records'], before: Position): number {
  let { highestOid } = before
  for (const { oid } of records) if (oid > highestOid) highestOid = oid
  return highestOid
}

function entryBytesOf(isLinked: boolean): number {
  return isLinked ? ENTRY_BYTES + LINK_BYTES : ENTRY_BYTES
}

function assertFollows(commit: StorageCommit, before: Position): void {
  const { tid, metadata, records, removed = NOTHING_REMOVED } = commit
  invariant(tid === before.tid + 1, `commit ${tid} follows commit ${before.tid}: tids rise by one`)
  invariant(Number.isFinite(metadata.timeMs), `commit ${tid} has a time`)
  let knownClasses = before.classes
  for (const { classId } of commit.classes) {
    invariant(
      classId === ++knownClasses,
      `class ${classId} is class ${knownClasses}: ids rise by one`,
    )
  }
  for (const { classId } of records) {
    invariant(
      classId >= 1 && classId <= knownClasses,
      `class ${classId} of a record has a class row`,
    )
  }
  if (removed.length === 0 && isAscending(records)) return
  const oids = new Set(removed)
  for (const { oid } of records) oids.add(oid)
  invariant(oids.size === records.length + removed.length, 'a commit names each object once')
  for (const oid of removed)
    invariant(oid <= before.highestOid, `object ${oid} was written before it is removed`)
}

function isAscending(records: StorageCommit['records']): boolean {
  let previous = -1
  for (const { oid } of records) {
    if (oid <= previous) return false
    previous = oid
  }
  return true
}

function bytesOfStates(records: StorageCommit['records']): number {
  let bytes = 0
  for (const { state } of records) bytes += state.length
  return bytes
}

function packTexts({ user, description, extension }: CommitMetadata): Buffer {
  if (user === '' && description === '' && isEmpty(extension)) return NO_BYTES
  return packr.pack([user, description, extension])
}

function packClasses(classes: readonly ClassRow[]): Buffer {
  if (classes.length === 0) return NO_BYTES
  return packr.pack(classes.map(({ classId, name, fields }) => [classId, name, fields]))
}

function isEmpty(extension: Readonly<Record<string, unknown>>): boolean {
  for (const _name in extension) return false
  return true
}

function byNumber(one: number, other: number): number {
  return one - other
}
