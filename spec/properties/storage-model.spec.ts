import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Level } from 'level'
import { codeOf } from '../../lib/foundation/index.js'
import {
  createMemoryDatabase,
  type DatabasePlace,
  type History,
  LevelStorage,
  nextLink,
  type RevisionLink,
  type StorageCommit,
  type StorageSnapshot,
  type Tid,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { copyAsKilled, EMPLOYEE, TemporaryDirectories } from '../support/storage-builders.js'

/** What a storage is compared with: the whole database after each commit. */
class Model {
  /** By tid: text by oid. */
  readonly states: ReadonlyMap<number, string>[] = [new Map()]
  readonly commits: { writes: number[]; removes: number[]; timeMs: number }[] = [
    { writes: [], removes: [], timeMs: Number.NEGATIVE_INFINITY },
  ]
  historyFrom: number | undefined
  highestOid = -1

  get last(): number {
    return this.states.length - 1
  }

  get newest(): ReadonlyMap<number, string> {
    return this.states[this.last]!
  }

  apply(commit: StorageCommit): void {
    const state = new Map(this.newest)
    for (const record of commit.records) {
      state.set(record.oid, Buffer.from(record.state).toString())
      this.highestOid = Math.max(this.highestOid, record.oid)
    }
    for (const oid of commit.removed ?? []) state.delete(oid)
    const { timeMs } = commit.metadata
    this.commits.push({
      writes: commit.records.map(({ oid }) => oid as number).sort((a, b) => a - b),
      removes: [...(commit.removed ?? [])].map(Number).sort((a, b) => a - b),
      timeMs: Math.max(timeMs, this.commits[this.last]!.timeMs),
    })
    this.states.push(state)
  }

  /** Newest first: tids of commits that wrote or removed the object. */
  revisionsOf(oid: number): number[] {
    const tids: number[] = []
    for (let tid = this.last; tid > 0; tid--) {
      const { writes, removes } = this.commits[tid]!
      if (writes.includes(oid) || removes.includes(oid)) tids.push(tid)
    }
    return tids
  }

  tidAt(timeMs: number): number {
    let tid = this.last
    while (this.commits[tid]!.timeMs > timeMs) tid--
    return tid
  }
}

/** A place that is left as it was when a process died. */
interface CrashingPlace extends DatabasePlace {
  /** What a new process finds. */
  crash(): Promise<CrashingPlace>
}

function memoryPlace(rows: readonly (readonly [Buffer, Buffer])[] = []): CrashingPlace {
  const database = createMemoryDatabase()
  let isNew = true
  return {
    location: 'memory',
    open: async () => {
      await database.open()
      if (isNew) for (const [key, value] of rows) await database.put(key, value)
      isNew = false
      return database
    },
    close: () => database.close(),
    crash: async () => memoryPlace(await database.iterator().all()),
  }
}

const directories = new TemporaryDirectories()
afterEach(() => directories.removeAll())

async function diskPlace(from?: string): Promise<CrashingPlace> {
  const directory = join(await directories.create(), 'db')
  await mkdir(directory)
  if (from !== undefined) copyAsKilled(from, directory)
  let database: Level<Buffer, Buffer> | undefined
  return {
    location: directory,
    open: async () => {
      const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', writeBufferSize: 65_536 }
      database = new Level<Buffer, Buffer>(directory, options)
      await database.open()
      return database
    },
    close: async () => database?.close(),
    crash: () => diskPlace(directory),
  }
}

/** Sizes at which a few commits are many. */
interface Sizes {
  readonly writeBufferBytes: number
  readonly checkpointBytes: number
  readonly stateBytes: number
}

/** A storage and its model, and what is done to both. */
class Pair {
  readonly model = new Model()
  storage!: LevelStorage
  place: CrashingPlace
  readonly sizes: Sizes
  readonly snapshots: StorageSnapshot[] = []
  readonly links = new Map<number, { tid: Tid; link: RevisionLink }>()
  history: History | undefined

  constructor(place: CrashingPlace, sizes: Sizes) {
    this.place = place
    this.sizes = sizes
  }

  async open(history: History | undefined): Promise<void> {
    this.history = history
    this.snapshots.length = 0
    this.links.clear()
    const { writeBufferBytes, checkpointBytes } = this.sizes
    this.storage = new LevelStorage(this.place, {
      history,
      writeBufferBytes,
      checkpointBytes,
      idleMs: 1,
    })
    await this.storage.open()
    this.model.historyFrom = this.storage.historyFrom
    if (history === 'off') expect(this.storage.historyFrom).toBeUndefined()
    if (history === 'all') expect(this.storage.historyFrom).toBeDefined()
  }

  commitOf(
    tid: number,
    { oids, removes, timeMs }: { oids: number[]; removes: number[]; timeMs: number },
    known: ReadonlySet<number>,
  ): StorageCommit {
    const text = `${tid} `.repeat(Math.ceil(this.sizes.stateBytes / 3))
    const writes = [...new Set(oids)]
    const removed = [...new Set(removes)].filter((oid) => known.has(oid) && !writes.includes(oid))
    return {
      tid: toTid(tid),
      metadata: { timeMs, user: '', description: '', extension: {} },
      records: writes.map((oid) => ({
        oid: toOid(oid),
        classId: 1,
        state: Buffer.from(`${oid}: ${text}`),
        // As the layer above does for objects that it knows; others are looked up.
        link: this.links.has(oid) ? nextLink(this.links.get(oid)) : undefined,
      })),
      classes: tid === 1 ? [EMPLOYEE] : [],
      removed: removed.map(toOid),
    }
  }

  async commit(batch: { oids: number[]; removes: number[]; timeMs: number }[]): Promise<void> {
    const commits: StorageCommit[] = []
    for (const given of batch) {
      const tid = this.model.last + 1
      const commit = this.commitOf(tid, given, new Set(this.model.newest.keys()))
      for (const { oid, link } of commit.records) {
        if (link !== undefined) this.links.set(oid, { tid: toTid(tid), link })
        else this.links.delete(oid)
      }
      for (const oid of commit.removed ?? []) this.links.delete(oid)
      this.model.apply(commit)
      commits.push(commit)
    }
    await this.storage.write(commits, 'relaxed')
    // What was looked up is known from now on.
    if (this.storage.historyFrom === undefined) return
    const snapshot = this.storage.snapshot()
    for (const { records } of commits) {
      for (const { oid } of records) {
        const record = snapshot.load(oid)
        if (record?.link !== undefined && record.tid % 2 === 0) {
          this.links.set(oid, { tid: record.tid, link: record.link })
        } else this.links.delete(oid)
      }
    }
    snapshot.close()
  }

  async reopen(history: History | undefined, crashes: boolean): Promise<void> {
    if (crashes) {
      const dead = this.storage
      this.place = await this.place.crash()
      await dead.close()
    } else await this.storage.close()
    await this.open(history)
  }

  checkSnapshot(snapshot: StorageSnapshot): void {
    const state = this.model.states[snapshot.tid]!
    for (let oid = 0; oid <= this.model.highestOid; oid++) {
      const record = snapshot.load(toOid(oid))
      expect([oid, record && Buffer.from(record.state).toString()]).toEqual([oid, state.get(oid)])
    }
  }

  async checkRecords(snapshot: StorageSnapshot, from: number): Promise<void> {
    const found: [number, string][] = []
    for await (const { oid, state } of snapshot.records({ from: toOid(from) })) {
      found.push([oid, Buffer.from(state).toString()])
    }
    const wanted = [...this.model.states[snapshot.tid]!].filter(([oid]) => oid >= from)
    expect(found).toEqual(wanted.sort(([one], [other]) => one - other))
  }

  async check(): Promise<void> {
    const { storage, model } = this
    expect(storage.lastTid).toBe(model.last)
    expect(storage.highestOid).toBe(model.highestOid)
    expect(storage.classes).toEqual(model.last === 0 ? [] : [EMPLOYEE])
    const snapshot = storage.snapshot()
    this.checkSnapshot(snapshot)
    await this.checkRecords(snapshot, 0)
    snapshot.close()
    for (const one of this.snapshots) this.checkSnapshot(one)
    await this.checkHistory()
    await this.checkCommits()
  }

  async checkHistory(): Promise<void> {
    const { storage, model } = this
    const from = storage.historyFrom
    if (from === undefined) {
      expect(codeThrownBy(() => storage.snapshotAt(storage.lastTid))).toBe(
        'STORAGE_HISTORY_UNAVAILABLE',
      )
      return
    }
    for (const outside of [from - 1, model.last + 1]) {
      if (outside >= 0) {
        expect(codeThrownBy(() => storage.snapshotAt(toTid(outside)))).toBe(
          'STORAGE_HISTORY_UNAVAILABLE',
        )
      }
    }
    for (
      let tid = from as number;
      tid <= model.last;
      tid += 1 + Math.floor((model.last - from) / 7)
    ) {
      // Limited history may have moved on while this waited.
      if (tid < storage.historyFrom!) continue
      const snapshot = storage.snapshotAt(toTid(tid))
      this.checkSnapshot(snapshot)
      await this.checkRecords(snapshot, 2)
      snapshot.close()
    }
    for (let oid = 0; oid <= model.highestOid; oid++) this.checkRevisions(oid, storage.historyFrom!)
    for (let tid = storage.historyFrom! + 1; tid <= model.last; tid++) {
      const { timeMs } = model.commits[tid]!
      expect(storage.tidAt(timeMs)).toBe(model.tidAt(timeMs))
      expect(storage.tidAt(timeMs + 0.5)).toBe(model.tidAt(timeMs + 0.5))
    }
  }

  checkRevisions(oid: number, from: number): void {
    const { storage, model } = this
    const all = model.revisionsOf(oid)
    const newer = all.filter((tid) => tid > from)
    const found = storage.revisions(toOid(oid)).map(({ tid }) => tid as number)
    // A removal up to the oldest commit to be read is forgotten, and may not be yet.
    const current = all.find((tid) => tid <= from)
    const isRemoval = current !== undefined && model.commits[current]!.removes.includes(oid)
    const wanted = current === undefined ? newer : [...newer, current]
    if (isRemoval && found.length === newer.length) wanted.pop()
    expect([oid, found]).toEqual([oid, wanted])
    for (const tid of wanted) {
      const record = storage.loadRevision(toOid(oid), toTid(tid))
      const text = model.states[tid]!.get(oid)
      expect(record && Buffer.from(record.state).toString()).toBe(text)
    }
    expect(storage.loadRevision(toOid(oid), toTid(model.last + 1))).toBeUndefined()
  }

  async checkCommits(): Promise<void> {
    const { storage, model } = this
    const tids: number[] = []
    for await (const row of storage.transactions({ reverse: true })) {
      tids.push(row.tid)
      const { writes, removes, timeMs } = model.commits[row.tid]!
      expect([row.oids, row.removed, row.timeMs]).toEqual([writes, removes, timeMs])
      // A checkpoint may have removed it while this walked on.
      expect([row, undefined]).toContainEqual(storage.transactionRow(row.tid))
    }
    // Without a gap, from the newest back.
    expect(tids).toEqual(tids.map((_, index) => model.last - index))
    const copy = new Model()
    for await (const commit of storage.commits()) {
      while (copy.last + 1 < commit.tid) {
        copy.states.push(model.states[copy.last + 1]!)
        copy.commits.push(model.commits[copy.last]!)
      }
      copy.apply(commit)
    }
    if (copy.last > 0) expect([...copy.newest].sort()).toEqual([...model.newest].sort())
  }
}

function codeThrownBy(fn: () => unknown): string | undefined {
  try {
    fn()
    return 'nothing'
  } catch (error) {
    return codeOf(error) ?? String(error)
  }
}

type Step = (pair: Pair) => Promise<void>

const oids = fc.array(fc.nat(12), { maxLength: 6 })
const anyCommit = fc.record({
  oids,
  removes: fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: oids },
  ),
  timeMs: fc.nat(100),
})
const anyHistory = fc.constantFrom<History | undefined>(
  'all',
  'all',
  undefined,
  'off',
  { maxTransactions: 3 },
  { maxAgeMs: 20 },
)

