import { StorageClosedError } from './errors.js'
import type { Generation } from './generation.js'
import type { RecordsOptions, StorageRecord, StorageSnapshot } from './interfaces.js'
import { objectKeys } from './key-space.js'
import { type Entry, entryPagesOf } from './level-entries.js'
import { formatOid, type Oid, toOid } from './oid.js'
import { isRemoval } from './record.js'
import { formatTid, type Tid } from './tid.js'

/** One commit of a generation, the newest or an older one. */
export class LevelSnapshot implements StorageSnapshot {
  readonly tid: Tid
  readonly #generation: Generation
  readonly #onClose: (snapshot: LevelSnapshot) => void
  #isClosed = false

  /** @param onClose - called once, when the snapshot lets go of its generation. */
  constructor(generation: Generation, tid: Tid, onClose: (snapshot: LevelSnapshot) => void) {
    this.#generation = generation.hold()
    this.tid = tid
    this.#onClose = onClose
  }

  load(oid: Oid): StorageRecord | undefined {
    if (this.#isClosed) throw this.#closedError(`The object with oid ${formatOid(oid)} was`)
    return present(this.#generation.recordAt(oid, this.tid))
  }

  async *records(options: RecordsOptions = {}): AsyncGenerator<StorageRecord, void, undefined> {
    for await (const page of this.recordPages(options)) {
      for (const record of page) {
        this.#assertGoesOn(options.signal)
        yield record
      }
    }
  }

  async *recordPages({
    from = toOid(0),
    signal,
  }: RecordsOptions = {}): AsyncGenerator<Iterable<StorageRecord>, void, undefined> {
    this.#assertGoesOn(signal)
    const generation = this.#generation.hold()
    try {
      for await (const page of recordPagesOf(generation, this.tid, from)) {
        this.#assertGoesOn(signal)
        yield page
      }
    } catch (error) {
      this.#assertGoesOn(signal)
      throw error
    } finally {
      generation.letGo()
    }
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#generation.letGo()
    this.#onClose(this)
  }

  #assertGoesOn(signal: AbortSignal | undefined): void {
    if (this.#isClosed) throw this.#closedError('Records were')
    signal?.throwIfAborted()
  }

  #closedError(what: string): StorageClosedError {
    return new StorageClosedError(
      `${what} asked of the snapshot at transaction ${formatTid(this.tid)}, which is closed. Read before the ` +
        'snapshot or its storage is closed.',
      { details: { tid: formatTid(this.tid) } },
    )
  }
}

/** Object rows and overlay, merged by oid. Each page is read before the next is asked for. */
async function* recordPagesOf(
  generation: Generation,
  tid: Tid,
  from: Oid,
): AsyncGenerator<Iterable<StorageRecord>, void, undefined> {
  const merge = new RecordMerge(generation, tid, recentOids(generation, tid, from))
  const range = { gte: objectKeys.encode(from), lt: objectKeys.range.lt }
  for await (const page of entryPagesOf(generation.database, range, generation.base)) {
    yield merge.page(page)
  }
  yield merge.rest()
}

class RecordMerge {
  readonly #generation: Generation
  readonly #tid: Tid
  readonly #recent: ArrayLike<number> // the oids in the overlay
  #next = 0

  constructor(generation: Generation, tid: Tid, recent: ArrayLike<number>) {
    this.#generation = generation
    this.#tid = tid
    this.#recent = recent
  }

  *page(entries: readonly Entry[]): Generator<StorageRecord, void, undefined> {
    for (const [key, bytes] of entries) {
      const oid = objectKeys.decode(key)
      if (oid === undefined) continue
      if (this.#next < this.#recent.length) yield* this.#recentBelow(oid)
      const record =
        this.#recent[this.#next] === oid
          ? this.#generation.recordAt(this.#recent[this.#next++] as Oid, this.#tid)
          : this.#generation.baseRecordAt(oid, this.#tid, bytes)
      if (record !== undefined && !isRemoval(record)) yield record
    }
  }

  rest(): Iterable<StorageRecord> {
    return this.#recentBelow(Number.POSITIVE_INFINITY)
  }

  *#recentBelow(oid: number): Generator<StorageRecord, void, undefined> {
    while (this.#next < this.#recent.length && (this.#recent[this.#next] as number) < oid) {
      const record = this.#generation.recordAt(this.#recent[this.#next++] as Oid, this.#tid)
      if (record !== undefined && !isRemoval(record)) yield record
    }
  }
}

/** The oids from `from` on that the overlay has a revision of, as of `tid`, ascending. */
function recentOids({ overlay }: Generation, tid: Tid, from: Oid): ArrayLike<number> {
  const oids: number[] = []
  for (const oid of overlay.oids) {
    if (oid >= from && overlay.at(oid, tid) !== undefined) oids.push(oid)
  }
  return Float64Array.from(oids).sort()
}

function present(record: StorageRecord | undefined): StorageRecord | undefined {
  return record === undefined || isRemoval(record) ? undefined : record
}
