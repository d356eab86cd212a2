import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { toOid, toTid } from '../../lib/storage/index.js'
import {
  CHECKPOINT_KEY,
  classKeys,
  commitKeys,
  FORMAT_KEY,
  objectKeys,
  preservedKeys,
} from '../../lib/storage/key-space.js'

describe('The key space', () => {
  test('is what its table draws', () => {
    expect(FORMAT_KEY.toString('hex')).toBe('010000000000000000')
    expect(CHECKPOINT_KEY.toString('hex')).toBe('010000000000000001')
    expect(classKeys.encode(2).toString('hex')).toBe('020000000000000002')
    expect(commitKeys.encode(toTid(3)).toString('hex')).toBe('030000000000000003')
    expect(objectKeys.encode(toOid(2 ** 40)).toString('hex')).toBe('040000010000000000')
  })

  test('orders keys of one kind as their numbers, within their range', () => {
    const anyOid = fc.nat(Number.MAX_SAFE_INTEGER).map(toOid)
    fc.assert(
      fc.property(anyOid, anyOid, (a, b) => {
        const [keyA, keyB] = [objectKeys.encode(a), objectKeys.encode(b)]
        expect(Buffer.compare(keyA, keyB)).toBe(Math.sign(a - b))
        expect(objectKeys.decode(keyA)).toBe(a)
        expect(Buffer.compare(keyA, objectKeys.range.gte)).toBe(1)
        expect(Buffer.compare(keyA, objectKeys.range.lt)).toBe(-1)
      }),
    )
  })

  test('tells a key of another kind or size', () => {
    expect(objectKeys.decode(commitKeys.encode(toTid(1)))).toBeUndefined()
    expect(objectKeys.decode(objectKeys.encode(toOid(1)).subarray(0, 8))).toBeUndefined()
  })

  test('orders preserved revisions by object, then by transaction', () => {
    const key = preservedKeys.encode(toOid(5), toTid(258))
    expect(key.toString('hex')).toBe('0500000000000000050000000000000102')
    expect(preservedKeys.decode(key)).toEqual({ oid: 5, tid: 258 })
    expect(Buffer.compare(key, preservedKeys.encode(toOid(5), toTid(259)))).toBe(-1)
    expect(Buffer.compare(preservedKeys.encode(toOid(6), toTid(0)), key)).toBe(1)
    expect(Buffer.compare(key, preservedKeys.range.gte)).toBe(1)
    expect(Buffer.compare(key, preservedKeys.range.lt)).toBe(-1)
    expect(preservedKeys.decode(objectKeys.encode(toOid(5)))).toBeUndefined()
    expect(preservedKeys.decode(Buffer.alloc(17, 5))).toBeUndefined()
  })
})
