import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { rowsIn } from '../../lib/operations/key-bounds.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import {
  CHECKPOINT_KEY,
  commitKeys,
  objectKeys,
  preservedKeys,
} from '../../lib/storage/key-space.js'

const object = (oid: number): Buffer => objectKeys.encode(toOid(oid))

describe('A range of keys', () => {
  test('names the objects in it', () => {
    expect(rowsIn({ from: object(3), upTo: object(300) })).toEqual({
      oids: { from: 3, to: 300 },
      text: 'objects 0000000000000003 to 000000000000012c',
    })
    expect(rowsIn({ above: object(3), upTo: object(4) })).toMatchObject({
      oids: { from: 4, to: 4 },
      text: 'objects 0000000000000004',
    })
  })

  test('names transactions, and the rows that describe the database', () => {
    const range = { from: CHECKPOINT_KEY, upTo: commitKeys.encode(toTid(9)) }
    expect(rowsIn(range).oids).toBeUndefined()
    expect(rowsIn(range).text).toMatch(/^transactions .* to 0000000000000009, rows that describe/)
  })

  test('names objects whose earlier revisions are in it', () => {
    const range = {
      above: preservedKeys.encode(toOid(7), toTid(2)),
      upTo: preservedKeys.encode(toOid(8), toTid(1)),
    }
    expect(rowsIn(range)).toEqual({
      oids: { from: 7, to: 8 },
      text: 'earlier revisions of objects 0000000000000007 to 0000000000000008',
    })
  })

  test('without bounds can be anything', () => {
    expect(rowsIn({})).toEqual({ oids: undefined, text: 'rows that nobody can tell' })
  })

  test('with bounds that LevelDB cut short names every object in it', () => {
    fc.assert(
      fc.property(
        fc.nat(1_000_000),
        fc.nat(1_000_000),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1_000_000),
        (one, other, length, oid) => {
          const above = object(Math.min(one, other)).subarray(0, length)
          const upTo = object(Math.max(one, other))
          const key = object(oid)
          const isIn = Buffer.compare(key, above) > 0 && Buffer.compare(key, upTo) <= 0
          const oids = rowsIn({ above, upTo }).oids ?? { from: 1, to: 0 }
          expect(oid >= oids.from && oid <= oids.to).toBe(isIn)
        },
      ),
    )
  })
})
