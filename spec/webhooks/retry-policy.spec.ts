import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { DEFAULT_LADDER_MS, parseRetryAfter, RetryPolicy } from '../../lib/webhooks/retry-policy.js'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

/** A first try, with the middle of the jitter. */
const aTry = { tries: 1, failedAtMs: NOW, random: 0.5 }

function outcomeOf(statusCode: number): string {
  const decision = new RetryPolicy().nextTry({ ...aTry, statusCode })
  return decision.outcome === 'refused' && decision.gone ? 'gone' : decision.outcome
}

function expectedOutcome(statusCode: number): string {
  if (statusCode >= 200 && statusCode <= 299) return 'delivered'
  if ([408, 425, 429].includes(statusCode)) return 'retry'
  if (statusCode === 410) return 'gone'
  if (statusCode >= 300 && statusCode <= 499) return 'refused'
  return 'retry'
}

describe('Retry policy', () => {
  test('every status has its outcome', () => {
    const statuses = [...Array.from({ length: 500 }, (_, i) => i + 100), 600, 799, 999]
    expect(statuses.map((status) => [status, outcomeOf(status)])).toEqual(
      statuses.map((status) => [status, expectedOutcome(status)]),
    )
  })

  test('no answer at all is tried again', () => {
    expect(new RetryPolicy().nextTry(aTry)).toEqual({ outcome: 'retry', dueAtMs: NOW + 5000 })
  })

  test('the ladder takes about three days', () => {
    const total = DEFAULT_LADDER_MS.reduce((sum, step) => sum + step, 0)
    expect(total / HOUR).toBeGreaterThan(72)
    expect(total / HOUR).toBeLessThan(84)
    expect([...DEFAULT_LADDER_MS].sort((a, b) => a - b)).toEqual(DEFAULT_LADDER_MS)
  })

  test('each failure takes the next step, and after the last one it is over', () => {
    const policy = new RetryPolicy({ ladderMs: [10, 200] })
    const decisions = [1, 2, 3, 4].map((tries) =>
      policy.nextTry({ ...aTry, tries, statusCode: 500 }),
    )
    expect(decisions).toEqual([
      { outcome: 'retry', dueAtMs: NOW + 10 },
      { outcome: 'retry', dueAtMs: NOW + 200 },
      { outcome: 'exhausted' },
      { outcome: 'exhausted' },
    ])
  })

  test('a wait varies by a fifth, both ways', () => {
    const policy = new RetryPolicy({ ladderMs: [1000] })
    const due = (random: number) => policy.nextTry({ ...aTry, random })
    expect(due(0)).toMatchObject({ dueAtMs: NOW + 800 })
    expect(due(0.5)).toMatchObject({ dueAtMs: NOW + 1000 })
    expect(due(0.999999)).toMatchObject({ dueAtMs: NOW + 1200 })
  })

  test('with retry none there is a single try', () => {
    const policy = new RetryPolicy({ retry: 'none' })
    expect(policy.nextTry({ ...aTry, statusCode: 500 })).toEqual({ outcome: 'exhausted' })
    expect(policy.nextTry(aTry)).toEqual({ outcome: 'exhausted' })
    expect(policy.nextTry({ ...aTry, statusCode: 404 })).toEqual({
      outcome: 'refused',
      gone: false,
    })
    expect(policy.nextTry({ ...aTry, statusCode: 204 })).toEqual({ outcome: 'delivered' })
  })

  test.each([
    ['60', 60_000],
    ['1', 5000], // the ladder is the floor
    ['0', 5000],
    ['86400', 24 * HOUR],
    ['999999', 24 * HOUR],
    ['9'.repeat(400), 24 * HOUR],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 5000],
    ['Fri, 01 Jan 2036 00:00:00 GMT', 24 * HOUR],
    ['-1', 5000],
    ['1e99', 5000],
    ['1.5', 5000],
    ['soon 1', 5000],
    ['60, 60', 5000],
    ['', 5000],
  ])('Retry-After %j gives a wait of %i ms', (retryAfter, waitMs) => {
    const decision = new RetryPolicy().nextTry({ ...aTry, statusCode: 500, retryAfter })
    expect(decision).toEqual({ outcome: 'retry', dueAtMs: NOW + waitMs })
  })

  test('429 and 503 hold the endpoint, for what they ask or the first step', () => {
    const policy = new RetryPolicy({ ladderMs: [100, 1000] })
    for (const statusCode of [429, 503]) {
      expect(policy.nextTry({ ...aTry, tries: 2, statusCode })).toEqual({
        outcome: 'retry',
        dueAtMs: NOW + 1000,
        holdUntilMs: NOW + 100,
      })
      expect(policy.nextTry({ ...aTry, tries: 3, statusCode, retryAfter: '7' })).toEqual({
        outcome: 'exhausted',
        holdUntilMs: NOW + 7000,
      })
    }
    expect(policy.nextTry({ ...aTry, statusCode: 502 })).not.toHaveProperty('holdUntilMs')
  })

  test('a retry is never before the ladder allows nor after its bounds', () => {
    const policy = new RetryPolicy()
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: DEFAULT_LADDER_MS.length }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined }),
        (tries, random, retryAfter) => {
          const step = DEFAULT_LADDER_MS[tries - 1] as number
          const asked = retryAfter === undefined ? {} : { retryAfter }
          const decision = policy.nextTry({
            tries,
            random,
            failedAtMs: NOW,
            statusCode: 503,
            ...asked,
          })
          if (decision.outcome !== 'retry') throw new Error(decision.outcome)
          expect(decision.dueAtMs - NOW).toBeGreaterThanOrEqual(Math.floor(step * 0.8))
          expect(decision.dueAtMs - NOW).toBeLessThanOrEqual(Math.max(step * 1.2 + 1, 24 * HOUR))
        },
      ),
    )
  })

  test.each([
    { ladderMs: [-1] },
    { ladderMs: [Number.NaN] },
    { ladderMs: [Number.POSITIVE_INFINITY] },
    { jitter: 1 },
    { jitter: -0.1 },
    { maxRetryAfterMs: -1 },
  ])('%j is no setting', (options) => {
    expect(() => new RetryPolicy(options)).toThrow(
      expect.objectContaining({ code: 'WEBHOOK_INVALID_SETTING' }),
    )
  })
})

describe('Retry-After', () => {
  // The three forms of RFC 9110, 5.6.7.
  test.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])('%s is a date', (date) => {
    const atMs = Date.UTC(1994, 10, 6, 8, 49, 37)
    expect(parseRetryAfter(date, atMs - 5000)).toBe(5000)
    expect(parseRetryAfter(date, atMs + 5000)).toBe(0)
  })

  test.each([
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    'x',
  ])('%s is neither date nor seconds', (text) => {
    expect(parseRetryAfter(text, 0)).toBeUndefined()
  })

  test('seconds are read with blanks around them', () => {
    expect(parseRetryAfter(' 120 ', 0)).toBe(120_000)
  })
})
