import { describe, expect, test } from '@jest/globals'
import { type Instant, listOfTids, tidOfInstant } from '../../lib/persistence/instant.js'
import { NO_TID, type Tid } from '../../lib/storage/index.js'
import { codeThrownBy } from '../support/storage-builders.js'

/** Commit 1 at 100 ms, commits 2 and 3 at 200 ms, commit 4 at 300 ms; it is 400 ms. */
const TIMES = [100, 200, 200, 300]
const timeline = {
  lastTid: 4 as Tid,
  nowMs: 400,
  tidAt: (timeMs: number) => TIMES.filter((one) => one <= timeMs).length as Tid,
}
const at = (instant: unknown) => tidOfInstant(instant as Instant, timeline)

describe('Instant', () => {
  test('a tid is the database as that commit left it', () => {
    expect(at(3)).toBe(3)
    expect(at(NO_TID)).toBe(NO_TID)
  })

  test('a time includes what was committed in that millisecond', () => {
    expect([50, 100, 199, 200, 399, 400].map((ms) => at(new Date(ms)))).toEqual([0, 1, 1, 3, 4, 4])
  })

  test('before excludes the commit, or the millisecond', () => {
    expect(at({ before: 3 })).toBe(2)
    expect(at({ before: new Date(200) })).toBe(1)
  })

  test('a commit that is not published yet does not count', () => {
    const ahead = { ...timeline, lastTid: 3 as Tid }
    expect(tidOfInstant(new Date(400), ahead)).toBe(3)
  })

  test('what has not come yet is refused', async () => {
    for (const instant of [5, new Date(401), { before: 6 }, { before: new Date(500) }]) {
      expect(await codeThrownBy(() => at(instant))).toBe('PERSISTENCE_FUTURE_INSTANT')
    }
  })

  test('what is no instant is refused', async () => {
    const none = [
      -1,
      1.5,
      Number.NaN,
      '2026',
      null,
      undefined,
      {},
      { before: 0 },
      { before: 'now' },
    ]
    for (const instant of [...none, new Date('never'), { before: new Date('never') }]) {
      expect(await codeThrownBy(() => at(instant))).toBe('PERSISTENCE_INVALID_INSTANT')
    }
  })

  test('one tid is a list of one', async () => {
    expect(listOfTids(3 as Tid)).toEqual([3])
    expect(listOfTids([3, 4] as Tid[])).toEqual([3, 4])
    expect(await codeThrownBy(() => listOfTids(['3'] as unknown as Tid[]))).toBe(
      'PERSISTENCE_INVALID_INSTANT',
    )
  })
})
