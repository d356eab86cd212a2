import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { NO_TID, nextLink, type RevisionLink, type Tid, toTid } from '../../lib/storage/index.js'
import { towards } from '../../lib/storage/revision-link.js'

/** An object whose revisions were written by these commits, ascending. */
function linksOf(tids: readonly Tid[]): Map<Tid, RevisionLink> {
  const links = new Map<Tid, RevisionLink>()
  let previous: { tid: Tid; link: RevisionLink } | undefined
  for (const tid of tids) {
    const link = nextLink(previous)
    links.set(tid, link)
    previous = { tid, link }
  }
  return links
}

const anyTids = fc
  .uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 200, size: 'max' })
  .map((tids) => tids.sort((one, other) => one - other).map(toTid))

describe('The link of a revision', () => {
  test('names the one before, its number, and the last whose number 16 divides', () => {
    const links = linksOf(Array.from({ length: 40 }, (_, i) => toTid(i + 1)))
    expect(links.get(toTid(1))).toEqual({ previousTid: NO_TID, number: 0, farTid: NO_TID })
    expect(links.get(toTid(2))).toEqual({ previousTid: 1, number: 1, farTid: 1 })
    expect(links.get(toTid(17))).toEqual({ previousTid: 16, number: 16, farTid: 1 })
    expect(links.get(toTid(18))).toEqual({ previousTid: 17, number: 17, farTid: 17 })
    expect(links.get(toTid(40))).toEqual({ previousTid: 39, number: 39, farTid: 33 })
  })

  test('of a record without one is the first', () => {
    expect(nextLink({ tid: toTid(7) })).toEqual({ previousTid: 7, number: 1, farTid: 7 })
  })

  test('leads to the revision that was current then, in few steps', () => {
    fc.assert(
      fc.property(anyTids, fc.integer({ min: 0, max: 500 }), (tids, time) => {
        const links = linksOf(tids)
        let at = tids[tids.length - 1] as Tid
        let steps = 0
        while (at > time) {
          at = towards(links.get(at) as RevisionLink, toTid(time))
          steps++
        }
        expect(at).toBe(tids.findLast((tid) => tid <= time) ?? NO_TID)
        expect(steps).toBeLessThanOrEqual(tids.length / 16 + 18)
      }),
    )
  })
})
