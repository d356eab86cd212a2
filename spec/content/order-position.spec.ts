import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  isSamePosition,
  type OrderPosition,
  positionBetween,
} from '../../lib/content/order-position.js'

function compare(one: OrderPosition, other: OrderPosition): number {
  if (one[0] !== other[0]) return one[0] - other[0]
  return one[1] === other[1] ? 0 : one[1] < other[1] ? -1 : 1
}

describe('Position in an order', () => {
  test('is a whole number as long as there is room', () => {
    expect(positionBetween(undefined, undefined)).toEqual([0, ''])
    expect(positionBetween([4, 'i'], undefined)).toEqual([5, ''])
    expect(positionBetween(undefined, [4, 'i'])).toEqual([3, ''])
    expect(positionBetween([4, 'i'], [9, ''])).toEqual([5, ''])
  })

  test.each<[OrderPosition, OrderPosition, OrderPosition]>([
    [
      [4, ''],
      [5, ''],
      [4, 'i'],
    ],
    [
      [4, 'i'],
      [5, ''],
      [4, 'r'],
    ],
    [
      [4, 'z'],
      [5, ''],
      [4, 'zi'],
    ],
    [
      [4, ''],
      [4, '1'],
      [4, '0i'],
    ],
    [
      [4, ''],
      [4, '01'],
      [4, '00i'],
    ],
    [
      [4, 'a'],
      [4, 'a5'],
      [4, 'a2'],
    ],
    [
      [4, 'ay'],
      [4, 'b'],
      [4, 'az'],
    ],
    [
      [4, 'az'],
      [4, 'b'],
      [4, 'azi'],
    ],
  ])('between %p and %p is %p', (low, high, expected) => {
    expect(positionBetween(low, high)).toEqual(expected)
  })

  test('is the same when both parts are', () => {
    expect(isSamePosition([1, 'a'], [1, 'a'])).toBe(true)
    expect([isSamePosition([1, 'a'], [2, 'a']), isSamePosition([1, 'a'], [1, 'b'])]).toEqual([
      false,
      false,
    ])
  })

  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)
  test(`is always found, wherever items are put (seed ${seed})`, () =>
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 300 }), (places) => {
        const positions: OrderPosition[] = []
        for (const place of places) {
          const index = place % (positions.length + 1)
          positions.splice(index, 0, positionBetween(positions[index - 1], positions[index]))
        }
        for (const [index, position] of positions.slice(1).entries()) {
          expect(compare(positions[index] as OrderPosition, position)).toBeLessThan(0)
          expect(position[1]).toMatch(/^(|[0-9a-z]*[1-9a-z])$/)
        }
      }),
      { seed },
    ))
})
