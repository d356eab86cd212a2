import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { DueHeap } from '../../lib/webhooks/due-heap.js'

describe('Due heap', () => {
  test('items come in order of due time, equal ones in order of arrival', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }), (dues) => {
        const heap = new DueHeap<number>()
        dues.forEach((due, index) => {
          heap.push(due, index)
        })
        const sorted = dues
          .map((_, index) => index)
          .sort((a, b) => (dues[a] as number) - (dues[b] as number))
        expect(heap.nextDueAtMs).toBe(dues[sorted[0] as number])
        expect(sorted.map(() => heap.popDue(20))).toEqual(sorted)
        expect(heap.popDue(20)).toBeUndefined()
      }),
    )
  })

  test('what is not due stays', () => {
    const heap = new DueHeap<string>()
    heap.push(10, 'later')
    heap.push(5, 'now')
    expect([heap.popDue(9), heap.popDue(9), heap.size]).toEqual(['now', undefined, 1])
    expect(heap.popDue(10)).toBe('later')
    expect(heap.nextDueAtMs).toBeUndefined()
  })
})
