import { describe, expect, test } from '@jest/globals'
import { layoutOf } from '../../lib/persistence/class-layout.js'
import { ClassTable } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { StateCache } from '../../lib/persistence/state-cache.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const layout = new ClassTable([]).layoutFor(layoutOf(Employee))
const aState = (oid: number, serial = 1, bytes = 100): CommittedState =>
  new CommittedState(toOid(oid), toTid(serial), layout, [], bytes)
const SIZE = aState(1).bytes

describe('State cache', () => {
  test('gives the state that was put last', () => {
    const cache = new StateCache(1_000_000)
    const [old, newer] = [aState(1, 1, 10), aState(1, 2, 1000)]
    cache.put(old)
    cache.put(newer)
    expect([cache.get(toOid(1)), cache.get(toOid(2)), cache.size]).toEqual([newer, undefined, 1])
    expect(cache.bytes).toBe(newer.bytes)
    cache.clear()
    expect([cache.size, cache.bytes, cache.get(toOid(1))]).toEqual([0, 0, undefined])
  })

  test('never exceeds its budget, and counts what it holds', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 1000; n++) {
      cache.put(aState(n % 37, n))
      expect(cache.bytes).toBeLessThanOrEqual(SIZE * 10)
      expect(cache.bytes).toBe(cache.size * SIZE)
    }
    expect(cache.size).toBeGreaterThan(5)
  })

  test('what was used since the last sweep stays, what was not goes', () => {
    const cache = new StateCache(SIZE * 10)
    for (let n = 0; n < 11; n++) cache.put(aState(n))
    expect([cache.size, cache.get(toOid(2))?.oid]).toEqual([9, 2])
    cache.put(aState(11))
    cache.put(aState(12))
    expect([2, 3, 4, 12].map((oid) => cache.get(toOid(oid)) !== undefined)).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  test('a state that alone exceeds the budget is not kept', () => {
    const cache = new StateCache(10)
    cache.put(aState(1))
    expect([cache.size, cache.bytes]).toEqual([0, 0])
  })
})
