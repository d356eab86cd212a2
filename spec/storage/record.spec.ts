import { crc32 } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type StorageRecord, toOid, toTid } from '../../lib/storage/index.js'
import { decodeRecord, encodeRecord, isRemoval, recordBytes } from '../../lib/storage/record.js'
import { errorOf } from '../support/storage-builders.js'

const safeInteger = fc.nat(Number.MAX_SAFE_INTEGER)
const anyRecord: fc.Arbitrary<StorageRecord> = fc.record(
  {
    oid: safeInteger.map(toOid),
    tid: safeInteger.map(toTid),
    classId: fc.integer({ min: 1, max: 0xffff_ffff }),
    state: fc.uint8Array({ maxLength: 200 }),
    link: fc.record({
      previousTid: safeInteger.map(toTid),
      number: safeInteger,
      farTid: safeInteger.map(toTid),
    }),
  },
  { requiredKeys: ['oid', 'tid', 'classId', 'state'], noNullPrototype: true },
)

function encode(record: StorageRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes(record))
  encodeRecord(bytes, record)
  return bytes
}

function reseal(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4)
  return bytes
}

const EXAMPLE: StorageRecord = {
  oid: toOid(5),
  tid: toTid(3),
  classId: 2,
  state: Buffer.from('Anna'),
}

describe('A record', () => {
  test('has the bytes that its table draws', () => {
    expect(encode(EXAMPLE).toString('hex')).toBe(
      `0100${'0000000000000005'}${'0000000000000003'}${'00000002'}${'416e6e61'}5f385519`,
    )
  })

  test('with a link has the bytes that its table draws', () => {
    const link = { previousTid: toTid(2), number: 17, farTid: toTid(1) }
    expect(encode({ ...EXAMPLE, link }).toString('hex', 0, 50)).toBe(
      `0101${'0000000000000005'}${'0000000000000003'}${'00000002'}` +
        `${'0000000000000002'}${'0000000000000011'}${'0000000000000001'}416e6e61`,
    )
  })

  test('of class 0 says that the object is no more', () => {
    expect([isRemoval(EXAMPLE), isRemoval({ ...EXAMPLE, classId: 0 })]).toEqual([false, true])
  })

  // fast-check prints the seed of a failure; give it back as { seed } to see it again.
  test('is decoded to what was encoded', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const { state, ...rest } = decodeRecord(encode(record), record.oid)
        const { state: given, ...wanted } = record
        expect(rest).toEqual(wanted)
        expect(Buffer.compare(state, given)).toBe(0)
      }),
    )
  })

  test('with any one bit flipped is damaged', () => {
    fc.assert(
      fc.property(anyRecord, fc.nat(), (record, position) => {
        const bytes = encode(record)
        const bit = position % (bytes.length * 8)
        bytes[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => decodeRecord(bytes, record.oid)).toThrow(/is damaged/)
      }),
      { numRuns: 1000 },
    )
  })

  test('cut anywhere is damaged', () => {
    const bytes = encode(EXAMPLE)
    for (let size = 0; size < bytes.length; size++) {
      expect(() => decodeRecord(bytes.subarray(0, size), EXAMPLE.oid)).toThrow(/is damaged/)
    }
  })

  test('gives its state as a view, without a copy', () => {
    const bytes = encode(EXAMPLE)
    expect(decodeRecord(bytes, EXAMPLE.oid).state.buffer).toBe(bytes.buffer)
  })

  test('of another object is damaged, and both are named', async () => {
    const error = await errorOf(() => decodeRecord(encode(EXAMPLE), toOid(6)))
    expect(error).toMatchObject({ code: 'STORAGE_CORRUPT_RECORD' })
    expect(error.message).toMatch(/oid 0000000000000006 .*oid 0000000000000005.*backup/)
  })

  test('of a newer version, or with a flag, is of an unknown format', () => {
    const newer = encode(EXAMPLE)
    newer[0] = 2
    expect(() => decodeRecord(reseal(newer), EXAMPLE.oid)).toThrow(
      /0000000000000005 has format version 2/,
    )
    const flagged = encode(EXAMPLE)
    flagged[1] = 2
    expect(() => decodeRecord(reseal(flagged), EXAMPLE.oid)).toThrow(/flags 2/)
  })
})
