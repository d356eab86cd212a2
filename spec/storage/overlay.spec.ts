import { describe, expect, test } from '@jest/globals'
import { CommitRow } from '../../lib/storage/commit-row.js'
import { NO_TID, nextLink, toOid, toTid } from '../../lib/storage/index.js'
import { Overlay } from '../../lib/storage/overlay.js'
import { NO_POSITION } from '../../lib/storage/rows.js'
import { aCommit } from '../support/storage-builders.js'

/** Commits 5 to 8; object 1 is in 5 and 7. */
function anOverlay(): Overlay {
  const overlay = new Overlay(toTid(4))
  let before = { ...NO_POSITION, tid: toTid(4), classes: 1, highestOid: 20 }
  for (const [tid, oids] of [
    [5, [1, 2]],
    [6, [3]],
    [7, [1]],
    [8, []],
  ] as const) {
    const row = CommitRow.encode(aCommit(tid, oids), before, () => nextLink({ tid: toTid(2) }))
    overlay.add(row)
    before = row.position
  }
  return overlay
}

describe('An overlay', () => {
  test('gives the newest revision that a commit up to a tid wrote', () => {
    const overlay = anOverlay()
    const tidAt = (oid: number, tid: number) => overlay.at(toOid(oid), toTid(tid))?.tid
    expect([4, 5, 6, 7, 8].map((tid) => tidAt(1, tid))).toEqual([undefined, 5, 5, 7, 7])
    expect([tidAt(3, 5), tidAt(3, 6), tidAt(9, 8)]).toEqual([undefined, 6, undefined])
    expect(overlay.newest(toOid(1))?.older?.tid).toBe(5)
    expect(overlay.newest(toOid(1))?.older?.older).toBeUndefined()
  })

  test('makes records of revisions when they are asked for', () => {
    const revision = anOverlay().newest(toOid(3))
    expect(revision?.link).toEqual({ previousTid: 2, number: 1, farTid: 2 })
    const record = revision?.toRecord()
    expect(record).toMatchObject({ oid: 3, tid: 6, classId: 1, link: revision?.link })
    expect(String(record?.state)).toBe('state of 6')
  })

  test('gives commits by tid', () => {
    const overlay = anOverlay()
    expect([4, 5, 8, 9].map((tid) => overlay.commit(toTid(tid))?.tid)).toEqual([
      undefined,
      5,
      8,
      undefined,
    ])
    expect([overlay.after, overlay.lastTid]).toEqual([4, 8])
    expect([...overlay.oids]).toEqual([1, 2, 3])
  })

  test('knows how many bytes it holds', () => {
    const overlay = anOverlay()
    let bytes = 0
    for (let tid = 5; tid <= 8; tid++) bytes += overlay.commit(toTid(tid))?.bytes.length ?? 0
    expect(overlay.bytes).toBe(bytes)
    expect(new Overlay(NO_TID)).toMatchObject({ bytes: 0, lastTid: NO_TID })
  })
})
