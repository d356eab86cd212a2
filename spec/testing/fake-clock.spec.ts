import { describe, expect, test } from '@jest/globals'
import { FakeClock } from '../../lib/testing/index.js'

describe('Fake clock', () => {
  test('it stands still', () => {
    const clock = new FakeClock(1000)
    expect([clock.nowMs(), clock.nowMs(), clock.monotonicMs()]).toEqual([1000, 1000, 0])
  })

  test('sleepers wake at their moment, in order', async () => {
    const clock = new FakeClock(1000)
    const woken: string[] = []
    for (const ms of [30, 10, 20]) {
      void clock.sleep(ms).then(() => woken.push(`${ms} at ${clock.nowMs()}`))
    }
    await clock.advance(20)
    expect(woken).toEqual(['10 at 1010', '20 at 1020'])
    expect([clock.sleeping, clock.nowMs()]).toEqual([1, 1020])
  })

  test('who goes to sleep again within the time wakes again', async () => {
    const clock = new FakeClock()
    let woken = 0
    void (async () => {
      for (;;) {
        await clock.sleep(10)
        woken++
      }
    })()
    await clock.advance(55)
    expect(woken).toBe(5)
  })

  test('an aborted sleep ends at once', async () => {
    const clock = new FakeClock()
    const stop = new AbortController()
    const slept = clock.sleep(1000, stop.signal)
    stop.abort()
    await slept
    await clock.sleep(1000, stop.signal)
    expect([clock.sleeping, clock.monotonicMs()]).toEqual([0, 0])
  })

  test('setting the wall clock wakes nobody and leaves durations alone', async () => {
    const clock = new FakeClock(1000)
    let woken = false
    void clock.sleep(10).then(() => {
      woken = true
    })
    clock.setNowMs(9_000_000)
    await clock.advance(9)
    expect([woken, clock.monotonicMs(), clock.nowMs()]).toEqual([false, 9, 9_000_009])
  })
})
