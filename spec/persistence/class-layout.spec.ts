import { describe, expect, test } from '@jest/globals'
import { HAS_TREE, hasLayout, layoutOf } from '../../lib/persistence/class-layout.js'
import { BTree, field, Persistent } from '../../lib/persistence/index.js'
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
