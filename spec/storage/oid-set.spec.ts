import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { type Oid, toOid } from '../../lib/storage/oid.js'
import { OidSet } from '../../lib/storage/oid-set.js'

const anOid = fc.oneof(
  fc.nat({ max: 100_000 }),
  fc.maxSafeNat(),
  fc.constantFrom(0, 31, 32, 32_767, 32_768, Number.MAX_SAFE_INTEGER),
)

describe('A set of oids', () => {
  test('holds what a Set of numbers holds, and gives it by rising oid', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ oid: anOid, adds: fc.boolean() }), { maxLength: 200 }),
        (steps) => {
          const set = new OidSet()
          const model = new Set<number>()
          for (const { oid, adds } of steps) {
            const known = model.has(oid)
            if (adds) {
              expect(set.add(toOid(oid))).toBe(!known)
              model.add(oid)
            } else expect(set.delete(toOid(oid))).toBe(model.delete(oid))
            expect(set.has(toOid(oid))).toBe(adds)
          }
          expect(set.size).toBe(model.size)
          expect([...set]).toEqual([...model].sort((one, other) => one - other))
        },
      ),
    )
  })

  test('finds the next one from any oid on', () => {
    const set = new OidSet()
    for (const oid of [3, 40_000, 2 ** 40]) set.add(toOid(oid))
    expect(set.next(0)).toBe(3)
    expect(set.next(4)).toBe(40_000)
    expect(set.next(40_001)).toBe(2 ** 40)
    expect(set.next(2 ** 40 + 1)).toBeUndefined()
  })

  test('can lose members while it is walked', () => {
    const set = new OidSet()
    for (let oid = 0; oid < 100; oid++) set.add(oid as Oid)
    let seen = 0
    for (const oid of set) {
      seen++
      set.delete(oid)
    }
    expect([seen, set.size]).toEqual([100, 0])
  })
})
