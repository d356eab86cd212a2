import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  decodeClass,
  decodeCommitEntry,
  decodeRecordEntry,
  encodeClass,
  encodeCommitEntry,
  encodeRecordEntry,
  LiveRuns,
} from '../../lib/operations/backup-entries.js'
import { toOid, toTid } from '../../lib/storage/index.js'
import { aCommit, EMPLOYEE } from '../support/storage-builders.js'

describe('Entries of a backup', () => {
  test('a record, a class and a commit come back as they were', () => {
    const record = { oid: toOid(3), tid: toTid(2 ** 40), classId: 1, state: Buffer.from('x') }
    expect(decodeRecordEntry(encodeRecordEntry(record))).toEqual(record)
    expect(decodeClass(encodeClass(EMPLOYEE))).toEqual(EMPLOYEE)
    const link = { previousTid: toTid(4), number: 3, farTid: toTid(1) }
    const { records, ...rest } = aCommit(1, [1, 2])
    const linked = records.map((one, index) => (index === 0 ? { ...one, link } : one))
    const commit = { ...rest, records: linked, removed: [toOid(9)] }
    expect(decodeCommitEntry(encodeCommitEntry(commit))).toEqual(commit)
  })

  test('runs name exactly the oids that were added', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (given) => {
        const oids = given.sort((a, b) => a - b)
        const runs = new LiveRuns()
        for (const oid of oids) runs.add(oid)
        runs.end()
        expect(oidsIn(runs.take())).toEqual(oids)
      }),
    )
  })

  test('many runs are several entries', () => {
    const runs = new LiveRuns()
    for (let oid = 0; oid < 20_000; oid += 2) runs.add(oid)
    const early = runs.take()
    expect(early).toHaveLength(2)
    runs.end()
    expect(oidsIn([...early, ...runs.take()])).toHaveLength(10_000)
  })
})

function oidsIn(entries: readonly (readonly number[])[]): number[] {
  const oids: number[] = []
  let position = 0
  for (const entry of entries) {
    for (let index = 0; index < entry.length; index += 2) {
      position += entry[index] as number
      for (let run = entry[index + 1] as number; run > 0; run--) oids.push(position++)
    }
  }
  return oids
}
