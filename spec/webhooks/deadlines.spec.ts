import { describe, expect, test } from '@jest/globals'
import { FakeClock } from '../../lib/testing/index.js'
import { Deadlines } from '../../lib/webhooks/deadlines.js'

describe('Deadlines', () => {
  test('each expires at its own moment, in order', async () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock, 100)
    const expired: string[] = []
    deadlines.begin(() => expired.push(`a at ${clock.monotonicMs()}`))
    await clock.advance(40)
    deadlines.begin(() => expired.push(`b at ${clock.monotonicMs()}`))
    await clock.advance(1000)
    expect(expired).toEqual(['a at 100', 'b at 140'])
  })

  test('work that ended does not expire', async () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock, 100)
    const expired: string[] = []
    const first = deadlines.begin(() => expired.push('first'))
    deadlines.begin(() => expired.push('second'))
    deadlines.end(first)
    await clock.advance(1000)
    expect(expired).toEqual(['second'])
  })

  test('nothing sleeps when nothing waits, and it begins anew', async () => {
    const clock = new FakeClock()
    const deadlines = new Deadlines(clock, 100)
    const expired: number[] = []
    for (let round = 0; round < 3; round++) {
      deadlines.end(deadlines.begin(() => expired.push(-1)))
      deadlines.begin(() => expired.push(clock.monotonicMs()))
      await clock.advance(100)
      expect(clock.sleeping).toBe(0)
    }
    expect(expired).toEqual([100, 200, 300])
  })
})
