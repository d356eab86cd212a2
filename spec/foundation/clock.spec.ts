import { describe, expect, test } from '@jest/globals'
import { systemClock } from '../../lib/foundation/index.js'

describe('The system clock', () => {
  test('sleeps at least as long as asked', async () => {
    const start = systemClock.monotonicMs()
    await systemClock.sleep(20)
    // Timers of Node may fire up to a millisecond early.
    expect(systemClock.monotonicMs() - start).toBeGreaterThanOrEqual(19)
  })

  test('wakes when the signal is aborted, before or meanwhile', async () => {
    const controller = new AbortController()
    const sleeping = systemClock.sleep(1_000_000, controller.signal)
    controller.abort()
    await sleeping
    await systemClock.sleep(1_000_000, controller.signal)
  })

  test('counts milliseconds since the epoch', () => {
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1000)
  })
})
