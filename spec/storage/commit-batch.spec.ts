import { describe, expect, test } from '@jest/globals'
import { encodeCommits } from '../../lib/storage/commit-batch.js'
import { NO_TID } from '../../lib/storage/index.js'
import { decodeTransactionRow, firstLastRow } from '../../lib/storage/rows.js'
import { aCommit } from '../support/storage-builders.js'

describe('A batch of commits', () => {
  const { keys, values, last } = encodeCommits(
    [aCommit(1, [0, 5]), aCommit(2, [3])],
    firstLastRow(100),
  )

  test('holds classes, records and the transaction of each commit, and one last row', () => {
    expect(keys.map((key) => [key[0], key[8]])).toEqual([
      [2, 1],
      [4, 0],
      [4, 5],
      [3, 1],
      [4, 3],
      [3, 2],
      [1, 1],
    ])
  })

  test('keeps all records in one allocation', () => {
    const memories = [1, 2, 4].map((i) => values[i]!.buffer)
    expect(new Set(memories).size).toBe(1)
    expect(values[1]!.byteOffset + values[1]!.length).toBe(keys[2]!.byteOffset)
  })

  test('counts the bytes of records and class rows in the transaction row', () => {
    const bytes = [0, 1, 2].reduce((sum, i) => sum + keys[i]!.length + values[i]!.length, 0)
    expect(decodeTransactionRow(values[3]!)).toMatchObject({ bytes, records: 2 })
  })

  test('says where the database is after it', () => {
    expect(last).toEqual({ tid: 2, commits: 2, highestOid: 5, classes: 1, writeBufferBytes: 100 })
    expect(firstLastRow(100).tid).toBe(NO_TID)
  })
})
