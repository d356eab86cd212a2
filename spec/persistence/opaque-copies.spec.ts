import { describe, expect, test } from '@jest/globals'
import { OpaqueCopy } from '../../lib/persistence/opaque-copies.js'
import { sameOpaque } from '../../lib/persistence/stored-value.js'

describe('An opaque copy', () => {
  test.each<[string, () => object, (copy: object) => void]>([
    ['Date', () => new Date(1), (copy) => void (copy as Date).setTime(2)],
    ['Date that is none', () => new Date(Number.NaN), (copy) => void (copy as Date).setTime(2)],
    ['Buffer', () => Buffer.from('abc'), (copy) => void (copy as Buffer).fill(7)],
    ['Float64Array', () => new Float64Array([1]), (copy) => void (copy as Float64Array).fill(7)],
    [
      'ArrayBuffer',
      () => new ArrayBuffer(3),
      (copy) => void new Uint8Array(copy as ArrayBuffer).fill(9),
    ],
  ])('of a %s knows that it was changed, and can be put back', (_, make, change) => {
    const [value, expected] = [make(), make()]
    const copy = new OpaqueCopy(value, make())
    expect([copy.isChanged, copy.save()]).toEqual([false, undefined])
    change(value)
    expect(copy.isChanged).toBe(true)
    copy.restore()
    expect(sameOpaque(value, expected)).toBe(true)
    expect(copy.isChanged).toBe(false)
  })

  test('goes back to any savepoint', () => {
    const date = new Date(1)
    const copy = new OpaqueCopy(date, new Date(1))
    date.setTime(2)
    const before = copy.save()
    date.setTime(3)
    copy.restore()
    expect(date.getTime()).toBe(2)
    copy.restore(before)
    expect(date.getTime()).toBe(1)
    copy.restore()
    expect(date.getTime()).toBe(1)
  })
})
