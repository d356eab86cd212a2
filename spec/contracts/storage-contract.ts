import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type History,
  NO_TID,
  type Storage,
  type StorageSnapshot,
  toOid,
  toTid,
} from '../../lib/storage/index.js'
import { aCommit, codeThrownBy, EMPLOYEE, METADATA } from '../support/storage-builders.js'

/** Makes the storages under test. */
export interface StorageFactory {
  /** A new storage over the same rows as the one before, not yet open. The first one finds none. */
  create(options?: {
    readonly readOnly?: boolean
    readonly history?: History | undefined
  }): Promise<Storage>
  /** Forgets the rows. */
  clear(): Promise<void>
}

/** What every storage promises. */
export function describeStorage(
  name: string,
  {
    factory,
    keepsAllHistory = false,
  }: {
    readonly factory: StorageFactory
    /** It keeps all history whatever it is told, and links of its own. */
    readonly keepsAllHistory?: boolean
  },
): void {
  const testOfHistory = keepsAllHistory ? test.skip : test

  describe(`${name} keeps the promises of a storage`, () => {
    let storage: Storage

    beforeEach(async () => {
      storage = await factory.create()
      await storage.open()
    })

    afterEach(async () => {
      await storage.close()
      await factory.clear()
    })

    async function reopen(history?: History): Promise<void> {
      await storage.close()
      storage = await factory.create({ history })
      await storage.open()
    }

    const textIn = (snapshot: StorageSnapshot, oid: number): string | undefined => {
      const record = snapshot.load(toOid(oid))
      return record && Buffer.from(record.state).toString()
    }

    const textOf = (oid: number): string | undefined => {
      const snapshot = storage.snapshot()
      const text = textIn(snapshot, oid)
      snapshot.close()
      return text
    }

    const textAt = (tid: number, oid: number): string | undefined => {
      const snapshot = storage.snapshotAt(toTid(tid))
      const text = textIn(snapshot, oid)
      snapshot.close()
      return text
    }

    const recordsIn = async (snapshot: StorageSnapshot, from = 0): Promise<unknown[]> => {
      const found: unknown[] = []
      for await (const { oid, tid } of snapshot.records({ from: toOid(from) }))
        found.push([oid, tid])
      return found
    }

    /** Tids 1 to `last`: each writes its own object and object 0. */
    async function commitUpTo(last: number): Promise<void> {
      for (let tid = storage.lastTid + 1; tid <= last; tid++) {
        const metadata = { ...METADATA, timeMs: tid * 1000 }
        await storage.write([aCommit(tid, [0, tid], { metadata })], 'relaxed')
      }
    }

    test('a new one is empty', () => {
      expect(storage.isOpen).toBe(true)
      expect(storage.lastTid).toBe(NO_TID)
      expect(storage.highestOid).toBe(-1)
      expect(storage.classes).toEqual([])
      const snapshot = storage.snapshot()
      expect(snapshot.tid).toBe(NO_TID)
      expect(snapshot.load(toOid(0))).toBeUndefined()
      expect(storage.transactionRow(toTid(1))).toBeUndefined()
    })

    test('a record is read as it was written', async () => {
      await storage.write([aCommit(1, [0, 7], { state: 'Anna' })], 'sync')
      const { link: _, ...record } = storage.snapshot().load(toOid(7))!
      expect({ ...record, state: Buffer.from(record.state).toString() }).toEqual({
        oid: 7,
        tid: 1,
        classId: 1,
        state: 'Anna',
      })
    })

    test('an empty state and the highest oid are kept', async () => {
      await storage.write([aCommit(1, [Number.MAX_SAFE_INTEGER], { state: '' })], 'sync')
      await reopen()
      expect(textOf(Number.MAX_SAFE_INTEGER)).toBe('')
      expect(storage.highestOid).toBe(Number.MAX_SAFE_INTEGER)
    })

    test('a state is copied: changing the bytes given changes nothing stored', async () => {
      const state = Buffer.from('Anna')
      const { records, ...rest } = aCommit(1, [0])
      await storage.write([{ ...rest, records: [{ ...records[0]!, state }] }], 'sync')
      state.fill('x')
      expect(textOf(0)).toBe('Anna')
    })

    test('a later commit replaces the record of an earlier one, also in the same write', async () => {
      await storage.write([aCommit(1, [0, 1]), aCommit(2, [1])], 'relaxed')
      expect(textOf(0)).toBe('state of 1')
      expect(textOf(1)).toBe('state of 2')
    })

    test('all of it is there after closing and opening', async () => {
      const metadata = {
        timeMs: 1_700_000_000_123.5,
        user: 'Jürgen',
        description: 'moves',
        extension: { reason: 'office', depth: [1, { two: null }], key: Buffer.from([1, 2]) },
      }
      await storage.write([aCommit(1, [0, 3, 2]), aCommit(2, [9, 1], { metadata })], 'sync')
      await reopen()
      expect(storage.lastTid).toBe(2)
      expect(storage.highestOid).toBe(9)
      expect(storage.classes).toEqual([EMPLOYEE])
      expect(storage.transactionRow(toTid(1))).toEqual({
        ...METADATA,
        tid: 1,
        oids: [0, 2, 3],
        removed: [],
      })
      expect(storage.transactionRow(toTid(2))).toEqual({
        ...metadata,
        tid: 2,
        oids: [1, 9],
        removed: [],
      })
      expect(storage.transactionRow(toTid(3))).toBeUndefined()
      expect(textOf(9)).toBe('state of 2')
    })

    test('classes are added by later commits and keep their order', async () => {
      const office = { classId: 2, name: 'offices.Office', fields: [] }
      await storage.write([aCommit(1, [0])], 'sync')
      await storage.write([{ ...aCommit(2, [1]), classes: [office] }], 'sync')
      expect(storage.classes).toEqual([EMPLOYEE, office])
      await reopen()
      expect(storage.classes).toEqual([EMPLOYEE, office])
    })

    test('a snapshot stays at its commit', async () => {
      await storage.write([aCommit(1, [0])], 'sync')
      const snapshot = storage.snapshot()
      await storage.write([aCommit(2, [0, 1])], 'sync')
      expect(snapshot.tid).toBe(1)
      expect(Buffer.from(snapshot.load(toOid(0))!.state).toString()).toBe('state of 1')
      expect(snapshot.load(toOid(1))).toBeUndefined()
      expect(storage.snapshot().tid).toBe(2)
    })

    test('a closed snapshot refuses to read, and can be closed again', async () => {
      const snapshot = storage.snapshot()
      snapshot.close()
      snapshot.close()
      expect(await codeThrownBy(() => snapshot.load(toOid(0)))).toBe('STORAGE_CLOSED')
    })

    test('closing the storage closes its snapshots', async () => {
      const snapshot = storage.snapshot()
      await storage.close()
      expect(await codeThrownBy(() => snapshot.load(toOid(0)))).toBe('STORAGE_CLOSED')
      snapshot.close()
    })

    test('a closed storage refuses everything, and can be closed again', async () => {
      await storage.close()
      await storage.close()
      expect(storage.isOpen).toBe(false)
      const calls = [
        () => storage.open(),
        () => storage.write([aCommit(1, [0])], 'sync'),
        () => storage.snapshot(),
        () => storage.snapshotAt(NO_TID),
        () => storage.loadRevision(toOid(0), toTid(1)),
        () => storage.revisions(toOid(0)),
        () => storage.tidAt(0),
        () => storage.transactionRow(toTid(1)),
        () => storage.transactions(),
        () => storage.commits(),
        () => storage.checkpoint(),
        () => storage.pruneHistory({ before: NO_TID }),
      ]
      for (const call of calls) expect(await codeThrownBy(call)).toBe('STORAGE_CLOSED')
    })

    test('a storage that was never opened refuses everything', async () => {
      await storage.close()
      storage = await factory.create()
      expect(storage.isOpen).toBe(false)
      expect(await codeThrownBy(() => storage.lastTid)).toBe('STORAGE_CLOSED')
      expect(await codeThrownBy(() => storage.snapshot())).toBe('STORAGE_CLOSED')
      expect(await codeThrownBy(() => storage.write([], 'sync'))).toBe('STORAGE_CLOSED')
    })

    test('close waits for the write that is on its way', async () => {
      const writing = storage.write([aCommit(1, [0])], 'sync')
      await storage.close()
      await writing
      storage = await factory.create()
      await storage.open()
      expect(storage.lastTid).toBe(1)
    })

    test('a second write while one runs is a mistake of ours, and harms neither', async () => {
      const first = storage.write([aCommit(1, [0])], 'sync')
      expect(await codeThrownBy(() => storage.write([aCommit(2, [0])], 'sync'))).toMatch(
        /InvariantError/,
      )
      await first
      await storage.write([aCommit(2, [0])], 'sync')
      expect(storage.lastTid).toBe(2)
    })

    test.each([
      ['a tid that is not the next', [aCommit(2, [0])]],
      ['a tid that comes twice', [aCommit(1, [0]), aCommit(1, [1])]],
      ['an object that comes twice', [aCommit(1, [4, 4])]],
      ['a record of a class without a row', [{ ...aCommit(1, [0]), classes: [] }]],
      ['an object that is written and removed', [{ ...aCommit(1, [4]), removed: [toOid(4)] }]],
      ['the removal of an object that never was', [{ ...aCommit(1, [4]), removed: [toOid(5)] }]],
      [
        'a commit without a time',
        [aCommit(1, [0], { metadata: { ...METADATA, timeMs: Number.NaN } })],
      ],
      [
        'a class id that is not the next',
        [{ ...aCommit(1, [0]), classes: [{ ...EMPLOYEE, classId: 2 }] }],
      ],
    ])('%s is a mistake of ours, and nothing is written', async (_, commits) => {
      expect(await codeThrownBy(() => storage.write(commits, 'sync'))).toMatch(/InvariantError/)
      expect(storage.snapshot().tid).toBe(NO_TID)
      await storage.write([aCommit(1, [0])], 'sync')
      expect(textOf(0)).toBe('state of 1')
    })

    test('opened for reading, it reads and refuses to write', async () => {
      await storage.write([aCommit(1, [0])], 'sync')
      await storage.close()
      storage = await factory.create({ readOnly: true })
      await storage.open()
      expect(textOf(0)).toBe('state of 1')
      const write = (): Promise<void> => storage.write([aCommit(2, [0])], 'sync')
      expect(await codeThrownBy(write)).toBe('STORAGE_READ_ONLY')
      expect(await codeThrownBy(() => storage.checkpoint())).toBe('STORAGE_READ_ONLY')
      const prune = () => storage.pruneHistory({ before: toTid(1) })
      expect(await codeThrownBy(prune)).toBe('STORAGE_READ_ONLY')
      expect(storage.lastTid).toBe(1)
    })

    test('opened for reading where nothing is, it refuses', async () => {
      await storage.close()
      await factory.clear()
      storage = await factory.create({ readOnly: true })
      expect(await codeThrownBy(() => storage.open())).toBe('STORAGE_UNKNOWN_FORMAT')
    })

    test('names the database with an id that stays', async () => {
      const { databaseId } = storage
      expect(databaseId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      await reopen()
      expect(storage.databaseId).toBe(databaseId)
    })

    describe('with removed objects', () => {
      test('they are gone, for those who began before not', async () => {
        await storage.write([aCommit(1, [0, 1, 2])], 'sync')
        const before = storage.snapshot()
        await storage.write([{ ...aCommit(2, [0]), removed: [toOid(2), toOid(1)] }], 'sync')
        expect([textOf(0), textOf(1), textOf(2)]).toEqual(['state of 2', undefined, undefined])
        expect(textIn(before, 1)).toBe('state of 1')
        expect(storage.transactionRow(toTid(2))).toMatchObject({ oids: [0], removed: [1, 2] })
        await storage.checkpoint()
        expect([textOf(1), textIn(before, 1)]).toEqual([undefined, 'state of 1'])
        await reopen()
        expect([textOf(0), textOf(1), storage.highestOid]).toEqual(['state of 2', undefined, 2])
      })

      test('one can be written again', async () => {
        await storage.write([aCommit(1, [1])], 'sync')
        await storage.write([{ ...aCommit(2, []), removed: [toOid(1)] }], 'sync')
        await storage.checkpoint()
        await storage.write([aCommit(3, [1])], 'sync')
        expect(textOf(1)).toBe('state of 3')
        await reopen()
        expect(textOf(1)).toBe('state of 3')
      })
    })

    describe('at checkpoints', () => {
      test('nothing that can be read changes', async () => {
        await commitUpTo(3)
        const before = storage.snapshot()
        await storage.checkpoint()
        await commitUpTo(5)
        expect([before.tid, textIn(before, 0), textIn(before, 4)]).toEqual([
          3,
          'state of 3',
          undefined,
        ])
        expect([textOf(0), textOf(3), textOf(4)]).toEqual([
          'state of 5',
          'state of 3',
          'state of 4',
        ])
        await storage.checkpoint()
        await storage.checkpoint()
        expect([textIn(before, 0), textOf(0), textOf(5)]).toEqual([
          'state of 3',
          'state of 5',
          'state of 5',
        ])
      })

      test('commits go on', async () => {
        await commitUpTo(300)
        const checkpoint = storage.checkpoint()
        await commitUpTo(310)
        await checkpoint
        await commitUpTo(320)
        const text = [0, 1, 300, 301, 320].map(textOf)
        expect(text).toEqual([320, 1, 300, 301, 320].map((tid) => `state of ${tid}`))
      })
    })

    describe('asked for all records', () => {
      test('gives them by rising oid, wherever they are', async () => {
        await storage.write([aCommit(1, [8, 2, 4])], 'sync')
        await storage.checkpoint()
        await storage.write([{ ...aCommit(2, [9, 3, 4]), removed: [toOid(2)] }], 'sync')
        const snapshot = storage.snapshot()
        await storage.write([aCommit(3, [1, 8])], 'sync')
        const all = [
          [3, 2],
          [4, 2],
          [8, 1],
          [9, 2],
        ]
        expect(await recordsIn(snapshot)).toEqual(all)
        expect(await recordsIn(snapshot, 5)).toEqual(all.slice(2))
        await storage.checkpoint()
        expect(await recordsIn(snapshot)).toEqual(all)
      })

      test('goes on while commits and checkpoints do, and unaffected', async () => {
        await commitUpTo(20)
        const found: number[] = []
        for await (const { tid } of storage.snapshot().records()) {
          found.push(tid)
          if (found.length === 5) await commitUpTo(25)
          if (found.length === 6) await storage.checkpoint()
        }
        expect(found).toEqual([20, ...Array.from({ length: 20 }, (_, i) => i + 1)])
      })

      test('stops when aborted, and when the snapshot is closed', async () => {
        await commitUpTo(5)
        const snapshot = storage.snapshot()
        const abort = new AbortController()
        const { signal } = abort
        const walk = snapshot.records({ signal })[Symbol.asyncIterator]()
        await walk.next()
        abort.abort(new Error('enough'))
        expect(await codeThrownBy(() => walk.next())).toBe('Error: enough')
        const other = snapshot.records()[Symbol.asyncIterator]()
        await other.next()
        snapshot.close()
        expect(await codeThrownBy(() => other.next())).toBe('STORAGE_CLOSED')
      })
    })

    describe('asked for transactions', () => {
      test('gives their rows in order, or backwards', async () => {
        await commitUpTo(6)
        const tidsOf = async (range: Parameters<Storage['transactions']>[0]) => {
          const tids: number[] = []
          for await (const { tid } of storage.transactions(range)) tids.push(tid)
          return tids
        }
        for (let again = 0; again < 2; again++) {
          expect(await tidsOf({})).toEqual([1, 2, 3, 4, 5, 6])
          expect(await tidsOf({ reverse: true })).toEqual([6, 5, 4, 3, 2, 1])
          expect(await tidsOf({ after: toTid(2), upTo: toTid(4) })).toEqual([3, 4])
          expect(await tidsOf({ after: toTid(2), upTo: toTid(9), reverse: true })).toEqual([
            6, 5, 4, 3,
          ])
          expect(await tidsOf({ after: toTid(6) })).toEqual([])
          await storage.checkpoint()
        }
      })

      test('gives whole commits, which make the same database elsewhere', async () => {
        await commitUpTo(3)
        await storage.checkpoint()
        await storage.write([{ ...aCommit(4, [7]), removed: [toOid(2)] }], 'sync')
        const copied = [1, 2, 3].map((tid) => ({
          ...aCommit(tid, [0, tid], { metadata: { ...METADATA, timeMs: tid * 1000 } }),
          removed: [],
        }))
        const last = { ...aCommit(4, [7]), removed: [toOid(2)] }
        const found: unknown[] = []
        for await (const commit of storage.commits()) found.push(commit)
        expect(found).toMatchObject([...copied, last])
        expect(await codeThrownBy(() => storage.commits({ upTo: toTid(5) }))).toBe(
          'STORAGE_HISTORY_UNAVAILABLE',
        )
      })
    })

    describe('asked for a time', () => {
      test('gives the newest commit at or before it', async () => {
        await commitUpTo(5)
        const ask = () => [0, 999, 1000, 2500, 5000, 9000].map((ms) => storage.tidAt(ms))
        expect(ask()).toEqual([0, 0, 1, 2, 5, 5])
        await storage.checkpoint()
        expect(ask()).toEqual([0, 0, 1, 2, 5, 5])
      })

      test('time never goes back', async () => {
        const at = (tid: number, timeMs: number) =>
          aCommit(tid, [0], { metadata: { ...METADATA, timeMs } })
        await storage.write([at(1, 5000), at(2, 3000)], 'sync')
        await storage.checkpoint()
        await reopen()
        await storage.write([at(3, 4000)], 'sync')
        const times = [1, 2, 3].map((tid) => storage.transactionRow(toTid(tid))?.timeMs)
        expect(times).toEqual([5000, 5000, 5000])
        expect(storage.tidAt(5000)).toBe(3)
      })
    })

    testOfHistory('without history, only the newest revisions are there', async () => {
      await commitUpTo(3)
      expect(storage.historyFrom).toBeUndefined()
      for (const tid of [0, 2, 3, 4]) {
        const ask = () => storage.snapshotAt(toTid(tid))
        expect(await codeThrownBy(ask)).toBe('STORAGE_HISTORY_UNAVAILABLE')
      }
      expect(storage.revisions(toOid(0))).toEqual([{ tid: 3, bytes: 10, removed: false }])
      expect(await codeThrownBy(() => storage.pruneHistory({ before: toTid(2) }))).toBe(
        'STORAGE_HISTORY_UNAVAILABLE',
      )
      expect(storage.snapshot().load(toOid(0))?.link).toBeUndefined()
    })

    describe('with history', () => {
      beforeEach(() => reopen('all'))

      const textsOf0 = (tids: readonly number[]) => tids.map((tid) => textAt(tid, 0))

      test('reads the database as each commit left it', async () => {
        await commitUpTo(40)
        const tids = Array.from({ length: 40 }, (_, i) => i + 1)
        const texts = tids.map((tid) => `state of ${tid}`)
        expect(storage.historyFrom).toBe(NO_TID)
        expect(textsOf0(tids)).toEqual(texts)
        await storage.checkpoint()
        expect(textsOf0(tids)).toEqual(texts)
        await commitUpTo(43)
        await reopen()
        expect(textsOf0(tids)).toEqual(texts)
        expect([textAt(0, 0), textAt(7, 7), textAt(7, 8)]).toEqual([
          undefined,
          'state of 7',
          undefined,
        ])
        expect(await recordsIn(storage.snapshotAt(toTid(3)))).toEqual([
          [0, 3],
          [1, 1],
          [2, 2],
          [3, 3],
        ])
        expect(await codeThrownBy(() => storage.snapshotAt(toTid(44)))).toBe(
          'STORAGE_HISTORY_UNAVAILABLE',
        )
      })

      test('lists the revisions of an object, newest first, and loads each', async () => {
        await commitUpTo(2)
        await storage.write([{ ...aCommit(3, []), removed: [toOid(0)] }], 'sync')
        await storage.checkpoint()
        await storage.write([aCommit(4, [0], { state: 'Anna' })], 'sync')
        expect(storage.revisions(toOid(0))).toEqual([
          { tid: 4, bytes: 4, removed: false },
          { tid: 3, bytes: 0, removed: true },
          { tid: 2, bytes: 10, removed: false },
          { tid: 1, bytes: 10, removed: false },
        ])
        expect(storage.revisions(toOid(0), { limit: 2 })).toHaveLength(2)
        expect(storage.revisions(toOid(9))).toEqual([])
        const loaded = [1, 2, 3, 4].map((tid) => storage.loadRevision(toOid(0), toTid(tid))?.tid)
        expect(loaded).toEqual([1, 2, undefined, 4])
        expect(storage.loadRevision(toOid(1), toTid(2))).toBeUndefined()
      })

      test('a removed object is there in the past', async () => {
        await commitUpTo(2)
        await storage.write([{ ...aCommit(3, []), removed: [toOid(1)] }], 'sync')
        for (let again = 0; again < 2; again++) {
          expect([textAt(2, 1), textAt(3, 1), textOf(1)]).toEqual([
            'state of 1',
            undefined,
            undefined,
          ])
          expect(await recordsIn(storage.snapshotAt(toTid(3)))).toEqual([
            [0, 2],
            [2, 2],
          ])
          await storage.checkpoint()
        }
      })

      test('a record names the revisions before', async () => {
        await commitUpTo(20)
        expect(storage.snapshot().load(toOid(0))?.link).toEqual({
          previousTid: 19,
          number: 19,
          farTid: 17,
        })
        await storage.checkpoint()
        expect(storage.snapshot().load(toOid(5))?.link).toEqual({
          previousTid: NO_TID,
          number: 0,
          farTid: NO_TID,
        })
      })

      testOfHistory('a link that was given is kept', async () => {
        await commitUpTo(1)
        const { records, ...rest } = aCommit(2, [0])
        const link = { previousTid: toTid(1), number: 7, farTid: toTid(1) }
        await storage.write([{ ...rest, records: [{ ...records[0]!, link }] }], 'sync')
        expect(storage.snapshot().load(toOid(0))?.link).toEqual(link)
        expect(textAt(1, 0)).toBe('state of 1')
      })

      testOfHistory('pruning forgets what only older readers need', async () => {
        await commitUpTo(10)
        await storage.checkpoint()
        const early = storage.snapshotAt(toTid(3))
        const progress: unknown[] = []
        await storage.pruneHistory({
          before: toTid(6),
          onProgress: (done) => progress.push(done.historyFrom),
        })
        expect(storage.historyFrom).toBe(6)
        expect(new Set(progress)).toEqual(new Set(progress.length > 0 ? [toTid(6)] : []))
        expect([textAt(6, 0), textAt(6, 4), textAt(9, 0)]).toEqual([
          'state of 6',
          'state of 4',
          'state of 9',
        ])
        expect(storage.revisions(toOid(0)).map(({ tid }) => tid)).toEqual([10, 9, 8, 7, 6])
        expect(textIn(early, 0)).toBe('state of 3')
        expect(await codeThrownBy(() => storage.snapshotAt(toTid(5)))).toBe(
          'STORAGE_HISTORY_UNAVAILABLE',
        )
        await commitUpTo(12)
        await reopen()
        expect(storage.historyFrom).toBe(6)
        expect([textAt(6, 0), textAt(11, 0), textOf(0)]).toEqual([
          'state of 6',
          'state of 11',
          'state of 12',
        ])
      })

      testOfHistory('pruning stops when aborted, and refuses what has not happened', async () => {
        await commitUpTo(5)
        const prune = (before: number, signal?: AbortSignal) => () =>
          storage.pruneHistory({ before: toTid(before), signal })
        expect(await codeThrownBy(prune(6))).toBe('STORAGE_HISTORY_UNAVAILABLE')
        const aborted = AbortSignal.abort(new Error('enough'))
        expect(await codeThrownBy(prune(5, aborted))).toBe('Error: enough')
        expect(textAt(2, 0)).toBe('state of 2')
        expect(await prune(3)()).toMatchObject({ historyFrom: 3 })
        // What is forgotten stays so.
        expect(await prune(2)()).toMatchObject({ historyFrom: 3 })
      })

      testOfHistory(
        'turned off, all of it is forgotten; turned on again, it begins anew',
        async () => {
          await commitUpTo(5)
          await storage.checkpoint()
          await reopen('off')
          expect(storage.historyFrom).toBeUndefined()
          await commitUpTo(6)
          await reopen('all')
          expect(storage.historyFrom).toBe(6)
          await commitUpTo(8)
          await storage.checkpoint()
          expect(textsOf0([6, 7, 8])).toEqual(['state of 6', 'state of 7', 'state of 8'])
          expect(await codeThrownBy(() => storage.snapshotAt(toTid(5)))).toBe(
            'STORAGE_HISTORY_UNAVAILABLE',
          )
          expect(await codeThrownBy(() => storage.tidAt(5500))).toBe('STORAGE_HISTORY_UNAVAILABLE')
          expect([storage.tidAt(6000), storage.tidAt(7999)]).toEqual([6, 7])
        },
      )

      test('nothing said, the database goes on as it was', async () => {
        await commitUpTo(2)
        await reopen()
        await commitUpTo(4)
        expect(textsOf0([1, 2, 3, 4])).toEqual([1, 2, 3, 4].map((tid) => `state of ${tid}`))
      })
    })

    testOfHistory('with history of some transactions, older ones are forgotten', async () => {
      await reopen({ maxTransactions: 3 })
      await commitUpTo(10)
      await storage.checkpoint()
      expect(storage.historyFrom).toBe(8)
      expect(textAt(8, 0)).toBe('state of 8')
    })

    testOfHistory('with history of some age, older ones are forgotten', async () => {
      await reopen({ maxAgeMs: 3500 })
      await commitUpTo(10)
      await storage.checkpoint()
      expect(storage.historyFrom).toBe(6)
      expect([storage.tidAt(6500), textAt(6, 0)]).toEqual([6, 'state of 6'])
    })
  })
}
