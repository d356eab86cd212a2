import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Oid, toOid } from '../../lib/storage/index.js'
import { decodeOids, maxOidListBytes, writeOids } from '../../lib/storage/oid-list.js'

const anyOids = fc.uniqueArray(fc.nat(Number.MAX_SAFE_INTEGER).map(toOid))

function encodeOids(oids: readonly Oid[]): Buffer {
  const target = Buffer.allocUnsafe(maxOidListBytes(oids.length))
  return target.subarray(0, writeOids(target, 0, oids))
}

describe('A list of oids', () => {
  test('is decoded to the same oids, ascending', () => {
    fc.assert(
      fc.property(anyOids, (oids) => {
        expect(decodeOids(encodeOids(oids))).toEqual([...oids].sort((a, b) => a - b))
      }),
    )
  })

  test('takes one byte for each of 1000 neighbours', () => {
    const oids = Array.from({ length: 1000 }, (_, i) => toOid(i))
    expect(encodeOids(oids)).toHaveLength(1000)
  })

  test('cut in the middle of one is refused', () => {
    expect(() => decodeOids(encodeOids([toOid(1000)]).subarray(0, 1))).toThrow(RangeError)
  })
})
