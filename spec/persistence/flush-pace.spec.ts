import { describe, expect, test } from '@jest/globals'
import { FlushPace } from '../../lib/persistence/flush-pace.js'

function aPace({ flushMs, workMs }: { flushMs: number; workMs: number }): FlushPace {
  const pace = new FlushPace()
  for (let batch = 0; batch < 50; batch++) {
    pace.gathered(10, workMs * 10)
    pace.flushed(flushMs)
  }
  return pace
}

describe('Flush pace', () => {
  test('one client is never waited for', () => {
    expect(aPace({ flushMs: 5, workMs: 0.01 }).enough(1)).toBe(1)
  })

  test('while the work takes longer than a flush, half of the clients are enough', () => {
    const pace = aPace({ flushMs: 0.3, workMs: 0.02 })
    expect([pace.enough(64), pace.enough(65)]).toEqual([32, 33])
  })

  test('while a flush takes longer than the work, all are waited for', () => {
    const pace = aPace({ flushMs: 8, workMs: 0.02 })
    expect(pace.enough(64)).toBe(64)
  })

  test('it follows the disk', () => {
    const pace = aPace({ flushMs: 8, workMs: 0.02 })
    for (let batch = 0; batch < 50; batch++) pace.flushed(0.2)
    expect(pace.enough(64)).toBe(32)
  })
})