const step = <T>(
  name: string,
  arbitrary: fc.Arbitrary<T>,
  run: (pair: Pair, given: T) => Promise<void>,
) =>
  arbitrary.map((given): Step => {
    const fn: Step = (pair) => run(pair, given)
    return Object.assign(fn, { toString: () => `${name} ${JSON.stringify(given)}` })
  })

const anyStep = fc.oneof(
  {
    weight: 8,
    arbitrary: step('commit', fc.array(anyCommit, { minLength: 1, maxLength: 4 }), (pair, batch) =>
      pair.commit(batch),
    ),
  },
  {
    weight: 2,
    arbitrary: step('snapshot', fc.constant(null), async (pair) => {
      pair.snapshots.push(pair.storage.snapshot())
    }),
  },
  {
    weight: 2,
    arbitrary: step('snapshotAt', fc.nat(), async (pair, given) => {
      const { historyFrom, lastTid } = pair.storage
      if (historyFrom === undefined) return
      const tid = historyFrom + (given % (lastTid - historyFrom + 1))
      pair.snapshots.push(pair.storage.snapshotAt(toTid(tid)))
    }),
  },
  {
    weight: 1,
    arbitrary: step('closeSnapshot', fc.nat(), async (pair, given) => {
      const [closed] = pair.snapshots.splice(given % Math.max(1, pair.snapshots.length), 1)
      closed?.close()
    }),
  },
  {
    weight: 3,
    arbitrary: step('checkpoint', fc.boolean(), async (pair, waits) => {
      const done = pair.storage.checkpoint()
      if (waits) await done
      else done.catch(() => undefined)
    }),
  },
  {
    weight: 2,
    arbitrary: step('prune', fc.nat(), async (pair, given) => {
      const { historyFrom, lastTid } = pair.storage
      if (historyFrom === undefined) return
      const before = toTid(historyFrom + (given % (lastTid - historyFrom + 1)))
      const done = await pair.storage.pruneHistory({ before })
      // A checkpoint that ran meanwhile may have pruned further.
      expect(done.historyFrom).toBeGreaterThanOrEqual(before)
    }),
  },
  {
    weight: 2,
    arbitrary: step('reopen', fc.tuple(anyHistory, fc.boolean()), (pair, [history, crashes]) =>
      pair.reopen(history, crashes),
    ),
  },
  {
    weight: 2,
    arbitrary: step('pause', fc.nat(3), (_, ms) => new Promise((done) => setTimeout(done, ms))),
  },
  { weight: 3, arbitrary: step('check', fc.constant(null), (pair) => pair.check()) },
)

const anyStory = fc.record({
  history: anyHistory,
  steps: fc.array(anyStep, { maxLength: 40, size: 'max' }),
})

async function follow(
  place: CrashingPlace,
  sizes: Sizes,
  { history, steps }: { history: History | undefined; steps: Step[] },
): Promise<void> {
  const pair = new Pair(place, sizes)
  await pair.open(history)
  try {
    for (const one of steps) await one(pair)
    await pair.check()
    await pair.reopen(undefined, false)
    await pair.check()
  } finally {
    await pair.storage.close()
  }
}

// fast-check prints the seed of a failure; give it back as { seed } to see it again.
describe('A storage agrees with a model of it', () => {
  test('in memory', async () => {
    const sizes = { writeBufferBytes: 300, checkpointBytes: 500, stateBytes: 10 }
    await fc.assert(
      fc.asyncProperty(anyStory, (story) => follow(memoryPlace(), sizes, story)),
      { numRuns: 60 },
    )
  })

  test('in a directory', async () => {
    const sizes = { writeBufferBytes: 65_536, checkpointBytes: 40_000, stateBytes: 4000 }
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => follow(await diskPlace(), sizes, story)),
      { numRuns: 8 },
    )
  })
})
