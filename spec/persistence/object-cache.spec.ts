import { describe, expect, test } from '@jest/globals'
import { stateOf } from '../../lib/persistence/index.js'
import { ObjectCache } from '../../lib/persistence/object-cache.js'
import { slotsOf } from '../../lib/persistence/persistent.js'
import { toOid } from '../../lib/storage/index.js'
import { Employee } from '../support/persistence-builders.js'

const NOW = 5

/** An object as a connection would hold it, last used in `generation`. */
function hold(cache: ObjectCache, n: number, generation = 1): Employee {
  const object = new Employee({ title: String(n) })
  const slots = slotsOf(object)
  slots.oid = toOid(n)
  slots.generation = generation
  cache.add(slots.oid, object)
  return object
}

describe('Object cache', () => {
  test('keeps everything within the limit', () => {
    const cache = new ObjectCache(10)
    const objects = Array.from({ length: 10 }, (_, n) => hold(cache, n))
    cache.collect(NOW)
    expect([cache.size, cache.get(toOid(3))]).toEqual([10, objects[3]])
  })

  test('demotes clean objects that were not used lately, and finds them while they are held', () => {
    const cache = new ObjectCache(10)
    const objects = Array.from({ length: 12 }, (_, n) => hold(cache, n))
    cache.collect(NOW)
    expect(cache.size).toBe(9)
    expect(stateOf(objects[0]!)).toBe('ghost')
    expect(cache.get(toOid(0))).toBe(objects[0])
    expect(cache.size).toBe(10)
  })

  test('keeps changed objects, and those in use unless there are far too many', () => {
    const cache = new ObjectCache(10)
    const changed = hold(cache, 0)
    slotsOf(changed).changed = true
    for (let n = 1; n < 14; n++) hold(cache, n, NOW)
    cache.collect(NOW)
    expect(cache.size).toBe(14)
    for (let n = 14; n < 40; n++) hold(cache, n, NOW)
    cache.collect(NOW)
    expect(cache.size).toBeLessThan(20)
    cache.minimize()
    expect([cache.size, stateOf(changed), cache.get(toOid(0))]).toEqual([1, 'changed', changed])
  })

  test('forgets what it is told to', () => {
    const cache = new ObjectCache(10)
    hold(cache, 1)
    cache.minimize()
    cache.delete(toOid(1))
    expect(cache.get(toOid(1))).toBeUndefined()
  })
})
