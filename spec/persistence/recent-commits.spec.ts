import { describe, expect, test } from '@jest/globals'
import { RecentCommits } from '../../lib/persistence/recent-commits.js'
import { type Tid, toTid } from '../../lib/storage/index.js'

describe('Recent commits', () => {
  test('those of earlier sessions count as older than any time', () => {
    const recent = new RecentCommits(toTid(7))
    expect(recent.newestAtOrBefore(-1e15)).toBe(7)
  })

  test('the newest commit is known to the millisecond, however close to the one before', () => {
    const recent = new RecentCommits(toTid(7))
    for (let tid = 8; tid <= 20; tid++) recent.note({ tid: toTid(tid), timeMs: tid * 10 })
    expect(recent.newestAtOrBefore(200)).toBe(20)
  })

  test('an older one is found no more than a second too old, and never too new', () => {
    const recent = new RecentCommits(toTid(0))
    for (let tid = 1; tid <= 1000; tid++) recent.note({ tid: toTid(tid), timeMs: tid * 100 })
    for (let at = 1000; at < 100_000; at += 77) {
      const found: Tid = recent.newestAtOrBefore(at)
      expect(found * 100).toBeLessThanOrEqual(at)
      expect(found * 100).toBeGreaterThan(at - 1200)
    }
  })

  test('a long session is remembered in bounded space', () => {
    const recent = new RecentCommits(toTid(0))
    for (let tid = 1; tid <= 50_000; tid++) recent.note({ tid: toTid(tid), timeMs: tid * 1000 })
    expect(recent.newestAtOrBefore(50_000_000)).toBe(50_000)
    expect(recent.newestAtOrBefore(25_000_000)).toBeGreaterThan(0)
    expect(recent.newestAtOrBefore(25_000_000)).toBeLessThanOrEqual(25_000)
  })
})
