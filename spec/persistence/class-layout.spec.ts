import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from '@jest/globals'
import { HAS_TREE, hasLayout, layoutOf } from '../../lib/persistence/class-layout.js'
import { BTree, field, Persistent } from '../../lib/persistence/index.js'
import { makeObject, slotsOf } from '../../lib/persistence/persistent.js'
import { Office } from '../support/persistence-builders.js'

class Base extends Persistent {
  @field accessor one = 1
  @field({ default: [2] }) accessor two = [0]
}
class Derived extends Base {
  @field accessor three = 3
  @field override accessor one = 11
}

describe('Class layout', () => {
  test('has the fields of the base class first, each at one place', () => {
    expect(layoutOf(Derived).names).toEqual(['one', 'two', 'three'])
    expect(layoutOf(Base).names).toEqual(['one', 'two'])
    expect(layoutOf(Derived).fields.map(({ index }) => index)).toEqual([0, 1, 2])
    expect(layoutOf(Derived).initialValues).toEqual([undefined, [2], undefined])
  })

  test('is made once', () => {
    class Fresh extends Persistent {}
    expect(hasLayout(Fresh)).toBe(false)
    expect(layoutOf(Fresh)).toBe(layoutOf(Fresh))
    expect(hasLayout(Fresh)).toBe(true)
  })

  test('loaded objects carry no room for the accessors of new ones', () => {
    class Wide extends Persistent {
      @field accessor a = 1
      @field accessor b = 2
      @field accessor c = 3
      @field accessor d = 4
      @field accessor e = 5
      @field accessor f = 6
      @field accessor g = 7
      @field accessor h = 8
      @field accessor i = 9
      @field accessor j = 10
    }
    const made = Array.from({ length: 20 }, () => new Wide())
    const slots = slotsOf(made[0] as Wide)
    const before = heapBytes()
    const loaded = Array.from({ length: 50_000 }, () => makeObject(slots))
    const each = (heapBytes() - before) / loaded.length
    // 8 of them in the array. With the room it is 120. Less, when garbage of others went meanwhile.
    expect(each).toBeLessThan(60)
  })

  test('a class with a tree has a place for it that is no field', () => {
    expect([HAS_TREE in BTree, layoutOf(BTree).treeIndex, layoutOf(Base).treeIndex]).toEqual([
      true,
      0,
      -1,
    ])
    const { treeIndex, names, guardedNames } = layoutOf(Office)
    expect([treeIndex, names, guardedNames]).toEqual([0, ['__tree__', 'city'], ['city']])
  })

  test('an overridden field keeps its place, and each class its own accessor', () => {
    const [base, derived] = [new Base(), new Derived()]
    derived.one = 5
    expect([base.one, derived.one, derived.three]).toEqual([1, 5, 3])
  })
})

function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
