import { describe, expect, test } from '@jest/globals'
import { NODE_LAYOUT } from '../../lib/persistence/class-table.js'
import { CommittedState } from '../../lib/persistence/committed-state.js'
import { stateOf } from '../../lib/persistence/index.js'
import { ObjectCache } from '../../lib/persistence/object-cache.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const MANY = 1e9

/** A loaded object as a connection would hold it. */
function hold(cache: ObjectCache, n: number, isChanged = false): Employee {
  const object = new Employee({ title: String(n) })
  const slots = slotsOf(object)
  slots.oid = toOid(n)
  slots.generation = 1
  slots.committed = new CommittedState(slots.oid, toTid(1), NODE_LAYOUT, [], 0)
  slots.writtenIn = isChanged ? 1 : 0
  cache.replaced(undefined, slots.committed)
  cache.add(slots.oid, object)
  return object
}

const aCache = (objects: number, bytes = MANY): ObjectCache => new ObjectCache({ objects, bytes })

describe('Object cache', () => {
  test('keeps everything within the limit', () => {
    const cache = aCache(10)
    const objects = Array.from({ length: 10 }, (_, n) => hold(cache, n))
    cache.collect()
    expect([cache.size, cache.get(toOid(3))]).toEqual([10, objects[3]])
  })

  test('demotes clean objects without being told to, and finds them while they are held', () => {
    const cache = aCache(10)
    const objects = Array.from({ length: 100 }, (_, n) => hold(cache, n))
    expect(cache.size).toBeLessThanOrEqual(11)
    expect(stateOf(objects[99]!)).toBe('upToDate')
    for (const [n, object] of objects.entries()) expect(cache.get(toOid(n))).toBe(object)
  })

  test('stays within the bytes of the states, and keeps the object just loaded', () => {
    const one = hold(aCache(1), 0)
    const { bytes } = slotsOf(one).committed!
    const cache = aCache(MANY, bytes * 10)
    for (let n = 0; n < 100; n++) hold(cache, n)
    expect(cache.bytes).toBe(cache.size * bytes)
    expect(cache.size).toBeLessThanOrEqual(11)
    const tiny = aCache(MANY, 1)
    expect([1, 2, 3].map((n) => stateOf(hold(tiny, n)))).toEqual(Array(3).fill('upToDate'))
    expect(tiny.size).toBe(1)
  })

  test('keeps changed objects, however many', () => {
    const cache = aCache(10)
    const changed = Array.from({ length: 50 }, (_, n) => hold(cache, n, true))
    for (let n = 50; n < 100; n++) hold(cache, n)
    expect(cache.size).toBeLessThan(70)
    expect(new Set(changed.map(stateOf))).toEqual(new Set(['changed']))
    cache.minimize()
    expect([cache.size, cache.get(toOid(0))]).toEqual([50, changed[0]])
  })

  test('an object that loads again is held again', () => {
    const cache = aCache(10)
    const object = hold(cache, 1)
    cache.minimize()
    expect([cache.size, cache.bytes]).toEqual([0, 0])
    cache.add(toOid(1), object)
    expect([cache.size, cache.get(toOid(1))]).toEqual([1, object])
  })

  test('forgets what it is told to', () => {
    const cache = aCache(10)
    hold(cache, 1)
    cache.minimize()
    cache.delete(toOid(1))
    hold(cache, 2)
    cache.delete(toOid(2))
    expect([cache.get(toOid(1)), cache.get(toOid(2)), cache.bytes]).toEqual([
      undefined,
      undefined,
      0,
    ])
  })
})
