import { describe, expect, test } from '@jest/globals'
import { CommitLog } from '../../lib/persistence/commit-log.js'
import { NO_TID, toOid, toTid } from '../../lib/storage/index.js'

const TREE = toOid(9)
const PART = { oid: TREE, touchesAll: false, writesFields: false }

/** Commits 1 to 4: two writers of object 5, two of key `a`, one that touches the tree. */
function aLog(): CommitLog {
  const log = new CommitLog()
  log.add({
    tid: toTid(1),
    oids: [toOid(5)],
    trees: [{ ...PART, keys: ['a', 'b'] }],
  })
  log.add({ tid: toTid(2), oids: [toOid(5), toOid(6)], trees: [] })
  log.add({ tid: toTid(3), oids: [], trees: [{ ...PART, keys: ['a'] }] })
  log.add({ tid: toTid(4), oids: [], trees: [{ ...PART, keys: [], touchesAll: true }] })
  return log
}

describe('Commit log', () => {
  test('knows the last writer of each object, key and tree', () => {
    const log = aLog()
    expect([5, 6, 7].map((oid) => log.serialOf(toOid(oid)))).toEqual([2, 2, undefined])
    expect(['a', 'b', 'c'].map((key) => log.keyWrittenBy(TREE, key))).toEqual([3, 1, NO_TID])
    expect([log.touchedBy(TREE), log.lastKeyWriter(TREE), log.touchedBy(toOid(5))]).toEqual([
      4,
      4,
      NO_TID,
    ])
  })

  test('forgets old commits, and keeps what newer ones wrote', () => {
    const log = aLog()
    log.forgetUpTo(toTid(2))
    expect([
      log.serialOf(toOid(5)),
      log.keyWrittenBy(TREE, 'a'),
      log.keyWrittenBy(TREE, 'b'),
    ]).toEqual([undefined, 3, NO_TID])
    log.forgetUpTo(toTid(4))
    expect([log.keyWrittenBy(TREE, 'a'), log.lastKeyWriter(TREE)]).toEqual([NO_TID, NO_TID])
  })

  test('tells writers of fields from writers of the tree alone', () => {
    const log = new CommitLog()
    const add = (tid: number, part: object): void =>
      log.add({ tid: toTid(tid), oids: [TREE], trees: [{ ...PART, keys: ['a'], ...part }] })
    add(1, {})
    expect(log.fieldsWrittenBy(TREE)).toBe(NO_TID)
    add(2, { writesFields: true })
    add(3, {})
    expect([log.fieldsWrittenBy(TREE), log.serialOf(TREE)]).toEqual([2, 3])
    add(4, { touchesAll: true })
    expect(log.fieldsWrittenBy(TREE)).toBe(4)
    log.add({ tid: toTid(5), oids: [TREE], trees: [] })
    expect(log.fieldsWrittenBy(TREE)).toBe(5)
    add(6, {})
    expect(log.fieldsWrittenBy(TREE)).toBe(5)
    log.forgetUpTo(toTid(6))
    expect(log.fieldsWrittenBy(TREE)).toBe(NO_TID)
  })

  test('walks the commits after one, newest first', () => {
    const tids = [...aLog().commitsAfter(toTid(2))].map(({ tid }) => tid)
    expect(tids).toEqual([4, 3])
  })

  test('goes on for ever', () => {
    const log = new CommitLog()
    for (let tid = 1; tid <= 1000; tid++) {
      log.add({ tid: toTid(tid), oids: [toOid(tid % 7)], trees: [] })
      log.forgetUpTo(toTid(Math.max(0, tid - 3)))
      expect(log.serialOf(toOid(tid % 7))).toBe(tid)
      expect(log.serialOf(toOid((tid + 1) % 7))).toBeUndefined()
    }
  })
})
