import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { tidAt } from '../../lib/storage/commit-times.js'
import { Generation } from '../../lib/storage/generation.js'
import { createMemoryDatabase, NO_TID, toTid } from '../../lib/storage/index.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit, codeThrownBy, METADATA } from '../support/storage-builders.js'

const database = createMemoryDatabase()

/** Commits at these times, the first of which is the oldest known. */
function commitsAt(times: readonly number[]) {
  const overlay = new Overlay(NO_TID)
  let newest = NO_POSITION
  for (const [index, timeMs] of times.entries()) {
    const commit = aCommit(index + 1, [1], { metadata: { ...METADATA, timeMs } })
    const row = CommitRow.encode(commit, newest, undefined)
    newest = row.position
    overlay.add(row)
  }
  const generation = new Generation(database, overlay)
  const oldest = { tid: toTid(1), timeMs: times[0] as number }
  return { generation, oldest, newest }
}

describe('The commit at a time', () => {
  test('is the newest at or before it', async () => {
    await database.open()
    const anyTimes = fc
      .array(fc.nat(50), { minLength: 1, maxLength: 40 })
      .map((times) => times.sort((one, other) => one - other))
    fc.assert(
      fc.property(anyTimes, fc.nat(55), (times, time) => {
        const { generation, ...known } = commitsAt(times)
        const wanted = times.findLastIndex((one) => one <= time) + 1
        if (wanted > 0) expect(tidAt(generation, time, known)).toBe(wanted)
        else {
          expect(() => tidAt(generation, time, known)).toThrow(/no longer known/)
        }
        generation.letGo()
      }),
    )
  })

  test('is not guessed when it is older than what is known, and the message tells the time', async () => {
    const { generation, ...known } = commitsAt([1000, 2000])
    const ask = () => tidAt(generation, 999, known)
    expect(await codeThrownBy(ask)).toBe('STORAGE_HISTORY_UNAVAILABLE')
    expect(ask).toThrow(/1970-01-01T00:00:00.999Z.*0000000000000001/)
    expect(() => tidAt(generation, -1e300, known)).toThrow(/-1e\+300 ms/)
  })
})
