import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { nextLink, type StorageCommit, toOid, toTid } from '../../lib/storage/index.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { DamagedRow, ForeignRow } from '../../lib/storage/sealed-row.js'
import { aCommit, EMPLOYEE, METADATA } from '../support/storage-builders.js'

const BEFORE = { tid: toTid(6), timeMs: 5000, highestOid: 9, classes: 2 }
const OFFICE = { classId: 3, name: 'offices.Office', fields: ['name', 'floor'] }

const EXAMPLE: StorageCommit = {
  tid: toTid(7),
  metadata: {
    timeMs: 1_700_000_000_000,
    user: 'anna',
    description: 'hires',
    extension: { a: [1] },
  },
  records: [
    { oid: toOid(12), classId: 3, state: Buffer.from('Anna') },
    { oid: toOid(1), classId: 1, state: Buffer.alloc(0) },
  ],
  classes: [OFFICE],
  removed: [toOid(4)],
}

const link = nextLink({ tid: toTid(5) })
const encoded = (commit: StorageCommit, linked: boolean) =>
  CommitRow.encode(commit, BEFORE, linked ? () => link : undefined)

// msgpackr renames it.
const anyName = fc.string().filter((name) => name !== '__proto__')

const anyCommit = fc
  .record({
    oids: fc.uniqueArray(fc.nat(Number.MAX_SAFE_INTEGER - 1), { maxLength: 40 }),
    removed: fc.uniqueArray(fc.nat(9), { maxLength: 3 }),
    state: fc.uint8Array({ maxLength: 50 }),
    user: fc.string(),
    extension: fc.dictionary(anyName, fc.oneof(fc.string(), fc.integer(), fc.boolean())),
    timeMs: fc.double({ min: 5000, max: 1e15, noNaN: true }),
    classes: fc.constantFrom([], [OFFICE]),
  })
  .map(
    ({ oids, removed, state, user, extension, timeMs, classes }): StorageCommit => ({
      tid: toTid(7),
      metadata: { timeMs, user, description: '', extension: { ...extension } },
      records: oids
        .filter((oid) => !removed.includes(oid))
        .map((oid) => ({
          oid: toOid(oid),
          classId: 2,
          state: Buffer.from(state),
        })),
      classes,
      removed: removed.map(toOid),
    }),
  )

describe('A commit row', () => {
  test('has the bytes that its table draws', () => {
    const metadata = { ...METADATA, timeMs: 6000, user: '', description: '' }
    const commit = aCommit(7, [10, 11], { state: 'ab', metadata })
    const row = encoded({ ...commit, removed: [toOid(4)] }, false)
    expect(row.bytes.toString('hex', 0, row.bytes.length - 4)).toBe(
      '01000000' +
        '0000000000000007' +
        '40b7700000000000' +
        '000000000000000c' +
        '00000002' +
        '00000003' +
        '00000000' +
        '00000000' +
        '000000000000000a' +
        '00000001' +
        '00000002' +
        '000000000000000b' +
        '00000001' +
        '00000004' +
        '0000000000000004' +
        '00000000' +
        '00000004' +
        '61626162',
    )
  })

  test('with links has one in each entry', () => {
    const row = encoded({ ...EXAMPLE, metadata: METADATA, classes: [], records: [] }, true)
    expect(row.bytes[1]).toBe(1)
    expect(row.bytes.toString('hex', 44, 84)).toBe(
      '0000000000000004' +
        '00000000' +
        '00000000' +
        '0000000000000005' +
        '0000000000000001' +
        '0000000000000005',
    )
  })

  test.each([true, false])('is decoded to what was encoded; with links: %p', (linked) => {
    fc.assert(
      fc.property(anyCommit, (commit) => {
        const row = CommitRow.decode(encoded(commit, linked).bytes)
        const records = commit.records.map((record) => (linked ? { ...record, link } : record))
        expect(row.toCommit()).toEqual({ ...commit, records })
        expect(row.isLinked).toBe(linked)
        for (const record of records) {
          expect(row.find(record.oid)).toEqual({ ...record, tid: 7 })
        }
        for (const oid of commit.removed ?? []) expect(row.find(oid)?.classId).toBe(0)
        expect(row.find(toOid(Number.MAX_SAFE_INTEGER))).toBeUndefined()
      }),
    )
  })

  test('says where the database is after it', () => {
    expect(encoded(EXAMPLE, false).position).toEqual({
      tid: 7,
      timeMs: 1_700_000_000_000,
      highestOid: 12,
      classes: 3,
    })
    const first = CommitRow.encode(aCommit(1, []), NO_POSITION, undefined)
    expect(first.position).toEqual({ ...METADATA_POSITION, highestOid: -1 })
  })

  test('is never earlier than the commit before', () => {
    const metadata = { ...METADATA, timeMs: 4000 }
    expect(encoded({ ...EXAMPLE, metadata }, false).timeMs).toBe(5000)
  })

  test('lists what it wrote and removed, ascending', () => {
    expect(encoded(EXAMPLE, true).toTransactionRow()).toEqual({
      tid: 7,
      ...EXAMPLE.metadata,
      oids: [1, 12],
      removed: [4],
    })
  })

  test('asks for the link of what comes without one, or looks new and is not', () => {
    const asked: number[] = []
    const records = [
      { oid: toOid(1), classId: 1, state: Buffer.alloc(0) },
      { oid: toOid(2), classId: 1, state: Buffer.alloc(0), link: nextLink({ tid: toTid(3) }) },
      { oid: toOid(3), classId: 1, state: Buffer.alloc(0), link: nextLink(undefined) },
      { oid: toOid(10), classId: 1, state: Buffer.alloc(0), link: nextLink(undefined) },
    ]
    const row = CommitRow.encode({ ...EXAMPLE, records }, BEFORE, (oid) => {
      asked.push(oid)
      return link
    })
    expect(asked).toEqual([1, 3, 4])
    expect([row.linkAt(0), row.linkAt(1)?.previousTid, row.linkAt(3)?.number]).toEqual([link, 3, 0])
  })

  test('shares its bytes with the states of its records', () => {
    const { bytes } = encoded(EXAMPLE, false)
    expect(CommitRow.decode(bytes).recordAt(0).state.buffer).toBe(bytes.buffer)
  })

  test('with any one bit flipped, or cut, is refused', () => {
    const { bytes } = encoded(EXAMPLE, true)
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const damaged = Buffer.from(bytes)
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => CommitRow.decode(damaged)).toThrow(DamagedRow)
        expect(() => CommitRow.decode(bytes.subarray(0, bit >> 3))).toThrow(DamagedRow)
      }),
    )
  })

  test('of a newer version is foreign; with sizes that do not add up, damaged', () => {
    const reseal = (bytes: Buffer): Buffer => {
      bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
      return bytes
    }
    const newer = Buffer.from(encoded(EXAMPLE, false).bytes)
    newer[0] = 2
    expect(() => CommitRow.decode(reseal(newer))).toThrow(ForeignRow)
    const wrong = Buffer.from(encoded(EXAMPLE, false).bytes)
    wrong[39]!++
    expect(() => CommitRow.decode(reseal(wrong))).toThrow(DamagedRow)
    expect(() => CommitRow.decode(reseal(Buffer.from([1, 0, 0, 0, 0, 0])))).toThrow(DamagedRow)
  })
})

const METADATA_POSITION = { tid: 1, timeMs: METADATA.timeMs, classes: EMPLOYEE.classId }
