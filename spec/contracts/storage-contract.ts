import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { NO_TID, type Storage, toOid, toTid } from '../../lib/storage/index.js'
import { aCommit, codeThrownBy, EMPLOYEE, METADATA } from '../support/storage-builders.js'

/** Makes the storages under test. */
export interface StorageFactory {
  /** A new storage over the same rows as the one before, not yet open. The first one finds none. */
  create(options?: { readonly readOnly?: boolean }): Promise<Storage>
  /** Forgets the rows. */
  clear(): Promise<void>
}

/** What every storage promises. */
export function describeStorage(
  name: string,
  { factory }: { readonly factory: StorageFactory },
): void {
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

    async function reopen(): Promise<void> {
      await storage.close()
      storage = await factory.create()
      await storage.open()
    }

    const textOf = (oid: number): string | undefined => {
      const snapshot = storage.snapshot()
      const record = snapshot.load(toOid(oid))
      snapshot.close()
      return record && Buffer.from(record.state).toString()
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
      const record = storage.snapshot().load(toOid(7))!
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
      expect(storage.transactionRow(toTid(1))).toEqual({ ...METADATA, tid: 1, oids: [0, 2, 3] })
      expect(storage.transactionRow(toTid(2))).toEqual({ ...metadata, tid: 2, oids: [1, 9] })
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
        () => storage.transactionRow(toTid(1)),
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
      expect(storage.lastTid).toBe(1)
    })

    test('opened for reading where nothing is, it refuses', async () => {
      await storage.close()
      await factory.clear()
      storage = await factory.create({ readOnly: true })
      expect(await codeThrownBy(() => storage.open())).toBe('STORAGE_UNKNOWN_FORMAT')
    })
  })
}
